import type { Event } from '../generated/types.js';
import { defineKind } from '../kind.js';

export const events = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.Event',
  subresources: [],
  generationFields: [],
});
