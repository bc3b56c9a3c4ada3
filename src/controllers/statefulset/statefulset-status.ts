// What a StatefulSet says of its pods; `kubectl rollout status` reads it.
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import type { Pod, StatefulSet, StatefulSetStatus } from '../../resources/generated/types.js';
import { isPodAvailable, isPodReady, phaseOf, podAvailableAt } from '../../resources/pod-status.js';
import { isDeleting } from '../../resources/resource.js';
import { revisionOf } from './ordinals.js';
import type { Revisions } from './ordinals.js';

export interface StatusInput {
  readonly set: StatefulSet;
  /** All that it manages. */
  readonly pods: readonly Pod[];
  readonly revisions: Pick<Revisions, 'current' | 'update'>;
  readonly collisionCount: number | undefined;
  readonly now: Instant;
}

/** An update is complete when every pod has it and is ready: then it is the current revision. */
const completed = ({ spec }: StatefulSet, status: StatefulSetStatus): StatefulSetStatus =>
  (spec.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate' &&
  status.updatedReplicas === status.replicas &&
  status.readyReplicas === status.replicas &&
  status.replicas === (spec.replicas ?? 1)
    ? { ...status, currentReplicas: status.updatedReplicas, currentRevision: status.updateRevision }
    : status;

/** Undefined when the status stands as it should. */
export const statefulSetStatus = (input: StatusInput): StatefulSetStatus | undefined => {
  const { set, pods, revisions, collisionCount, now } = input;
  const { metadata, spec, status } = set;
  const ready = pods.filter((pod) => phaseOf(pod) === 'Running' && isPodReady(pod));
  const staying = pods.filter((pod) => !isDeleting(pod));
  const next = completed(set, {
    replicas: pods.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, spec.minReadySeconds ?? 0, now)).length,
    currentReplicas: staying.filter((pod) => revisionOf(pod) === revisions.current).length,
    updatedReplicas: staying.filter((pod) => revisionOf(pod) === revisions.update).length,
    currentRevision: revisions.current,
    updateRevision: revisions.update,
    observedGeneration: metadata.generation,
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(status?.conditions === undefined ? {} : { conditions: status.conditions }),
  });
  return equal(status, next) ? undefined : next;
};

/** When the next ready pod becomes available by age alone. */
export const nextAvailableAt = (
  { spec }: StatefulSet,
  pods: readonly Pod[],
  now: Instant,
): Instant | undefined => {
  const times = pods
    .map((pod) => podAvailableAt(pod, spec.minReadySeconds))
    .filter((at) => at !== undefined && at > now) as Instant[];
  return times.length === 0 ? undefined : Math.min(...times);
};
