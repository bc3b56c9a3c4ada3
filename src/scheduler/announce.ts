// What the scheduler says in the cluster about pods that do not fit, as actions.
import { toTimestamp, type Instant } from '../base/clock.js';
import { conditionOf } from '../resources/conditions.js';
import type { PersistentVolumeClaim, Pod } from '../resources/generated/types.js';
import { persistentvolumeclaims } from '../resources/kinds/persistentvolumeclaims.js';
import { pods } from '../resources/kinds/pods.js';
import { nameOf } from '../resources/resource.js';
import { selectedNode } from '../resources/storage/binding.js';
import type { ClusterAction } from '../reconcile/cluster-action.js';

const statusPatch = (pod: Pod, status: object): ClusterAction => ({
  type: 'patch',
  kind: pods,
  name: nameOf(pod),
  patch: { type: 'strategic', patch: { metadata: { uid: pod.metadata.uid }, status } },
  subresource: 'status',
});

export interface Unschedulable {
  readonly message: string;
  /** The node that is being made free for it. */
  readonly nominated?: string | undefined;
}

/** Nothing when the pod says so already. */
export const unschedulableActions = (
  pod: Pod,
  { message, nominated }: Unschedulable,
  now: Instant,
): readonly ClusterAction[] => {
  const present = conditionOf(pod.status?.conditions, 'PodScheduled');
  const isNamed = nominated === undefined || pod.status?.nominatedNodeName === nominated;
  if (present?.status === 'False' && present.message === message && isNamed) return [];
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message,
    lastTransitionTime: present?.status === 'False' ? present.lastTransitionTime : toTimestamp(now),
  };
  return [
    statusPatch(pod, {
      conditions: [condition],
      ...(nominated === undefined ? {} : { nominatedNodeName: nominated }),
    }),
    { type: 'event', event: { regarding: pod, type: 'Warning', reason: 'FailedScheduling', message } },
  ];
};

/** The victim learns why, and goes with its own grace. */
export const preemptionActions = (victim: Pod, by: Pod, now: Instant): readonly ClusterAction[] => {
  const message = `Preempted by pod ${by.metadata.namespace ?? ''}/${by.metadata.name} of priority ${String(by.spec.priority ?? 0)}`;
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message,
    lastTransitionTime: toTimestamp(now),
  };
  return [
    statusPatch(victim, { conditions: [condition] }),
    {
      type: 'delete',
      kind: pods,
      name: nameOf(victim),
      options: { preconditions: { uid: victim.metadata.uid } },
    },
    { type: 'event', event: { regarding: victim, type: 'Normal', reason: 'Preempted', message } },
  ];
};

/** Tells whoever makes or binds the claim's volume from which node it must be reached. */
export const selectNodeAction = (claim: PersistentVolumeClaim, node: string): ClusterAction => ({
  type: 'patch',
  kind: persistentvolumeclaims,
  name: nameOf(claim),
  patch: {
    type: 'merge',
    patch: { metadata: { uid: claim.metadata.uid, annotations: { [selectedNode]: node } } },
  },
});
