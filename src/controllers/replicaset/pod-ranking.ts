// Which pods go first when a ReplicaSet has too many. Follows `controller_utils.go` ActivePodsWithRanks.
import { fromTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { conditionOf } from '../../resources/conditions.js';
import type { Pod } from '../../resources/generated/types.js';
import { isPodReady, phaseOf, podRestarts } from '../../resources/pod-status.js';

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1 };

const deletionCost = (pod: Pod): number =>
  Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0) || 0;

const readySince = (pod: Pod): Instant =>
  fromTimestamp(conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime) ?? 0;

const createdAt = (pod: Pod): Instant => fromTimestamp(pod.metadata.creationTimestamp) ?? 0;

const assigned = (pod: Pod): number => (pod.spec.nodeName === undefined || pod.spec.nodeName === '' ? 0 : 1);

const ready = (pod: Pod): number => (isPodReady(pod) ? 1 : 0);

/** The smaller value goes first; the first criterion that differs decides. */
const criteria = (podsOnNode: ReadonlyMap<string, number>): readonly ((pod: Pod) => number | string)[] => [
  assigned,
  (pod) => phaseRank[phaseOf(pod)] ?? 2,
  ready,
  deletionCost,
  (pod) => -(podsOnNode.get(pod.spec.nodeName ?? '') ?? 0),
  (pod) => (isPodReady(pod) ? -readySince(pod) : 0),
  (pod) => -podRestarts(pod),
  (pod) => -createdAt(pod),
  (pod) => pod.metadata.name,
];

/** `podsOnNode`: how many pods of the same application each node runs; doubled-up ones go first. */
export const rankForDeletion = (
  pods: readonly Pod[],
  podsOnNode: ReadonlyMap<string, number>,
): readonly Pod[] => {
  const order = criteria(podsOnNode);
  return [...pods].sort((a, b) => {
    for (const criterion of order) {
      const left = criterion(a);
      const right = criterion(b);
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  });
};
