import type { ConfigMap } from '../generated/types.js';
import { defineKind } from '../kind.js';

export const configmaps = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.ConfigMap',
  subresources: [],
  generationFields: [],
});
