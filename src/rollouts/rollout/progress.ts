// What a rollout's status remembers, as the strategies' progress; a new template or new steps begin anew.
import { fromTimestamp, toTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import type { Rollout, RolloutStatus } from '../../resources/generated/types.js';
import { stepsOf } from '../../resources/rollouts/strategy-of.js';
import type { PauseReason, Progress } from '../strategies/strategy.js';

export interface Wanted {
  /** Hash of the template that is wanted. */
  readonly current: string;
  readonly stepHash: string;
  /** Whether the ReplicaSet that the status calls good is there. */
  readonly hasStable: boolean;
}

export interface Beginning {
  readonly progress: Progress;
  /** A new template, new steps, or another try: what was measured before does not count. */
  readonly isNew: boolean;
}

const pausesOf = (status: RolloutStatus, now: Instant): Progress['pauses'] =>
  (status.pauseConditions ?? []).map(({ reason = '', startTime }) => ({
    reason: reason as PauseReason,
    since: fromTimestamp(startTime) ?? now,
  }));

export const progressOf = (rollout: Rollout, wanted: Wanted, now: Instant): Beginning => {
  const status: RolloutStatus = rollout.status ?? {};
  const { current, stepHash, hasStable } = wanted;
  const stable = hasStable ? (status.stableRS ?? '') : '';
  const steps = stepsOf(rollout.spec).length;
  const isOther =
    (status.currentPodHash !== undefined && status.currentPodHash !== current) ||
    (status.currentStepHash !== undefined && status.currentStepHash !== stepHash);
  const kept = {
    current,
    stable,
    active: status.blueGreen?.activeSelector ?? '',
    weight: status.currentPodHash === current ? (status.canary?.weights?.canary?.weight ?? 0) : 0,
  };
  const fresh = {
    index: stable === current ? steps : 0,
    aborted: false,
    abortedAt: undefined,
    abortMessage: '',
    pauses: [],
    waits: false,
    promoteFull: false,
    scaledUp: false,
  };
  // A person takes an abort back by clearing the flag.
  const isRetried = status.abort !== true && status.abortedAt !== undefined;
  if (isOther || isRetried) return { progress: { ...kept, ...fresh }, isNew: true };
  return {
    progress: {
      ...kept,
      index: Math.min(status.currentStepIndex ?? 0, steps),
      aborted: status.abort === true,
      abortedAt: fromTimestamp(status.abortedAt),
      abortMessage: status.abortMessage ?? '',
      pauses: pausesOf(status, now),
      waits: status.controllerPause === true,
      promoteFull: status.promoteFull === true,
      scaledUp: status.blueGreen?.scaleUpPreviewCheckPoint === true,
    },
    isNew: false,
  };
};

/** The fields of the status that hold the progress. */
export const progressStatus = (progress: Progress, stepCount: number): RolloutStatus => ({
  currentPodHash: progress.current,
  stableRS: progress.stable,
  ...(stepCount === 0 ? {} : { currentStepIndex: progress.index }),
  ...(progress.aborted ? { abort: true, abortMessage: progress.abortMessage } : {}),
  ...(progress.abortedAt === undefined || !progress.aborted
    ? {}
    : { abortedAt: toTimestamp(progress.abortedAt) }),
  ...(progress.pauses.length === 0
    ? {}
    : {
        pauseConditions: progress.pauses.map(({ reason, since }) => ({
          reason,
          startTime: toTimestamp(since),
        })),
      }),
  ...(progress.waits ? { controllerPause: true } : {}),
  ...(progress.promoteFull ? { promoteFull: true } : {}),
});
