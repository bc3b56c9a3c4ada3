// Canary by weights of the service proxy: the traffic to the stable service is split between the versions, whatever the
// numbers of their pods.
import type { Instant } from '../../base/clock.js';
import type { RolloutCanary } from '../../resources/generated/types.js';
import { fullWeight } from '../../resources/rollouts/strategy-of.js';
import type { Version, Versions } from '../versions.js';
import { enoughOf } from './canary-counts.js';
import type { Counts } from './canary-counts.js';
import { advanceCanary, canaryRuns, wantedWeight, weightAt } from './canary-progress.js';
import { abortedGoesAt, departures } from './delays.js';
import type { Departure } from './delays.js';
import { reachableWeight, routedCounts } from './routed-counts.js';
import { earliest, isUpdating } from './strategy.js';
import type { Observed, Progress, RolloutStep, Split, Strategy } from './strategy.js';

const isScaledTo = (canary: RolloutCanary, { current, stable }: Versions, counts: Counts): boolean => {
  const hasCanary =
    current !== undefined &&
    current.wanted === counts.canary &&
    current.available >= enoughOf(canary, counts.canary);
  if (canary.dynamicStableScale === true || stable === undefined || stable === current) return hasCanary;
  return hasCanary && stable.wanted === counts.stable && stable.available >= counts.stable;
};

/** Ping and pong need not take turns here: a switch of the split is one write, so ping is always the stable one. */
export const servicesOf = ({
  canaryService,
  stableService,
  pingPong,
}: RolloutCanary): { readonly canary: string; readonly stable: string } => ({
  canary: pingPong?.pongService ?? canaryService ?? '',
  stable: pingPong?.pingService ?? stableService ?? '',
});

const selectorsOf = (
  canary: RolloutCanary,
  progress: Progress,
  { current }: Versions,
): ReadonlyMap<string, string> => {
  const services = servicesOf(canary);
  const selectors = new Map<string, string>();
  if (progress.stable !== '') selectors.set(services.stable, progress.stable);
  // The canary's service names the new version only once that can answer.
  const answers = progress.stable === '' || (current?.available ?? 0) > 0;
  if (answers && !progress.aborted) selectors.set(services.canary, progress.current);
  else if (progress.aborted) selectors.set(services.canary, progress.stable);
  return selectors;
};

const splitOf = (canary: RolloutCanary, progress: Progress): Split | undefined => {
  if (!isUpdating(progress)) return undefined;
  const full = fullWeight(canary);
  return new Map([
    [progress.stable, full - progress.weight],
    [progress.current, progress.weight],
  ]);
};

/** Sizes as they are wanted: an aborted canary stays for its delay, and until the stable version is whole again. */
const placed = (observed: Observed, progress: Progress, now: Instant): Departure => {
  const canary = observed.spec.strategy?.canary ?? {};
  const { versions, replicas } = observed;
  const counts = routedCounts(observed, progress);
  const left = observed.progress.stable === progress.stable ? undefined : observed.progress.stable;
  const all = [...versions.others, versions.stable, versions.current].filter(
    (version) => version !== undefined,
  );
  const isThere = (version: Version): boolean =>
    version.hash === progress.current || version.hash === progress.stable;
  const {
    sizes: gone,
    deadlines,
    wakeAt,
  } = departures(
    all.filter((version) => !isThere(version)),
    canary.dynamicStableScale === true ? undefined : left,
    { delay: { seconds: canary.scaleDownDelaySeconds, limit: canary.scaleDownDelayRevisionLimit }, now },
  );
  const sizes = new Map(gone);
  const times = new Map(deadlines);
  const current = all.find(({ hash }) => hash === progress.current);
  const stable = all.find(({ hash }) => hash === progress.stable);
  const set = (version: Version | undefined, size: number): void => {
    if (version === undefined) return;
    if (version.wanted !== size) sizes.set(version.name, size);
    if (version.goesAt !== undefined) times.set(version.name, undefined);
  };
  if (!isUpdating(progress)) {
    set(stable ?? current, replicas);
    return { sizes, deadlines: times, wakeAt };
  }
  set(stable, counts.stable);
  if (!progress.aborted) {
    set(current, counts.canary);
    return { sizes, deadlines: times, wakeAt };
  }
  const goesAt = abortedGoesAt(canary.abortScaleDownDelaySeconds, progress.abortedAt);
  const isWhole = (stable?.available ?? 0) >= replicas && progress.weight === 0;
  if (canary.dynamicStableScale === true || (goesAt !== undefined && goesAt <= now && isWhole))
    set(current, counts.canary);
  return {
    sizes,
    deadlines: times,
    wakeAt: earliest(wakeAt, goesAt !== undefined && goesAt > now ? goesAt : undefined),
  };
};

const scaleOf = ({ current }: Versions, counts: Counts): string =>
  `${String(current?.available ?? 0)} of ${String(counts.canary)} new pods are available`;

const next = (observed: Observed, now: Instant): RolloutStep => {
  const canary = observed.spec.strategy?.canary ?? {};
  const { versions } = observed;
  const counts = routedCounts(observed, observed.progress);
  const isScaled = isScaledTo(canary, versions, counts);
  const before = observed.progress;
  const { progress, because, wakeAt } = advanceCanary(
    observed,
    {
      isScaled,
      scale: scaleOf(versions, counts),
      isWeighted: before.weight === wantedWeight(canary, before),
    },
    now,
  );
  const weight = reachableWeight(observed, progress, {
    // A step that was reached just now has pods of its own to wait for.
    isScaled: isScaledTo(canary, versions, routedCounts(observed, progress)),
    previous: weightAt(canary, progress.index - 1),
  });
  const weighted: Progress = { ...progress, weight };
  const { sizes, deadlines, wakeAt: departure } = placed(observed, weighted, now);
  const services = servicesOf(canary);
  return {
    progress: weighted,
    sizes,
    deadlines,
    selectors: selectorsOf(canary, weighted, versions),
    splits: new Map([[services.stable, splitOf(canary, weighted)]]),
    runs: canaryRuns(observed, progress),
    because:
      weight === before.weight
        ? because
        : `${because}; the traffic goes from weight ${String(before.weight)} to ${String(weight)}`,
    wakeAt: earliest(wakeAt, departure),
  };
};

export const routedCanary: Strategy = { name: 'routed canary', next };
