// A folder of the cluster repository as an object: `kubectl get applications` shows where the Git loop stands.
import type { Application } from '../generated/types.js';
import { ageColumn, nameColumn } from '../columns.js';
import { defineKind } from '../kind.js';

const shortRevision = (revision: string | undefined): string => (revision ?? '').slice(0, 8);

export const applications = defineKind<Application>({
  group: 'capstan.dev',
  version: 'v1',
  kind: 'Application',
  plural: 'applications',
  shortNames: ['app'],
  categories: ['capstan'],
  namespaced: false,
  definition: 'io.capstan.v1.Application',
  subresources: ['status'],
  generationFields: ['spec'],
  columns: [
    nameColumn,
    {
      name: 'Phase',
      type: 'string',
      description: 'Synced, Progressing, Healthy, Degraded, Failed or Held',
      priority: 0,
      cell: ({ status }) => status?.phase ?? '',
    },
    {
      name: 'Revision',
      type: 'string',
      description: 'Commit that runs',
      priority: 0,
      cell: ({ status }) => shortRevision(status?.revision),
    },
    {
      name: 'Objects',
      type: 'integer',
      description: 'Number of objects',
      priority: 0,
      cell: ({ status }) => status?.resourceCount ?? 0,
    },
    {
      name: 'Path',
      type: 'string',
      description: 'Folder in the repository',
      priority: 1,
      cell: ({ spec }) => spec.path,
    },
    {
      name: 'Message',
      type: 'string',
      description: 'Why it stands where it stands',
      priority: 0,
      cell: ({ status }) => status?.message ?? '',
    },
    ageColumn,
  ],
});
