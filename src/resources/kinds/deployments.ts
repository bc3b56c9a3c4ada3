import type { Deployment } from '../generated/types.js';
import { defineKind } from '../kind.js';

export const deployments = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  namespaced: true,
  definition: 'io.k8s.api.apps.v1.Deployment',
  subresources: ['status', 'scale'],
  generationFields: ['spec'],
});
