import type { Node } from '../generated/types.js';
import { defineKind } from '../kind.js';

export const nodes = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  definition: 'io.k8s.api.core.v1.Node',
  subresources: ['status', 'proxy'],
  generationFields: [],
});
