// Canary by numbers of pods: the services select both versions, and each gets what its share of the pods gets. Without
// steps this is a rolling update.
import type { Instant } from '../../base/clock.js';
import type { RolloutCanary } from '../../resources/generated/types.js';
import { fullWeight } from '../../resources/rollouts/strategy-of.js';
import type { Versions } from '../versions.js';
import { boundsOf, countsOf, enoughOf, isReached, towards } from './canary-counts.js';
import type { Bounds, Counts, Sizes } from './canary-counts.js';
import { advanceCanary, canaryRuns, wantedWeight } from './canary-progress.js';
import { isUpdating } from './strategy.js';
import type { Observed, Progress, Strategy } from './strategy.js';

const wantedCounts = (canary: RolloutCanary, bounds: Bounds, progress: Progress): Counts => {
  if (progress.stable === '') return { canary: bounds.wanted, stable: 0 };
  if (!isUpdating(progress)) return { canary: 0, stable: bounds.wanted };
  return countsOf(bounds, wantedWeight(canary, progress), fullWeight(canary));
};

const scaleOf = ({ current, stable }: Versions, counts: Counts): string => {
  const canary = `${String(current?.available ?? 0)} of ${String(counts.canary)} new pods are available`;
  return stable === undefined || stable === current
    ? canary
    : `${canary}, ${String(stable.wanted)} old ones are there and ${String(counts.stable)} are to be`;
};

const describe = (sizes: Sizes): string =>
  [...sizes].map(([name, size]) => `${name} to ${String(size)}`).join(', ');

/** Services that belong to one version, where they are named without a split of the traffic. */
export const canarySelectors = (
  { canaryService, stableService }: RolloutCanary,
  { current, stable, aborted }: Progress,
): ReadonlyMap<string, string> => {
  const selectors = new Map<string, string>();
  if (stable !== '' && stableService !== undefined) selectors.set(stableService, stable);
  const canary = aborted && stable !== '' ? stable : current;
  if (canaryService !== undefined) selectors.set(canaryService, canary);
  return selectors;
};

const next = (observed: Observed, now: Instant): ReturnType<Strategy['next']> => {
  const canary = observed.spec.strategy?.canary ?? {};
  const { versions, replicas } = observed;
  const bounds = boundsOf(canary, replicas);
  const before = wantedCounts(canary, bounds, observed.progress);
  const isScaled = isReached(versions, before, enoughOf(canary, before.canary));
  const { progress, because, wakeAt } = advanceCanary(
    observed,
    { isScaled, scale: scaleOf(versions, before), isWeighted: true },
    now,
  );
  // A version that was just promoted is the stable one from here on.
  const { current } = versions;
  const seen =
    progress.stable === observed.progress.stable
      ? versions
      : {
          current,
          stable: current,
          others: [...versions.others, ...(versions.stable === undefined ? [] : [versions.stable])],
        };
  const sizes = towards(bounds, seen, wantedCounts(canary, bounds, progress));
  return {
    progress: { ...progress, weight: wantedWeight(canary, progress) },
    sizes,
    deadlines: new Map(),
    selectors: canarySelectors(canary, progress),
    splits: new Map(),
    runs: canaryRuns(observed, progress),
    because: sizes.size === 0 ? because : `${because}; scales ${describe(sizes)}`,
    wakeAt,
  };
};

export const basicCanary: Strategy = { name: 'canary', next };
