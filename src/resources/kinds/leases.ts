import type { Lease } from '../generated/types.js';
import { defineKind } from '../kind.js';

export const leases = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  shortNames: [],
  namespaced: true,
  definition: 'io.k8s.api.coordination.v1.Lease',
  subresources: [],
  generationFields: [],
});
