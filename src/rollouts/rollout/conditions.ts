// Conditions of a rollout in Argo Rollouts' words (utils/conditions/conditions.go).
import { fromTimestamp, toTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { conditionOf, withoutCondition } from '../../resources/conditions.js';
import type { Rollout, RolloutCondition, RolloutStatus } from '../../resources/generated/types.js';
import { isUpdating } from '../strategies/strategy.js';
import type { Progress } from '../strategies/strategy.js';

type Conditions = readonly RolloutCondition[];
type Draft = Pick<RolloutCondition, 'type' | 'status' | 'reason' | 'message'>;

export interface ConditionInput {
  readonly rollout: Rollout;
  /** With the new counts. */
  readonly status: RolloutStatus;
  readonly progress: Progress;
  /** Name of the ReplicaSet of the wanted version. */
  readonly set: string | undefined;
  readonly created: boolean;
  readonly revision: number;
  /** What is wrong with the spec as things are, such as a service that is not there. */
  readonly invalid: string | undefined;
  readonly failure: string | undefined;
  /** Pods that must be available. */
  readonly least: number;
  readonly now: Instant;
}

/** `touch` moves the update time of a condition that stays as it is. */
const put = (conditions: Conditions, draft: Draft, now: Instant, touch = false): Conditions => {
  const previous = conditionOf(conditions, draft.type);
  const isSame =
    previous?.status === draft.status &&
    previous.reason === draft.reason &&
    previous.message === draft.message;
  if (isSame && !touch) return conditions;
  const stamp = toTimestamp(now);
  const lastTransitionTime =
    previous?.status === draft.status ? (previous.lastTransitionTime ?? stamp) : stamp;
  const next = { ...draft, lastUpdateTime: stamp, lastTransitionTime };
  const index = conditions.findIndex(({ type }) => type === draft.type);
  return index === -1 ? [...conditions, next] : conditions.with(index, next);
};

const truth = (
  [type, reason]: readonly [string, string],
  isTrue: boolean,
  [yes, no]: readonly [string, string],
): Draft => ({ type, status: isTrue ? 'True' : 'False', reason, message: isTrue ? yes : no });

const hasProgressed = (old: RolloutStatus, next: RolloutStatus): boolean =>
  (next.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
  (next.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
  (next.availableReplicas ?? 0) > (old.availableReplicas ?? 0) ||
  (next.replicas ?? 0) - (next.updatedReplicas ?? 0) < (old.replicas ?? 0) - (old.updatedReplicas ?? 0) ||
  next.currentStepIndex !== old.currentStepIndex ||
  next.stableRS !== old.stableRS ||
  next.canary?.weights?.canary?.weight !== old.canary?.weights?.canary?.weight;

const withoutDeadline: ReadonlySet<string> = new Set([
  'NewReplicaSetAvailable',
  'RolloutAborted',
  'RolloutPaused',
  'ProgressDeadlineExceeded',
]);

/** When the deadline is over; undefined while the rollout waits for someone or is settled. */
export const deadlineOf = (rollout: Rollout): Instant | undefined => {
  const condition = conditionOf(rollout.status?.conditions, 'Progressing');
  const from = fromTimestamp(condition?.lastUpdateTime);
  if (from === undefined || withoutDeadline.has(condition?.reason ?? '')) return undefined;
  return from + (rollout.spec.progressDeadlineSeconds ?? 600) * 1000;
};

const isWaiting = ({ rollout, progress, status }: ConditionInput): boolean =>
  rollout.spec.paused === true || progress.pauses.length > 0 || status.held === true;

const abortText = ({ progress, revision }: ConditionInput): string => {
  const text = `Rollout aborted update to revision ${String(revision)}`;
  return progress.abortMessage === '' ? text : `${text}: ${progress.abortMessage}`;
};

/** Reason, status and sentence; undefined leaves the condition as it is. */
const progressDraft = (
  input: ConditionInput,
  isComplete: boolean,
): readonly [string, string, string] | undefined => {
  const { rollout, status, progress, set, created, now } = input;
  const before = conditionOf(rollout.status?.conditions, 'Progressing');
  const subject = set === undefined ? `Rollout "${rollout.metadata.name}"` : `ReplicaSet "${set}"`;
  if (progress.aborted) return ['RolloutAborted', 'False', abortText(input)];
  if (isWaiting(input)) return ['RolloutPaused', 'Unknown', 'Rollout is paused'];
  if (before?.reason === 'RolloutPaused') return ['RolloutResumed', 'Unknown', 'Rollout is resumed'];
  if (created) return ['NewReplicaSetCreated', 'True', `Created new replica set "${set ?? ''}"`];
  if (isComplete) return ['NewReplicaSetAvailable', 'True', `${subject} has successfully progressed.`];
  if (before?.reason === 'RolloutAborted') return ['RolloutRetry', 'True', 'Retrying Rollout after abort'];
  if (before === undefined || hasProgressed(rollout.status ?? {}, status))
    return ['ReplicaSetUpdated', 'True', `${subject} is progressing.`];
  const end = deadlineOf(rollout);
  return end !== undefined && end <= now
    ? ['ProgressDeadlineExceeded', 'False', `${subject} has timed out progressing.`]
    : undefined;
};

const optional = (
  conditions: Conditions,
  [type, reason]: readonly [string, string],
  message: string | undefined,
  now: Instant,
): Conditions =>
  message === undefined
    ? withoutCondition(conditions, type)
    : put(conditions, { type, status: 'True', reason, message }, now);

export const conditionsOf = (input: ConditionInput): Conditions => {
  const { rollout, status, progress, revision, least, now } = input;
  const wanted = rollout.spec.replicas ?? 1;
  const { availableReplicas = 0, updatedReplicas = 0 } = status;
  const isSettled = !isUpdating(progress) && progress.stable !== '';
  const isComplete = isSettled && availableReplicas >= wanted && updatedReplicas >= wanted;
  const completed = `Rollout completed update to revision ${String(revision)}`;
  const begun = `Rollout not completed, started update to revision ${String(revision)}`;
  const drafts = [
    truth(['Available', 'AvailableReason'], availableReplicas >= least, [
      'Rollout has minimum availability',
      'Rollout does not have minimum availability',
    ]),
    truth(['Paused', 'RolloutPaused'], isWaiting(input), ['Rollout is paused', 'Rollout is paused']),
    truth(['Healthy', 'RolloutHealthy'], isComplete, ['Rollout is healthy', 'Rollout is not healthy']),
    truth(['Completed', 'RolloutCompleted'], isSettled, [completed, begun]),
  ];
  let conditions: Conditions = rollout.status?.conditions ?? [];
  for (const draft of drafts) conditions = put(conditions, draft, now);
  const progressing = progressDraft(input, isComplete);
  if (progressing !== undefined) {
    const [reason, state, message] = progressing;
    const draft = { type: 'Progressing', status: state, reason, message };
    conditions = put(conditions, draft, now, reason === 'ReplicaSetUpdated');
  }
  conditions = optional(conditions, ['InvalidSpec', 'InvalidSpec'], input.invalid, now);
  return optional(conditions, ['ReplicaFailure', 'ReplicaSetCreateError'], input.failure, now);
};
