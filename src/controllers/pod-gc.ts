// Pods that nobody will ever clean up: those of nodes that are gone, and those that ended, beyond a bound.
import { fromTimestamp } from '../base/clock.js';
import type { Instant } from '../base/clock.js';
import { podsByNode } from '../client/indexes.js';
import type { Index } from '../client/view.js';
import type { ClusterAction } from '../reconcile/cluster-action.js';
import type { Controller, Decision } from '../reconcile/controller.js';
import type { Pod } from '../resources/generated/types.js';
import { nodes } from '../resources/kinds/nodes.js';
import { pods } from '../resources/kinds/pods.js';
import { isPodTerminated } from '../resources/pod-status.js';
import { isDeleting, nameOf } from '../resources/resource.js';
import type { GuardedAction } from './guarded-executor.js';

/** A pod may be made for a node that is just joining. */
const quarantineMs = 40_000;

const homeless = (pod: Pod, now: Instant): Decision<GuardedAction> => {
  const node = pod.spec.nodeName ?? '';
  const end = (fromTimestamp(pod.metadata.creationTimestamp) ?? 0) + quarantineMs;
  if (now < end) return { actions: [], because: `there is no node ${node} (yet)`, wakeAt: end };
  return {
    actions: [
      {
        type: 'deleteOrphan',
        target: { kind: pods, name: nameOf(pod), uid: pod.metadata.uid },
        absent: [{ kind: nodes, name: { name: node } }],
        options: { gracePeriodSeconds: 0 },
      },
    ],
    because: `its node ${node} is gone`,
  };
};

export const orphanedPodController: Controller<Pod, GuardedAction> = {
  name: 'orphaned-pods',
  watches: [
    {
      kind: pods,
      keys: ({ type, object }, view) => {
        const { nodeName } = (object as Pod).spec;
        const known = nodeName === undefined || view.get(nodes, { name: nodeName }) !== undefined;
        return type === 'deleted' || known ? [] : [nameOf(object)];
      },
    },
    {
      kind: nodes,
      keys: ({ type, object }, view) =>
        type === 'deleted' ? view.lookup(podsByNode, object.metadata.name).map(nameOf) : [],
    },
  ],
  indexes: [podsByNode],
  observe: (view, key) => {
    const pod = view.get(pods, key);
    const nodeName = pod?.spec.nodeName ?? '';
    return pod === undefined || nodeName === '' || view.get(nodes, { name: nodeName }) !== undefined
      ? undefined
      : pod;
  },
  reconcile: homeless,
};

const ended = 'ended';

const endedPods: Index<Pod> = {
  name: 'pods that ended',
  kind: pods,
  keys: (pod) => (isPodTerminated(pod) && !isDeleting(pod) ? [ended] : []),
};

/** Keeps at most `limit` pods that ended; the oldest go. */
export const createEndedPodController = (limit = 1000): Controller<readonly Pod[], ClusterAction> => ({
  name: 'ended-pods',
  watches: [
    {
      kind: pods,
      keys: ({ type, object }) =>
        type !== 'deleted' && isPodTerminated(object as Pod) ? [{ name: ended }] : [],
    },
  ],
  indexes: [endedPods],
  observe: (view) => view.lookup(endedPods, ended),
  reconcile: (all) => {
    const surplus = all.length - limit;
    if (surplus <= 0)
      return { actions: [], because: `${String(all.length)} pods ended; ${String(limit)} are kept` };
    const age = ({ metadata }: Pod): number => fromTimestamp(metadata.creationTimestamp) ?? 0;
    const oldest = [...all].sort((a, b) => age(a) - age(b)).slice(0, surplus);
    return {
      actions: oldest.map((pod) => ({
        type: 'delete',
        kind: pods,
        name: nameOf(pod),
        options: { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } },
      })),
      because: `${String(all.length)} pods ended: the oldest ${String(surplus)} go`,
    };
  },
});
