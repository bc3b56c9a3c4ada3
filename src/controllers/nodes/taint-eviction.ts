// Pods that do not tolerate a NoExecute taint of their node leave it, at once or when their toleration is over.
import { fromTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { podsByNode } from '../../client/indexes.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import { isConditionTrue } from '../../resources/conditions.js';
import type { Node, Pod, Taint } from '../../resources/generated/types.js';
import { nodes } from '../../resources/kinds/nodes.js';
import { pods } from '../../resources/kinds/pods.js';
import { isPodTerminated } from '../../resources/pod-status.js';
import { controllerOf, isDeleting, nameOf } from '../../resources/resource.js';
import { tolerates } from '../../resources/tolerations.js';
import { notReady, unreachable } from './node-taints.js';

export interface EvictionObserved {
  readonly pod: Pod;
  readonly node: Node;
  /** NoExecute taints of the node. */
  readonly taints: readonly Taint[];
  /** Another node could take the pod. */
  readonly elsewhere: boolean;
}

const isOurs = ({ key }: Taint): boolean => key === unreachable || key === notReady;

const noExecute = ({ spec }: Node): readonly Taint[] =>
  (spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute');

const isReady = ({ spec, status }: Node): boolean =>
  spec.unschedulable !== true && isConditionTrue(status?.conditions, 'Ready');

const observe = (view: View, key: Key): EvictionObserved | undefined => {
  const pod = view.get(pods, key);
  if (pod?.spec.nodeName === undefined || isPodTerminated(pod)) return undefined;
  const node = view.get(nodes, { name: pod.spec.nodeName });
  const taints = node === undefined ? [] : noExecute(node);
  if (node === undefined || taints.length === 0) return undefined;
  const elsewhere = view.list(nodes).some((other) => other !== node && isReady(other));
  return { pod, node, taints, elsewhere };
};

/** When the pod has to leave because of this taint; undefined: never. */
const leavesAt = (pod: Pod, taint: Taint, now: Instant): Instant | undefined => {
  const added = fromTimestamp(taint.timeAdded) ?? now;
  const tolerations = (pod.spec.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
  if (tolerations.length === 0) return now;
  const limits = tolerations.flatMap(({ tolerationSeconds }) =>
    tolerationSeconds === undefined ? [] : [tolerationSeconds],
  );
  return limits.length === 0 ? undefined : added + Math.max(0, Math.min(...limits)) * 1000;
};

const event = (pod: Pod, message: string): ClusterAction => ({
  type: 'event',
  event: { regarding: pod, type: 'Normal', reason: 'TaintManagerEviction', message },
});

const remove = (pod: Pod, force: boolean): ClusterAction => ({
  type: 'delete',
  kind: pods,
  name: nameOf(pod),
  options: {
    preconditions: { uid: pod.metadata.uid },
    ...(force ? { gracePeriodSeconds: 0 } : {}),
  },
});

/** Pods that have an identity of their own must never run twice: only their node may say that they are gone. */
const isReplaceable = (pod: Pod): boolean => controllerOf(pod)?.kind !== 'StatefulSet';

/**
 * A dead node cannot confirm that a pod ended. Once the pod's grace is over, its object goes without it; should the node
 * come back, its agent stops what no longer exists.
 */
const unconfirmed = ({ pod, taints }: EvictionObserved, now: Instant): Decision<ClusterAction> => {
  const end = fromTimestamp(pod.metadata.deletionTimestamp) ?? now;
  if (!taints.some(({ key }) => key === unreachable) || !isReplaceable(pod))
    return { actions: [], because: 'it is being deleted; its node confirms when it has ended' };
  if (now < end)
    return { actions: [], because: 'it is being deleted on a node that does not answer', wakeAt: end };
  return {
    actions: [remove(pod, true)],
    because: 'its node does not answer and its grace period is over: the object is removed',
  };
};

const reconcile = (observed: EvictionObserved, now: Instant): Decision<ClusterAction> => {
  const { pod, taints, elsewhere } = observed;
  if (isDeleting(pod)) return unconfirmed(observed, now);
  let first: { readonly at: Instant; readonly taint: Taint } | undefined;
  let held = false;
  for (const taint of taints) {
    if (isOurs(taint) && !elsewhere) {
      held ||= leavesAt(pod, taint, now) !== undefined;
      continue;
    }
    const at = leavesAt(pod, taint, now);
    if (at !== undefined && (first === undefined || at < first.at)) first = { at, taint };
  }
  if (first === undefined)
    return {
      actions: [],
      because: held
        ? 'its node is in trouble, but no other node could take it'
        : 'it tolerates every taint of its node',
    };
  const { key } = first.taint;
  if (first.at > now)
    return { actions: [], because: `it tolerates ${key} for a while yet`, wakeAt: first.at };
  return {
    actions: [
      remove(pod, false),
      event(pod, `Marking for deletion Pod ${pod.metadata.namespace ?? ''}/${pod.metadata.name}`),
    ],
    because: `its node has the taint ${key}:NoExecute, which it does not tolerate`,
  };
};

const onNode = (view: View, node: string): readonly Key[] => view.lookup(podsByNode, node).map(nameOf);

const isTainted = (view: View, node: string | undefined): boolean => {
  const found = node === undefined ? undefined : view.get(nodes, { name: node });
  return found !== undefined && noExecute(found).length > 0;
};

/** Another node that became ready may take what could not leave before. */
const freed = (view: View): readonly Key[] =>
  view
    .list(nodes)
    .filter((node) => noExecute(node).length > 0)
    .flatMap(({ metadata }) => onNode(view, metadata.name));

export const taintEvictionController: Controller<EvictionObserved, ClusterAction> = {
  name: 'taint-eviction',
  watches: [
    {
      kind: pods,
      keys: ({ object }, view) => (isTainted(view, (object as Pod).spec.nodeName) ? [nameOf(object)] : []),
    },
    {
      kind: nodes,
      keys: ({ object, previous }, view) => {
        const node = object as Node;
        const before = previous as Node | undefined;
        const keys = noExecute(node).length > 0 || (before !== undefined && noExecute(before).length > 0);
        const turnedReady = isReady(node) && (before === undefined || !isReady(before));
        return [...(keys ? onNode(view, node.metadata.name) : []), ...(turnedReady ? freed(view) : [])];
      },
    },
  ],
  indexes: [podsByNode],
  observe,
  reconcile,
};
