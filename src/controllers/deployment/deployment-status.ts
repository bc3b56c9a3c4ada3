// What a Deployment says of itself; reasons and sentences are Kubernetes', so that kubectl's rollout commands read them.
// Follows `pkg/controller/deployment/progress.go` and `util/deployment_util.go`.
import { fromTimestamp, toTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import type { Failure } from '../../reconcile/controller.js';
import { conditionOf, withoutCondition } from '../../resources/conditions.js';
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from '../../resources/generated/types.js';
import { actual, available, ready, specified, sum } from '../../reconcile/replica-sets.js';
import type { Bounds } from './bounds.js';
import type { Sets } from './revisions.js';

type Conditions = readonly DeploymentCondition[];
type Draft = Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>;

export interface StatusInput {
  readonly deployment: Deployment;
  readonly sets: Sets;
  readonly bounds: Bounds;
  readonly now: Instant;
  readonly failure: Failure | undefined;
  /** A ReplicaSet that is created in this turn: the rollout begins anew. */
  readonly created: string | undefined;
  /** Hash collisions met so far. */
  readonly collisionCount: number | undefined;
}

export interface StatusOutcome {
  /** Undefined when the status stands as it should. */
  readonly status: DeploymentStatus | undefined;
  /** When the progress deadline is over, while it runs. */
  readonly deadline: Instant | undefined;
}

/** No deadline is an `int32` at its bound, as Kubernetes has it. */
const noDeadline = 2_147_483_647;

const deadlineSeconds = ({ spec }: Deployment): number | undefined => {
  const seconds = spec.progressDeadlineSeconds ?? 600;
  return seconds === noDeadline ? undefined : seconds;
};

/** Same status and reason: nothing new, and the message stays. `restart` moves the transition time in any case. */
const withSet = (conditions: Conditions, draft: Draft, now: Instant): Conditions => {
  const previous = conditionOf(conditions, draft.type);
  if (previous?.status === draft.status && previous.reason === draft.reason) return conditions;
  const stamp = toTimestamp(now);
  const next: DeploymentCondition = {
    ...draft,
    lastUpdateTime: stamp,
    lastTransitionTime: previous?.status === draft.status ? (previous.lastTransitionTime ?? stamp) : stamp,
  };
  return [...withoutCondition(conditions, draft.type), next];
};

const availability = ({ bounds, sets }: StatusInput): Draft => {
  const least = bounds.wanted - bounds.unavailable;
  return sum(allOf(sets), available) >= least
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
};

const allOf = ({ current, old }: Sets): readonly ReplicaSet[] =>
  current === undefined ? old : [...old, current];

const counts = ({ deployment, sets, collisionCount }: StatusInput): DeploymentStatus => {
  const all = allOf(sets);
  const availableReplicas = sum(all, available);
  return {
    observedGeneration: deployment.metadata.generation,
    replicas: sum(all, actual),
    updatedReplicas: sets.current === undefined ? 0 : actual(sets.current),
    readyReplicas: sum(all, ready),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(all, specified) - availableReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  };
};

const isComplete = (wanted: number, status: DeploymentStatus): boolean =>
  status.updatedReplicas === wanted && status.replicas === wanted && status.availableReplicas === wanted;

const hasProgressed = (old: DeploymentStatus | undefined, next: DeploymentStatus): boolean => {
  const before = { replicas: 0, updated: 0, ready: 0, available: 0 };
  before.replicas = old?.replicas ?? 0;
  before.updated = old?.updatedReplicas ?? 0;
  before.ready = old?.readyReplicas ?? 0;
  before.available = old?.availableReplicas ?? 0;
  const updated = next.updatedReplicas ?? 0;
  return (
    updated > before.updated ||
    (next.replicas ?? 0) - updated < before.replicas - before.updated ||
    (next.readyReplicas ?? 0) > before.ready ||
    (next.availableReplicas ?? 0) > before.available
  );
};

const timedOutAt = (
  deployment: Deployment,
  condition: DeploymentCondition | undefined,
): Instant | undefined => {
  const seconds = deadlineSeconds(deployment);
  const from = fromTimestamp(condition?.lastUpdateTime);
  return seconds === undefined || from === undefined ? undefined : from + seconds * 1000;
};

const completeReason = 'NewReplicaSetAvailable';
const timedOutReason = 'ProgressDeadlineExceeded';

/** The sentence names the ReplicaSet where there is one. */
const subject = ({ deployment, sets, created }: StatusInput): string => {
  const set = created ?? sets.current?.metadata.name;
  return set === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${set}"`;
};

const restarted = (conditions: Conditions, draft: Draft, now: Instant): Conditions => {
  const previous = conditionOf(conditions, draft.type);
  const stamp = toTimestamp(now);
  const transition = previous?.status === draft.status ? (previous.lastTransitionTime ?? stamp) : stamp;
  return [
    ...withoutCondition(conditions, draft.type),
    { ...draft, lastUpdateTime: stamp, lastTransitionTime: transition },
  ];
};

/** Progressing, with the time of the last progress in it: that is what the deadline counts from. */
const withProgress = (input: StatusInput, conditions: Conditions, next: DeploymentStatus): Conditions => {
  const { deployment, bounds, now, created, sets } = input;
  const type = 'Progressing';
  const present = conditionOf(conditions, type);
  if (created !== undefined)
    return restarted(
      conditions,
      {
        type,
        status: 'True',
        reason: 'NewReplicaSetCreated',
        message: `Created new replica set "${created}"`,
      },
      now,
    );
  const settled = next.replicas === next.updatedReplicas && present?.reason === completeReason;
  if (settled) return conditions;
  if (isComplete(bounds.wanted, next))
    return withSet(
      conditions,
      {
        type,
        status: 'True',
        reason: completeReason,
        message: `${subject(input)} has successfully progressed.`,
      },
      now,
    );
  if (hasProgressed(deployment.status, next))
    return restarted(
      conditions,
      { type, status: 'True', reason: 'ReplicaSetUpdated', message: `${subject(input)} is progressing.` },
      now,
    );
  if (present === undefined && sets.current !== undefined)
    return withSet(
      conditions,
      {
        type,
        status: 'True',
        reason: 'FoundNewReplicaSet',
        message: `Found new replica set "${sets.current.metadata.name}"`,
      },
      now,
    );
  const end = timedOutAt(deployment, present);
  if (present?.reason === completeReason || end === undefined || end >= now) return conditions;
  return withSet(
    conditions,
    {
      type,
      status: 'False',
      reason: timedOutReason,
      message: `${subject(input)} has timed out progressing.`,
    },
    now,
  );
};

/** A paused rollout has no deadline: what was counted begins again when it is resumed. */
const withPause = ({ deployment, now }: StatusInput, conditions: Conditions): Conditions => {
  const type = 'Progressing';
  const present = conditionOf(conditions, type);
  if (present?.reason === timedOutReason) return conditions;
  const paused = present?.reason === 'DeploymentPaused';
  if (deployment.spec.paused === true && !paused)
    return withSet(
      conditions,
      { type, status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' },
      now,
    );
  if (deployment.spec.paused !== true && paused)
    return withSet(
      conditions,
      { type, status: 'Unknown', reason: 'DeploymentResumed', message: 'Deployment is resumed' },
      now,
    );
  return conditions;
};

const withFailure = ({ sets, failure, now }: StatusInput, conditions: Conditions): Conditions => {
  const type = 'ReplicaFailure';
  const all = sets.current === undefined ? sets.old : [sets.current, ...sets.old];
  const told = all
    .map((set) => conditionOf(set.status?.conditions, type))
    .find((condition) => condition?.status === 'True');
  if (told !== undefined)
    return withSet(conditions, { type, status: 'True', reason: told.reason, message: told.message }, now);
  if (failure !== undefined && sets.current === undefined)
    return withSet(
      conditions,
      { type, status: 'True', reason: 'ReplicaSetCreateError', message: failure.message },
      now,
    );
  return withoutCondition(conditions, type);
};

export const deploymentStatus = (input: StatusInput): StatusOutcome => {
  const { deployment, now } = input;
  const next = counts(input);
  let conditions: Conditions = deployment.status?.conditions ?? [];
  conditions = withSet(conditions, availability(input), now);
  if (deadlineSeconds(deployment) === undefined) conditions = withoutCondition(conditions, 'Progressing');
  else {
    conditions = withPause(input, conditions);
    if (deployment.spec.paused !== true) conditions = withProgress(input, conditions, next);
  }
  conditions = withFailure(input, conditions);
  const status: DeploymentStatus = { ...next, conditions };
  const progressing = conditionOf(conditions, 'Progressing');
  const runs =
    deployment.spec.paused !== true &&
    progressing?.reason !== completeReason &&
    progressing?.reason !== timedOutReason;
  // One second past the deadline: timestamps have whole seconds.
  const end = runs ? timedOutAt(deployment, progressing) : undefined;
  return {
    status: isSame(deployment.status, status) ? undefined : status,
    deadline: end === undefined ? undefined : Math.max(end + 1000, now + 1000),
  };
};

const isSame = (old: DeploymentStatus | undefined, next: DeploymentStatus): boolean =>
  old !== undefined &&
  old.observedGeneration === next.observedGeneration &&
  (
    ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas'] as const
  ).every((name) => (old[name] ?? 0) === (next[name] ?? 0)) &&
  old.collisionCount === next.collisionCount &&
  equal(old.conditions ?? [], next.conditions ?? []);
