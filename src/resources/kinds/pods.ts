import type { Pod } from '../generated/types.js';
import { defineKind } from '../kind.js';

export const pods = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.Pod',
  subresources: [
    'status',
    'log',
    'exec',
    'attach',
    'portforward',
    'proxy',
    'binding',
    'eviction',
    'ephemeralcontainers',
  ],
  generationFields: [],
});
