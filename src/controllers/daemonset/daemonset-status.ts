// What a DaemonSet says of its pods; `kubectl rollout status` reads it.
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import type { DaemonSet, DaemonSetStatus, Pod } from '../../resources/generated/types.js';
import { isPodAvailable, isPodReady, podAvailableAt } from '../../resources/pod-status.js';
import { revisionHashLabel } from '../controller-revisions.js';
import { oldestFirst } from './node-pods.js';
import type { NodePods } from './node-pods.js';

export interface StatusInput {
  readonly daemonSet: DaemonSet;
  readonly nodes: readonly NodePods[];
  readonly hash: string;
  readonly collisionCount: number | undefined;
  readonly now: Instant;
}

const firstPods = (nodes: readonly NodePods[]): readonly Pod[] =>
  nodes.flatMap(({ starts, pods }) => (starts ? oldestFirst(pods).slice(0, 1) : []));

/** Undefined when the status stands as it should. */
export const daemonSetStatus = (input: StatusInput): DaemonSetStatus | undefined => {
  const { daemonSet, nodes, hash, collisionCount, now } = input;
  const { spec, status, metadata } = daemonSet;
  const desired = nodes.filter(({ starts }) => starts).length;
  const first = firstPods(nodes);
  const available = first.filter((pod) => isPodAvailable(pod, spec.minReadySeconds ?? 0, now)).length;
  const next: DaemonSetStatus = {
    currentNumberScheduled: first.length,
    numberMisscheduled: nodes.filter(({ starts, pods }) => !starts && pods.length > 0).length,
    desiredNumberScheduled: desired,
    numberReady: first.filter(isPodReady).length,
    observedGeneration: metadata.generation,
    updatedNumberScheduled: first.filter((pod) => pod.metadata.labels?.[revisionHashLabel] === hash).length,
    numberAvailable: available,
    numberUnavailable: desired - available,
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(status?.conditions === undefined ? {} : { conditions: status.conditions }),
  };
  return equal(status, next) ? undefined : next;
};

/** When the next ready pod becomes available by age alone. */
export const nextAvailableAt = (
  nodes: readonly NodePods[],
  minReadySeconds: number,
  now: Instant,
): Instant | undefined => {
  let next: Instant | undefined;
  for (const { pods } of nodes)
    for (const pod of pods) {
      const at = podAvailableAt(pod, minReadySeconds);
      if (at !== undefined && at > now && (next === undefined || at < next)) next = at;
    }
  return next;
};
