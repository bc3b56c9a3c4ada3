// What Capstan knows of the cluster repository, as one object named `cluster`.
import type { Repository } from '../generated/types.js';
import { ageColumn, nameColumn } from '../columns.js';
import { defineKind } from '../kind.js';

export const repositories = defineKind<Repository>({
  group: 'capstan.dev',
  version: 'v1',
  kind: 'Repository',
  plural: 'repositories',
  shortNames: ['repo', 'repos'],
  categories: ['capstan'],
  namespaced: false,
  definition: 'io.capstan.v1.Repository',
  subresources: ['status'],
  generationFields: ['spec'],
  columns: [
    nameColumn,
    {
      name: 'Branch',
      type: 'string',
      description: 'The branch that runs',
      priority: 0,
      cell: ({ spec }) => spec.branch ?? '',
    },
    {
      name: 'Head',
      type: 'string',
      description: 'Commit at the head of the branch',
      priority: 0,
      cell: ({ status }) => (status?.head ?? '').slice(0, 8),
    },
    {
      name: 'Subject',
      type: 'string',
      description: 'First line of its message',
      priority: 0,
      cell: ({ status }) => status?.subject ?? '',
    },
    {
      name: 'Error',
      type: 'string',
      description: 'Why the repository cannot be used now',
      priority: 0,
      cell: ({ status }) => status?.error ?? '',
    },
    {
      name: 'Address',
      type: 'string',
      description: 'Where the repository is',
      priority: 1,
      cell: ({ spec }) => spec.address ?? '',
    },
    ageColumn,
  ],
});
