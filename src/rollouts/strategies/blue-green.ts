// Blue and green: the new version is brought up whole behind the preview service, measured, and then takes the active
// service over at once.
import type { Instant } from '../../base/clock.js';
import { toTimestamp } from '../../base/clock.js';
import type { RolloutBlueGreen } from '../../resources/generated/types.js';
import type { Version, Versions } from '../versions.js';
import { abortedGoesAt, departures } from './delays.js';
import type { Departure } from './delays.js';
import { earliest, isUpdating, pauseOf, withoutPauses, withPause } from './strategy.js';
import type { Advance, Observed, Progress, RolloutStep, Strategy, WantedRun } from './strategy.js';
import { isUndecided, judged } from './verdicts.js';

/** Pods of the new version now: few for the preview where so many are asked for, all before it takes over. */
const currentCount = (
  { previewReplicaCount }: RolloutBlueGreen,
  progress: Progress,
  replicas: number,
): number =>
  previewReplicaCount !== undefined &&
  isUpdating(progress) &&
  !progress.scaledUp &&
  !progress.promoteFull &&
  progress.active !== progress.current
    ? previewReplicaCount
    : replicas;

const has = (version: Version | undefined, count: number): boolean =>
  version !== undefined && version.wanted >= count && version.available >= count;

const promoted = (progress: Progress): Progress => ({
  ...withoutPauses(progress),
  stable: progress.current,
  scaledUp: false,
  promoteFull: false,
  aborted: false,
  abortedAt: undefined,
  abortMessage: '',
});

/** After the new version took over: measured once more, then it is the good one. */
const settling = (observed: Observed, progress: Progress, spec: RolloutBlueGreen): Advance => {
  const { runs, isFastRollback } = observed;
  const skips = progress.promoteFull || isFastRollback || progress.stable === '';
  if (spec.postPromotionAnalysis === undefined || skips)
    return { progress: promoted(progress), because: 'the new version has taken over' };
  if (runs.postPromotion?.phase === 'Successful')
    return {
      progress: promoted(progress),
      because: `analysis ${runs.postPromotion.name} succeeded after it took over`,
    };
  return { progress, because: 'is measured after it took over' };
};

/** Undefined when the pause is over. */
const pausing = (spec: RolloutBlueGreen, progress: Progress, now: Instant): Advance | undefined => {
  const { autoPromotionEnabled = true, autoPromotionSeconds = 0 } = spec;
  if (autoPromotionEnabled && autoPromotionSeconds === 0) return undefined;
  const pause = pauseOf(progress, 'BlueGreenPause');
  if (pause === undefined && progress.waits) return undefined;
  const end = autoPromotionEnabled ? (pause?.since ?? now) + autoPromotionSeconds * 1000 : undefined;
  if (end !== undefined && end <= now) return undefined;
  return {
    progress: pause === undefined ? withPause(progress, 'BlueGreenPause', now) : progress,
    because: end === undefined ? 'pauses until it is promoted' : `pauses until ${toTimestamp(end)}`,
    wakeAt: end,
  };
};

const takeOver = (observed: Observed, progress: Progress, because: string): Advance => {
  const { replicas, versions, peers } = observed;
  if (!has(versions.current, replicas))
    return {
      progress: { ...progress, scaledUp: true },
      because: `${because}; ${String(versions.current?.available ?? 0)} of ${String(replicas)} new pods are available`,
    };
  if (peers.behindAt !== undefined)
    return { progress, because: `waits for ${peers.behind ?? 'its release'}` };
  return {
    progress: { ...withoutPauses(progress), scaledUp: true, active: progress.current },
    because: `${because}; the active service goes to the new version`,
  };
};

/** Before the new version takes over. */
const previewing = (
  observed: Observed,
  progress: Progress,
  spec: RolloutBlueGreen,
  now: Instant,
): Advance => {
  const { versions, replicas, runs, isFastRollback } = observed;
  const count = currentCount(spec, progress, replicas);
  if (progress.promoteFull) return takeOver(observed, progress, 'a person promoted it fully');
  if (isFastRollback) return takeOver(observed, progress, 'goes back to a version that has served');
  if (progress.scaledUp) return takeOver(observed, progress, 'is promoted');
  if (!has(versions.current, count))
    return {
      progress,
      because: `brings the new version up: ${String(versions.current?.available ?? 0)} of ${String(count)} pods are available`,
    };
  if (spec.prePromotionAnalysis !== undefined && runs.prePromotion?.phase !== 'Successful')
    return { progress, because: 'is measured before it takes over' };
  return pausing(spec, progress, now) ?? takeOver(observed, progress, 'is promoted');
};

