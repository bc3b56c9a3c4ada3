import type { Namespace } from '../generated/types.js';
import { defineKind } from '../kind.js';

export const namespaces = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  definition: 'io.k8s.api.core.v1.Namespace',
  subresources: ['status', 'finalize'],
  generationFields: [],
});
