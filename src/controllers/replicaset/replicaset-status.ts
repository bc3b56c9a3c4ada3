// What a ReplicaSet says of its pods.
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import type { Failure } from '../../reconcile/controller.js';
import { conditionOf, withCondition, withoutCondition } from '../../resources/conditions.js';
import type { Pod, ReplicaSet, ReplicaSetStatus } from '../../resources/generated/types.js';
import { isPodReady, podAvailableAt } from '../../resources/pod-status.js';

export interface StatusInput {
  readonly replicaSet: ReplicaSet;
  /** Neither terminated nor being deleted. */
  readonly active: readonly Pod[];
  readonly now: Instant;
  readonly failure: Failure | undefined;
}

const carries = (pod: Pod, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(labels).every(([name, value]) => pod.metadata.labels?.[name] === value);

/** Undefined when the status stands as it should. */
export const replicaSetStatus = (input: StatusInput): ReplicaSetStatus | undefined => {
  const { replicaSet, active, now, failure } = input;
  const { spec, status, metadata } = replicaSet;
  const labels = spec.template?.metadata?.labels ?? {};
  const missing = active.length < (spec.replicas ?? 1);
  const surplus = active.length > (spec.replicas ?? 1);
  const failed = failure !== undefined && (missing || surplus);
  const conditions = failed
    ? withCondition(
        status?.conditions,
        {
          type: 'ReplicaFailure',
          status: 'True',
          reason: missing ? 'FailedCreate' : 'FailedDelete',
          message: failure.message,
        },
        now,
      )
    : withoutCondition(status?.conditions, 'ReplicaFailure');
  const available = active.filter((pod) => (podAvailableAt(pod, spec.minReadySeconds) ?? Infinity) <= now);
  const next: ReplicaSetStatus = {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => carries(pod, labels)).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: available.length,
    observedGeneration: metadata.generation,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
  return isSame(status, next) ? undefined : next;
};

/** Counts of zero may be written as absent. */
const isSame = (old: ReplicaSetStatus | undefined, next: ReplicaSetStatus): boolean =>
  old !== undefined &&
  old.replicas === next.replicas &&
  (old.fullyLabeledReplicas ?? 0) === next.fullyLabeledReplicas &&
  (old.readyReplicas ?? 0) === next.readyReplicas &&
  (old.availableReplicas ?? 0) === next.availableReplicas &&
  old.observedGeneration === next.observedGeneration &&
  equal(old.conditions ?? [], next.conditions ?? []);

/** When the next ready pod becomes available by age alone. */
export const nextAvailableAt = (
  active: readonly Pod[],
  minReadySeconds: number,
  now: Instant,
): Instant | undefined => {
  let next: Instant | undefined;
  for (const pod of active) {
    const at = podAvailableAt(pod, minReadySeconds);
    if (at !== undefined && at > now && (next === undefined || at < next)) next = at;
  }
  return next;
};

/** The failure that the status tells of already, so that its event is not repeated with every retry. */
export const toldFailure = ({ status }: ReplicaSet): string | undefined =>
  conditionOf(status?.conditions, 'ReplicaFailure')?.message;