const advance = (observed: Observed, spec: RolloutBlueGreen, now: Instant): Advance => {
  const { versions, replicas, isHeld } = observed;
  const progress = judged(observed, now);
  if (progress.stable === '') {
    if (!has(versions.current, replicas))
      return {
        progress,
        because: `brings the first version up: ${String(versions.current?.available ?? 0)} of ${String(replicas)} pods are available`,
      };
    return settling(observed, { ...progress, active: progress.current }, spec);
  }
  if (progress.aborted)
    return {
      progress: { ...progress, active: progress.stable, scaledUp: false },
      because: `is aborted: ${progress.abortMessage}`,
    };
  if (!isUpdating(progress))
    return { progress: { ...progress, active: progress.stable }, because: 'runs the wanted version' };
  if (isHeld) return { progress, because: 'is held by a person' };
  if (isUndecided(progress))
    return { progress, because: 'waits for a person: an analysis came to no verdict' };
  return progress.active === progress.current
    ? settling(observed, progress, spec)
    : previewing(observed, progress, spec, now);
};

const placed = (observed: Observed, progress: Progress, spec: RolloutBlueGreen, now: Instant): Departure => {
  const { versions, replicas } = observed;
  const all = [...versions.others, versions.stable, versions.current].filter(
    (version) => version !== undefined,
  );
  const plays = ({ hash }: Version): boolean => hash === progress.current || hash === progress.stable;
  const left = observed.progress.stable === progress.stable ? undefined : observed.progress.stable;
  const {
    sizes: gone,
    deadlines,
    wakeAt,
  } = departures(
    all.filter((version, index) => !plays(version) && all.indexOf(version) === index),
    left,
    { delay: { seconds: spec.scaleDownDelaySeconds, limit: spec.scaleDownDelayRevisionLimit }, now },
  );
  const sizes = new Map(gone);
  const times = new Map(deadlines);
  const set = (version: Version | undefined, size: number): void => {
    if (version === undefined) return;
    if (version.wanted !== size) sizes.set(version.name, size);
    if (version.goesAt !== undefined) times.set(version.name, undefined);
  };
  const stable = all.find(({ hash }) => hash === progress.stable);
  const current = all.find(({ hash }) => hash === progress.current);
  set(stable, replicas);
  if (current === stable) return { sizes, deadlines: times, wakeAt };
  if (!progress.aborted) {
    set(current, currentCount(spec, progress, replicas));
    // Its time to go is what tells that it has served before.
    if (observed.isFastRollback && current !== undefined) times.delete(current.name);
    return { sizes, deadlines: times, wakeAt };
  }
  const goesAt = abortedGoesAt(spec.abortScaleDownDelaySeconds, progress.abortedAt);
  if (goesAt !== undefined && goesAt <= now && has(stable, replicas)) set(current, 0);
  return {
    sizes,
    deadlines: times,
    wakeAt: earliest(wakeAt, goesAt !== undefined && goesAt > now ? goesAt : undefined),
  };
};

const runsOf = (observed: Observed, progress: Progress, spec: RolloutBlueGreen): readonly WantedRun[] => {
  const { versions, replicas, isFastRollback } = observed;
  if (!isUpdating(progress) || progress.aborted || progress.promoteFull || isFastRollback) return [];
  if (progress.active === progress.current)
    return spec.postPromotionAnalysis === undefined
      ? []
      : [{ kind: 'postPromotion', analysis: spec.postPromotionAnalysis }];
  const isUp = progress.scaledUp || has(versions.current, currentCount(spec, progress, replicas));
  return spec.prePromotionAnalysis === undefined || !isUp
    ? []
    : [{ kind: 'prePromotion', analysis: spec.prePromotionAnalysis }];
};

const selectorsOf = (
  spec: RolloutBlueGreen,
  progress: Progress,
  { current }: Versions,
): ReadonlyMap<string, string> => {
  const selectors = new Map<string, string>();
  if (spec.previewService !== undefined && spec.previewService !== '' && current !== undefined)
    selectors.set(spec.previewService, progress.current);
  if (progress.active !== '') selectors.set(spec.activeService ?? '', progress.active);
  return selectors;
};

const next = (observed: Observed, now: Instant): RolloutStep => {
  const spec = observed.spec.strategy?.blueGreen ?? {};
  const { progress, because, wakeAt } = advance(observed, spec, now);
  const { sizes, deadlines, wakeAt: departure } = placed(observed, progress, spec, now);
  return {
    progress,
    sizes,
    deadlines,
    selectors: selectorsOf(spec, progress, observed.versions),
    splits: new Map(),
    runs: runsOf(observed, progress, spec),
    because,
    wakeAt: earliest(wakeAt, departure),
  };
};

export const blueGreen: Strategy = { name: 'blue-green', next };
