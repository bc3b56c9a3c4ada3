import type { EndpointSlice } from '../generated/types.js';
import { defineKind } from '../kind.js';

export const endpointslices = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  shortNames: [],
  namespaced: true,
  definition: 'io.k8s.api.discovery.v1.EndpointSlice',
  subresources: [],
  generationFields: [],
});
