// What pods ask about other pods, in the order in which it is asked.
import { podAffinity } from './affinity.js';
import { podAntiAffinity } from './anti-affinity.js';
import type { CouplingRule } from './coupling.js';
import { existingAntiAffinity } from './existing-anti-affinity.js';
import { preferredPods } from './preferred-pods.js';
import { boundVolumes, onePodClaims } from './volumes.js';
import { preferredSpread, topologySpread } from './topology-spread.js';

export const couplings: readonly CouplingRule[] = [
  boundVolumes,
  onePodClaims,
  topologySpread,
  podAffinity,
  podAntiAffinity,
  existingAntiAffinity,
  preferredPods,
  preferredSpread,
];
