import type { ReplicaSet } from '../generated/types.js';
import { defineKind } from '../kind.js';

export const replicasets = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  namespaced: true,
  definition: 'io.k8s.api.apps.v1.ReplicaSet',
  subresources: ['status', 'scale'],
  generationFields: ['spec'],
});
