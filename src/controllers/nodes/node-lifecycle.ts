// Node health: a node whose Lease falls silent becomes Unknown and is tainted, so that its pods are replaced elsewhere.
import { fromTimestamp, toTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { podsByNode } from '../../client/indexes.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import { conditionOf, isConditionTrue, withCondition } from '../../resources/conditions.js';
import type { Node, NodeCondition, Pod } from '../../resources/generated/types.js';
import { leases } from '../../resources/kinds/leases.js';
import { nodes } from '../../resources/kinds/nodes.js';
import { pods } from '../../resources/kinds/pods.js';
import { nameOf } from '../../resources/resource.js';
import { leaseNamespace } from './heartbeats.js';
import type { Heartbeats } from './heartbeats.js';
import { nodeTaints } from './node-taints.js';

export interface NodeLifecycleOptions {
  readonly heartbeats: Heartbeats;
  /** Silence after which a node is Unknown. */
  readonly graceMs: number;
}

/** Agents renew their Lease every 2 s: of three heartbeats one may be lost and one may be late. */
export const defaultGraceMs = 6000;

export interface NodeObserved {
  readonly node: Node;
  /** When it last gave a sign of life; its creation when it never did. */
  readonly heartbeat: Instant;
  /** The newest sign of life of any node. */
  readonly newest: Instant;
  readonly otherNodes: number;
  /** Pods on it that are Ready. */
  readonly readyPods: readonly Pod[];
}

/** Statuses that only the agent can know, and does not tell any more. */
const reported = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

const silentReason = 'NodeStatusUnknown';

const silenced = (node: Node, now: Instant): readonly NodeCondition[] =>
  reported.reduce<readonly NodeCondition[]>((conditions, type) => {
    const previous = conditionOf(conditions, type);
    if (previous === undefined && type !== 'Ready') return conditions;
    return withCondition(
      conditions,
      {
        type,
        status: 'Unknown',
        reason: silentReason,
        message: 'Kubelet stopped posting node status.',
        lastHeartbeatTime: previous?.lastHeartbeatTime ?? toTimestamp(now),
      },
      now,
    );
  }, node.status?.conditions ?? []);

const isUnknown = (node: Node): boolean =>
  conditionOf(node.status?.conditions, 'Ready')?.status === 'Unknown';

const unready = (pod: Pod, now: Instant): ClusterAction => {
  const object: Pod = {
    ...pod,
    status: {
      ...pod.status,
      conditions: withCondition(
        pod.status?.conditions,
        {
          type: 'Ready',
          status: 'False',
          reason: 'NodeNotReady',
          message: 'The node stopped reporting.',
        },
        now,
      ),
    },
  };
  return { type: 'updateStatus', kind: pods, object };
};

const event = (regarding: Node, reason: string, message: string): ClusterAction => ({
  type: 'event',
  event: { regarding, type: reason === 'NodeReady' ? 'Normal' : 'Warning', reason, message },
});

const tainted = (input: Parameters<typeof nodeTaints>[0]): readonly ClusterAction[] => {
  const taints = nodeTaints(input);
  if (taints === undefined) return [];
  const { name, resourceVersion, uid } = input.node.metadata;
  const patch = { metadata: { uid, resourceVersion }, spec: { taints } };
  return [{ type: 'patch', kind: nodes, name: { name }, patch: { type: 'merge', patch } }];
};

/** An engine that is down usually comes back with its containers: only after this are its pods replaced. */
const notReadyPatienceMs = 30_000;

const alive = (observed: NodeObserved, now: Instant, grace: number): Decision<ClusterAction> => {
  const { node, heartbeat } = observed;
  const condition = conditionOf(node.status?.conditions, 'Ready');
  const ready = condition?.status;
  const patience = (fromTimestamp(condition?.lastTransitionTime) ?? now) + notReadyPatienceMs;
  const hold = ready === 'False' && now < patience;
  return {
    // A node that answers again but has not said how it is stays Unknown, as tainted as it is, until it does.
    actions: ready === 'Unknown' ? [] : tainted({ node, ready, hold, since: now }),
    because:
      ready === 'True'
        ? 'it renews its lease and reports ready'
        : ready === 'Unknown'
          ? 'it renews its lease again; its status is awaited'
          : 'it renews its lease and reports that it is not ready',
    wakeAt: hold ? Math.min(patience, heartbeat + grace) : heartbeat + grace,
  };
};

const seconds = (ms: number): string => `${String(Math.round(ms / 1000))} s`;

const silent = (observed: NodeObserved, now: Instant, grace: number): Decision<ClusterAction> => {
  const { node, heartbeat, newest, otherNodes, readyPods } = observed;
  const because = `no heartbeat for ${seconds(now - heartbeat)}`;
  const allSilent = now - newest >= grace;
  // When every node falls silent together, this process itself slept, or its clock jumped, or it lost its network.
  if (allSilent && now - newest < 2 * grace)
    return {
      actions: [],
      because: `${because}, nor from any other node: waits, since then this master itself is the likelier cause`,
      wakeAt: newest + 2 * grace,
    };
  if (!isUnknown(node)) {
    const object: Node = { ...node, status: { ...node.status, conditions: silenced(node, now) } };
    return {
      actions: [
        { type: 'updateStatus', kind: nodes, object },
        event(node, 'NodeNotReady', `Node ${node.metadata.name} status is now: NodeNotReady`),
      ],
      because: `${because}: it counts as unreachable`,
    };
  }
  const held = allSilent
    ? otherNodes === 0
      ? '; its pods stay, since there is no other node'
      : '; eviction is held, since every node is silent'
    : '';
  return {
    actions: [
      ...tainted({ node, ready: 'Unknown', hold: allSilent, since: heartbeat }),
      ...(allSilent ? [] : readyPods.map((pod) => unready(pod, now))),
    ],
    because: `${because}: it is unreachable${held}`,
    wakeAt: allSilent ? now + grace : undefined,
  };
};

export const createNodeLifecycleController = ({
  heartbeats,
  graceMs,
}: NodeLifecycleOptions): Controller<NodeObserved, ClusterAction> => {
  const heartbeatOf = ({ metadata }: Node): Instant =>
    heartbeats.seen(metadata.name) ?? Date.parse(metadata.creationTimestamp);
  const observe = (view: View, { name }: Key): NodeObserved | undefined => {
    const node = view.get(nodes, { name });
    if (node === undefined) return undefined;
    const heartbeat = heartbeatOf(node);
    return {
      node,
      heartbeat,
      newest: Math.max(heartbeat, heartbeats.newest ?? 0),
      otherNodes: view.list(nodes).length - 1,
      readyPods: isUnknown(node)
        ? view.lookup(podsByNode, name).filter((pod) => isConditionTrue(pod.status?.conditions, 'Ready'))
        : [],
    };
  };
  return {
    name: 'node-lifecycle',
    watches: [
      { kind: nodes, keys: ({ object }) => [nameOf(object)] },
      {
        kind: leases,
        // A heartbeat matters at once only where silence was noticed; else the timer finds it.
        keys: ({ object: { metadata } }, view) => {
          if (metadata.namespace !== leaseNamespace) return [];
          const node = view.get(nodes, { name: metadata.name });
          return node !== undefined && isUnknown(node) ? [{ name: metadata.name }] : [];
        },
      },
    ],
    indexes: [podsByNode],
    observe,
    reconcile: (observed, now) =>
      now - observed.heartbeat < graceMs ? alive(observed, now, graceMs) : silent(observed, now, graceMs),
  };
};
