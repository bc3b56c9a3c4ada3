import type { Service } from '../generated/types.js';
import { defineKind } from '../kind.js';

export const services = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.Service',
  subresources: ['status', 'proxy'],
  generationFields: [],
});
