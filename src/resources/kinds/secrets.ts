import type { Secret } from '../generated/types.js';
import { defineKind } from '../kind.js';

export const secrets = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  shortNames: [],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.Secret',
  subresources: [],
  generationFields: [],
});
