// How a canary advances, step by step; the same whether pods or the proxy carry the weights.
import type { Instant } from '../../base/clock.js';
import type { RolloutCanary } from '../../resources/generated/types.js';
import { fullWeight, stepsOf } from '../../resources/rollouts/strategy-of.js';
import { enoughOf } from './canary-counts.js';
import { ruleOf } from './steps/steps.js';
import { isUpdating, withoutPauses } from './strategy.js';
import type { Advance, Observed, Progress, WantedRun } from './strategy.js';
import { isUndecided, judged } from './verdicts.js';

/** The last weight that a step before or at the index sets; none before the first. */
export const weightAt = ({ steps = [] }: RolloutCanary, index: number): number => {
  for (let at = Math.min(index, steps.length - 1); at >= 0; at -= 1) {
    const weight = steps[at]?.setWeight;
    if (weight !== undefined) return weight;
  }
  return 0;
};

/** The weight that is wanted: all of it when the steps are done, nothing when the version was given up. */
export const wantedWeight = (canary: RolloutCanary, progress: Progress): number => {
  const full = fullWeight(canary);
  if (progress.stable === '' || progress.stable === progress.current) return full;
  if (progress.aborted) return 0;
  const steps = canary.steps ?? [];
  return progress.promoteFull || progress.index >= steps.length ? full : weightAt(canary, progress.index);
};

/** How much of what the step at hand wants is there: the two kinds of canary count differently. */
export interface CanaryScene {
  readonly isScaled: boolean;
  readonly scale: string;
  readonly isWeighted: boolean;
}

const promoted = (progress: Progress, steps: number): Progress => ({
  ...withoutPauses(progress),
  stable: progress.current,
  index: steps,
  promoteFull: false,
  aborted: false,
  abortedAt: undefined,
  abortMessage: '',
});

/** Enough pods of the wanted version to carry everything. */
const carriesAll = ({ spec, replicas, versions: { current } }: Observed): boolean =>
  current !== undefined &&
  current.wanted >= replicas &&
  current.available >= enoughOf(spec.strategy?.canary ?? {}, replicas);

const promotion = (observed: Observed, progress: Progress, steps: number): Advance | undefined => {
  const { peers, isHeld } = observed;
  if (!carriesAll(observed)) return undefined;
  if (progress.stable === '')
    return { progress: promoted(progress, steps), because: 'the first version is available' };
  if (!isUpdating(progress) || progress.aborted || isHeld || isUndecided(progress)) return undefined;
  if (peers.behindAt !== undefined && !progress.promoteFull) return undefined;
  if (progress.promoteFull)
    return { progress: promoted(progress, steps), because: 'a person promoted it fully' };
  if (progress.index < steps) return undefined;
  return {
    progress: promoted(progress, steps),
    because: steps === 0 ? 'the new version is available' : `all ${String(steps)} steps are done`,
  };
};

/** An aborted version has no step; one that is the good one has done all. */
const settledIndex = (progress: Progress, steps: number): Progress => {
  if (progress.stable === progress.current) return { ...progress, index: steps };
  return progress.aborted ? { ...progress, index: 0 } : progress;
};

const stepAdvance = (
  observed: Observed,
  progress: Progress,
  at: CanaryScene & { readonly now: Instant },
): Advance => {
  const steps = stepsOf(observed.spec);
  const step = steps[progress.index];
  const rule = step === undefined ? undefined : ruleOf(step);
  if (step === undefined || rule === undefined)
    return { progress, because: `waits until all pods carry the traffic: ${at.scale}` };
  const { index } = progress;
  const run = rule.kind === 'experiment' ? observed.runs.experiment : observed.runs.step;
  const verdict = rule.judge({ ...at, step, index, progress, run });
  const place = `step ${String(index + 1)} of ${String(steps.length)} (${rule.kind})`;
  if (!verdict.done)
    return {
      progress: verdict.progress ?? progress,
      because: `${place} ${verdict.because}`,
      wakeAt: verdict.wakeAt,
    };
  const { peers } = observed;
  if (peers.behindAt !== undefined && index > peers.behindAt)
    return { progress, because: `${place} is done; waits for ${peers.behind ?? 'its release'}` };
  return {
    progress: { ...withoutPauses(progress), index: index + 1 },
    because: `${place}: ${verdict.because}`,
  };
};

export const advanceCanary = (observed: Observed, scene: CanaryScene, now: Instant): Advance => {
  const steps = stepsOf(observed.spec).length;
  let progress = settledIndex(judged(observed, now), steps);
  if (observed.isFastRollback && isUpdating(progress) && !progress.aborted)
    progress = { ...withoutPauses(progress), index: steps };
  const complete = promotion(observed, progress, steps);
  if (complete !== undefined) return complete;
  if (progress.aborted) return { progress, because: `is aborted: ${progress.abortMessage}` };
  if (progress.stable === '') return { progress, because: `brings the first version up: ${scene.scale}` };
  if (!isUpdating(progress)) return { progress, because: 'runs the wanted version' };
  if (observed.isHeld) return { progress, because: 'is held by a person' };
  if (isUndecided(progress))
    return { progress, because: 'waits for a person: an analysis came to no verdict' };
  if (progress.promoteFull) return { progress, because: `is promoted fully: ${scene.scale}` };
  return stepAdvance(observed, progress, { ...scene, now });
};

/** What is measured now: along with the steps, and by the step at hand. */
export const canaryRuns = ({ spec, isFastRollback }: Observed, progress: Progress): readonly WantedRun[] => {
  const canary = spec.strategy?.canary ?? {};
  if (!isUpdating(progress) || progress.aborted || progress.promoteFull || isFastRollback) return [];
  const steps = canary.steps ?? [];
  const { index } = progress;
  const runs: WantedRun[] = [];
  if (canary.analysis !== undefined && index >= (canary.analysis.startingStep ?? 0))
    runs.push({ kind: 'background', analysis: canary.analysis });
  const step = steps[index];
  const own = step === undefined ? undefined : ruleOf(step)?.run?.({ step, index });
  return own === undefined ? runs : [...runs, own];
};
