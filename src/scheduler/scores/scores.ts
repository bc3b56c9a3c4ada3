// How good a node is for a pod: the weighted sum of these.
import type { Score } from '../placement.js';
import { balanced } from './balanced.js';
import { imageLocality } from './image-locality.js';
import { leastAllocated } from './least-allocated.js';
import { preferredAffinity, preferredTaints } from './preferences.js';
import { spread } from './spread.js';

export const scores: readonly Score[] = [
  spread,
  leastAllocated,
  balanced,
  preferredAffinity,
  preferredTaints,
  imageLocality,
];
