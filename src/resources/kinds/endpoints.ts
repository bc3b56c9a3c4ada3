import type { Endpoints } from '../generated/types.js';
import { defineKind } from '../kind.js';

export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.Endpoints',
  subresources: [],
  generationFields: [],
});
