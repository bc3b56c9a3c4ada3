// The whole status of a rollout after a step.
import { toTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import { actual, available, ready, sum } from '../../reconcile/replica-sets.js';
import type {
  ReplicaSet,
  Rollout,
  RolloutRunStatus,
  RolloutStatus,
} from '../../resources/generated/types.js';
import { formatRequirements, requirementsOf } from '../../resources/label-selector.js';
import { fullWeight, isTrafficRouted, stepsOf } from '../../resources/rollouts/strategy-of.js';
import type { Progress, RolloutStep, RunKind, Runs } from '../strategies/strategy.js';
import { isUpdating } from '../strategies/strategy.js';
import { hashOf } from '../versions.js';
import { conditionsOf } from './conditions.js';
import { phaseOf } from './phase.js';
import { progressStatus } from './progress.js';
import { servicesOf } from '../strategies/routed-canary.js';
import { unavailableOf } from './restart.js';
import type { Source, Workload } from './template.js';
import { stepHash } from './template.js';

export interface StatusInput {
  readonly rollout: Rollout;
  readonly workload: Workload | undefined;
  readonly source: Source;
  readonly sets: readonly ReplicaSet[];
  readonly step: RolloutStep;
  readonly runs: Runs;
  /** Names of the runs that count from now on. */
  readonly names: { readonly [K in RunKind]?: string };
  readonly isNew: boolean;
  readonly set: string | undefined;
  readonly created: boolean;
  readonly revision: number;
  readonly collisionCount: number | undefined;
  readonly restartedAt: string | undefined;
  readonly invalid: string | undefined;
  readonly failure: string | undefined;
  readonly now: Instant;
}

const counts = ({ sets, step, source }: StatusInput): RolloutStatus => {
  const updated = sets.find((set) => hashOf(set) === step.progress.current);
  const replicas = sum(sets, actual);
  return {
    replicas,
    updatedReplicas: updated === undefined ? 0 : actual(updated),
    readyReplicas: sum(sets, ready),
    availableReplicas: sum(sets, available),
    HPAReplicas: replicas,
    selector: formatRequirements(requirementsOf(source.selector)),
  };
};

const runStatus = (
  kind: RunKind,
  { names, runs, isNew, rollout, step }: StatusInput,
): RolloutRunStatus | undefined => {
  const name = names[kind];
  const run = runs[kind];
  if (name !== undefined)
    return run?.name === name
      ? { name, status: run.phase, message: run.message }
      : { name, status: 'Pending', message: '' };
  // What led to an abort stays to be seen until something new begins.
  if (isNew || !step.progress.aborted || run === undefined) return undefined;
  return rollout.status === undefined
    ? undefined
    : { name: run.name, status: run.phase, message: run.message };
};

const defined = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

const canaryStatus = (input: StatusInput): RolloutStatus['canary'] => {
  const canary = input.rollout.spec.strategy?.canary;
  if (canary === undefined) return undefined;
  const { progress } = input.step;
  const full = fullWeight(canary);
  const weight = isUpdating(progress) ? progress.weight : 0;
  const names = servicesOf(canary);
  return defined({
    currentStepAnalysisRunStatus: runStatus('step', input),
    currentBackgroundAnalysisRunStatus: runStatus('background', input),
    currentExperiment: runStatus('experiment', input)?.name,
    weights: isTrafficRouted(canary)
      ? {
          canary: { weight, podTemplateHash: progress.current, serviceName: names.canary },
          stable: { weight: full - weight, podTemplateHash: progress.stable, serviceName: names.stable },
        }
      : undefined,
  });
};

const blueGreenStatus = (input: StatusInput): RolloutStatus['blueGreen'] => {
  const { strategy } = input.rollout.spec;
  if (strategy?.blueGreen === undefined) return undefined;
  const { progress } = input.step;
  return defined({
    previewSelector: progress.current,
    activeSelector: progress.active === '' ? undefined : progress.active,
    scaleUpPreviewCheckPoint: progress.scaledUp ? true : undefined,
    prePromotionAnalysisRunStatus: runStatus('prePromotion', input),
    postPromotionAnalysisRunStatus: runStatus('postPromotion', input),
  });
};

const stepStartedAt = (
  { rollout, step, now }: StatusInput,
  old: Progress['index'] | undefined,
): string | undefined => {
  if (!isUpdating(step.progress)) return undefined;
  const known = rollout.status?.stepStartedAt;
  return known !== undefined &&
    old === step.progress.index &&
    rollout.status?.currentPodHash === step.progress.current
    ? known
    : toTimestamp(now);
};

export const leastOf = ({ spec }: Rollout): number => Math.max(0, (spec.replicas ?? 1) - unavailableOf(spec));

/** Undefined when the status stands as it should. */
export const rolloutStatus = (input: StatusInput): RolloutStatus | undefined => {
  const { rollout, workload, step, isNew, now } = input;
  const { progress } = step;
  const old = rollout.status ?? {};
  const base: RolloutStatus = defined({
    ...counts(input),
    ...progressStatus(progress, stepsOf(rollout.spec).length),
    currentStepHash: stepHash(rollout),
    collisionCount: input.collisionCount,
    observedGeneration: String(rollout.metadata.generation ?? 0),
    workloadObservedGeneration:
      workload === undefined ? undefined : String(workload.metadata.generation ?? 0),
    canary: canaryStatus(input),
    blueGreen: blueGreenStatus(input),
    restartedAt: input.restartedAt,
    held: old.held === true && !isNew && isUpdating(progress) ? true : undefined,
    stepStartedAt: stepStartedAt(input, old.currentStepIndex),
    because: step.because,
  });
  const { set, created, revision, invalid, failure } = input;
  const conditions = conditionsOf({
    rollout,
    status: base,
    progress,
    set,
    created,
    revision,
    invalid,
    failure,
    least: leastOf(rollout),
    now,
  });
  const status: RolloutStatus = { ...base, conditions };
  const { phase, message } = phaseOf(rollout.spec, status);
  const next: RolloutStatus = { ...status, phase, message };
  return equal(old, next) ? undefined : next;
};
