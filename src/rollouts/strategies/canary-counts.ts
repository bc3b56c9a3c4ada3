// How many pods each version of a canary is to have where the numbers of pods carry the weight, and the way there within
// surge and availability. Follows argo-rollouts `utils/replicaset/canary.go`.
import { resolveCount } from '../../reconcile/replica-sets.js';
import type { RolloutCanary } from '../../resources/generated/types.js';
import { allVersions } from '../versions.js';
import type { Version, Versions } from '../versions.js';

export interface Bounds {
  /** `spec.replicas`. */
  readonly wanted: number;
  readonly surge: number;
  readonly unavailable: number;
}

/** The surge is rounded up, unavailability down; where both come to nothing, one may be unavailable. */
export const boundsOf = ({ maxSurge, maxUnavailable }: RolloutCanary, wanted: number): Bounds => {
  const surge = resolveCount(maxSurge, wanted, Math.ceil);
  const unavailable = resolveCount(maxUnavailable, wanted, Math.floor);
  return { wanted, surge, unavailable: Math.min(wanted, surge === 0 && unavailable === 0 ? 1 : unavailable) };
};

export interface Counts {
  readonly canary: number;
  readonly stable: number;
}

/** Whole numbers of pods that come closest to the weight; of those equally close, the first in this order. */
export const countsOf = ({ wanted, surge }: Bounds, weight: number, full: number): Counts => {
  if (wanted === 0) return { canary: 0, stable: 0 };
  const up = Math.ceil((wanted * weight) / full);
  const down = Math.floor((wanted * weight) / full);
  const mayBeNone = weight === 0 || weight === full || (wanted === 1 && surge === 0);
  /** The weight lies just between two numbers: then the larger is taken. */
  const isTied = (total: number): boolean => ((total * weight) / full) % 1 === 0.5;
  const candidates: (readonly [canary: number, total: number])[] = [];
  if (up < wanted || mayBeNone) candidates.push([up, wanted]);
  if (!isTied(wanted) && (down > 0 || mayBeNone)) candidates.push([down, wanted]);
  if (surge > 0) {
    candidates.push([up, wanted + 1]);
    if (!isTied(wanted + 1) && (down > 0 || mayBeNone)) candidates.push([down, wanted + 1]);
  }
  let best: readonly [number, number] = candidates[0] ?? [up, wanted];
  const distance = ([canary, total]: readonly [number, number]): number =>
    Math.abs((canary * full) / total - weight);
  for (const candidate of candidates) if (distance(candidate) < distance(best)) best = candidate;
  const [canary, total] = best;
  return { canary, stable: total - canary };
};

/** Sizes by name, of those ReplicaSets whose size changes. */
export type Sizes = ReadonlyMap<string, number>;

const sumOf = (versions: readonly Version[], of: (version: Version) => number): number =>
  versions.reduce((sum, version) => sum + of(version), 0);

/** The good version first: it is what serves when all else fails. */
const grown = (bounds: Bounds, versions: Versions, counts: Counts): Sizes => {
  // A pod that is to go but is still there counts, so that the surge holds at every moment.
  const present = sumOf(allVersions(versions), ({ wanted, there }) => Math.max(wanted, there));
  let room = Math.max(0, bounds.wanted + bounds.surge - present);
  const sizes = new Map<string, number>();
  const grow = (version: Version | undefined, target: number): void => {
    if (version === undefined || version.wanted >= target) return;
    const more = Math.min(room, target - version.wanted);
    if (more > 0) sizes.set(version.name, version.wanted + more);
    room -= more;
  };
  grow(versions.stable, counts.stable);
  if (versions.current !== versions.stable) grow(versions.current, counts.canary);
  return sizes;
};

/** Pods that are not available are no loss and go first; of the others, as many as are not needed. */
const drained = (versions: readonly Version[], spare: number): Sizes => {
  const sizes = new Map<string, number>();
  let left = Math.max(0, spare);
  for (const version of versions) {
    if (version.wanted === 0) continue;
    const lost = Math.min(version.available, left);
    const size = version.available - lost;
    left -= lost;
    if (size !== version.wanted) sizes.set(version.name, size);
  }
  return sizes;
};

const shrunk = (bounds: Bounds, versions: Versions, counts: Counts): Sizes => {
  const { current, stable, others } = versions;
  const least = bounds.wanted - bounds.unavailable;
  const spare = sumOf(allVersions(versions), ({ available }) => available) - least;
  if (others.some(({ wanted }) => wanted > 0)) return drained(others, spare);
  const sizes = new Map<string, number>();
  const shrink = (version: Version | undefined, target: number, kept: number): boolean => {
    if (version === undefined || version.wanted <= target) return false;
    const size = Math.max(target, Math.min(version.wanted, least - kept));
    if (size !== version.wanted) sizes.set(version.name, size);
    return size !== version.wanted;
  };
  if (current === stable) {
    shrink(current, counts.canary + counts.stable, 0);
    return sizes;
  }
  // One of the two on one observation: what the other keeps is then known.
  if (!shrink(stable, counts.stable, current?.available ?? 0))
    shrink(current, counts.canary, stable?.available ?? 0);
  return sizes;
};

/** The next sizes on the way to the counts: some grow, or else some shrink, never both on one observation. */
export const towards = (bounds: Bounds, versions: Versions, counts: Counts): Sizes => {
  const growth = grown(bounds, versions, counts);
  return growth.size > 0 ? growth : shrunk(bounds, versions, counts);
};

/** Every pod that is wanted is there and available, and nothing else is. */
export const isReached = (
  { current, stable, others }: Versions,
  counts: Counts,
  enough = counts.canary,
): boolean =>
  (current === undefined || (current.wanted === counts.canary && current.available >= enough)) &&
  (stable === undefined ||
    stable === current ||
    (stable.wanted === counts.stable && stable.available >= counts.stable)) &&
  others.every(({ wanted, available }) => wanted === 0 && available === 0);

/** Available pods of the wanted ones that are enough for a step to go on. */
export const enoughOf = ({ replicaProgressThreshold: threshold }: RolloutCanary, wanted: number): number => {
  if (threshold?.value === undefined) return wanted;
  if (threshold.type === 'Pods') return Math.min(wanted, threshold.value);
  return Math.ceil((wanted * Math.min(100, threshold.value)) / 100);
};
