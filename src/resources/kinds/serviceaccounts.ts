// ServiceAccounts: identities of what runs in pods.
import { ageColumn, nameColumn, text } from '../columns.js';
import type { ServiceAccount } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { nameErrors } from '../validation/metadata.js';

export const serviceaccounts = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.ServiceAccount',
  subresources: ['token'],
  generationFields: [],
  columns: [
    nameColumn,
    text('Secrets', 'How many secrets pods of this account may use.', ({ secrets }) => secrets?.length ?? 0),
    ageColumn,
  ],
  validate: ({ metadata }) => nameErrors(metadata),
});
