import type { ServiceAccount } from '../generated/types.js';
import { defineKind } from '../kind.js';

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
});
