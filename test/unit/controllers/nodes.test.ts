import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/base/manual-clock.js';
import { HeartbeatLog } from '../../../src/controllers/nodes/heartbeats.js';
import { subnet, subnetsOf } from '../../../src/controllers/nodes/node-ipam.js';
import { createNodeLifecycleController } from '../../../src/controllers/nodes/node-lifecycle.js';
import type { NodeObserved } from '../../../src/controllers/nodes/node-lifecycle.js';
import { taintEvictionController } from '../../../src/controllers/nodes/taint-eviction.js';
import type { Lease, Node, Taint } from '../../../src/resources/generated/types.js';
import { leases } from '../../../src/resources/kinds/leases.js';
import { at, node, now, pod } from './objects.js';

const graceMs = 6000;
const controller = createNodeLifecycleController({
  heartbeats: { seen: () => undefined, newest: undefined },
  graceMs,
});

const decide = (subject: Node, extra: Partial<NodeObserved> = {}) =>
  controller.reconcile(
    { node: subject, heartbeat: now, newest: now, otherNodes: 2, readyPods: [], ...extra },
    now,
  );

const taintsIn = (decision: ReturnType<typeof decide>): readonly Taint[] | undefined => {
  const patch = decision.actions.find(({ type }) => type === 'patch');
  if (patch?.type !== 'patch' || patch.patch.type !== 'merge') return undefined;
  return (patch.patch.patch as { spec: { taints: readonly Taint[] } }).spec.taints;
};

const unknown = node('n1', {}, { ready: 'Unknown' });
const silentFor = (ms: number) => ({ heartbeat: now - ms });

describe('a node', () => {
  it('that reports ready is looked at again when its grace would be over', () => {
    expect(decide(node('n1'))).toMatchObject({ actions: [], wakeAt: now + graceMs });
  });

  it('that is silent first becomes Unknown', () => {
    const { actions } = decide(node('n1'), silentFor(6000));
    expect(actions[0]).toMatchObject({
      type: 'updateStatus',
      object: { status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }] } },
    });
  });

  it('that is Unknown is tainted from when it fell silent, and its pods are not ready any more', () => {
    const decision = decide(unknown, { ...silentFor(7000), readyPods: [pod('a')] });
    expect(taintsIn(decision)).toEqual([
      { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: at(-7) },
    ]);
    expect(decision.actions[1]).toMatchObject({
      type: 'updateStatus',
      object: { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'NodeNotReady' }] } },
    });
  });

  it('is not evicted from while every node is silent, and says so', () => {
    const waiting = decide(node('n1'), { ...silentFor(7000), newest: now - 7000 });
    expect(waiting.actions).toEqual([]);
    expect(waiting.because).toContain('this master itself is the likelier cause');
    const held = decide(unknown, { ...silentFor(60_000), newest: now - 60_000, readyPods: [pod('a')] });
    expect(taintsIn(held)).toEqual([{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' }]);
    expect(held.because).toContain('eviction is held, since every node is silent');
  });

  it('that is not ready keeps its pods for a while: its engine may come back with them', () => {
    const failing = (seconds: number): Node => {
      const base = node('n1', {}, { ready: 'False' });
      return {
        ...base,
        status: {
          ...base.status,
          conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: at(-seconds) }],
        },
      };
    };
    expect(taintsIn(decide(failing(5)))).toEqual([
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
    ]);
    expect(taintsIn(decide(failing(31)))?.map(({ effect }) => effect)).toEqual(['NoSchedule', 'NoExecute']);
  });

  it('loses the taints of its conditions with them, and keeps those of the user', () => {
    const mine = { key: 'gpu', value: 'yes', effect: 'NoSchedule' };
    const recovered = node('n1', {
      taints: [mine, { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }],
    });
    expect(taintsIn(decide(recovered))).toEqual([mine]);
    expect(taintsIn(decide(node('n1', { unschedulable: true })))).toEqual([
      { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
    ]);
  });
});

describe('heartbeats', () => {
  const lease = (name: string, renewTime: string): Lease => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name,
      namespace: 'kube-node-lease',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: at(0),
    },
    spec: { renewTime },
  });

  it('count by the time at which they arrive, whatever the node takes for the time', () => {
    const clock = new ManualClock(1000);
    const log = new HeartbeatLog(clock, graceMs);
    log.note({
      kind: leases,
      type: 'added',
      object: lease('n1', '1999-01-01T00:00:00Z'),
      previous: undefined,
    });
    expect(log.seen('n1')).toBe(1000);
  });

  it('begin anew for everyone after a silence of all', async () => {
    const clock = new ManualClock(0);
    const log = new HeartbeatLog(clock, graceMs);
    const beat = (name: string, time: string) =>
      log.note({
        kind: leases,
        type: 'modified',
        object: lease(name, time),
        previous: lease(name, 'before'),
      });
    beat('n1', 'a');
    beat('n2', 'a');
    await clock.advance(3_600_000);
    beat('n2', 'b');
    expect(log.seen('n1')).toBe(3_600_000);
    await clock.advance(3000);
    beat('n2', 'c');
    expect(log.seen('n1')).toBe(3_600_000);
    expect(log.newest).toBe(3_603_000);
  });
});

describe('eviction', () => {
  const unreachable = (seconds: number): Taint => ({
    key: 'node.kubernetes.io/unreachable',
    effect: 'NoExecute',
    timeAdded: at(-seconds),
  });
  const evict = (subject: ReturnType<typeof pod>, taint: Taint, elsewhere = true) =>
    taintEvictionController.reconcile({ pod: subject, node: unknown, taints: [taint], elsewhere }, now);
  const tolerant = (tolerationSeconds?: number) =>
    pod('a', {
      spec: {
        tolerations: [
          {
            key: 'node.kubernetes.io/unreachable',
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds,
          },
        ],
      },
    });

  it('takes pods at once that do not tolerate the taint', () => {
    expect(evict(pod('a'), unreachable(0)).actions[0]).toMatchObject({ type: 'delete', name: { name: 'a' } });
  });

  it('waits as long as the pod tolerates it, counted from the taint', () => {
    expect(evict(tolerant(5), unreachable(2))).toMatchObject({ actions: [], wakeAt: now + 3000 });
    expect(evict(tolerant(5), unreachable(6)).actions).toHaveLength(2);
    const forever = evict(tolerant(), unreachable(600));
    expect([forever.actions, forever.wakeAt]).toEqual([[], undefined]);
  });

  it('leaves pods where they are when no other node could take them, unless the user says so', () => {
    expect(evict(pod('a'), unreachable(60), false).actions).toEqual([]);
    expect(evict(pod('a'), { key: 'mine', effect: 'NoExecute' }, false).actions).toHaveLength(2);
  });

  it('removes what a dead node cannot confirm, after its grace and never with an identity of its own', () => {
    const going = (seconds: number, kind = 'ReplicaSet') => {
      const base = pod('a', { deleting: true });
      return {
        ...base,
        metadata: {
          ...base.metadata,
          deletionTimestamp: at(seconds),
          ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'x', uid: 'x', controller: true }],
        },
      };
    };
    expect(evict(going(20), unreachable(0))).toMatchObject({ actions: [], wakeAt: now + 20_000 });
    expect(evict(going(-1), unreachable(0)).actions[0]).toMatchObject({
      type: 'delete',
      options: { gracePeriodSeconds: 0 },
    });
    expect(evict(going(-1, 'StatefulSet'), unreachable(0)).actions).toEqual([]);
  });
});

describe('subnets', () => {
  it('are the parts of the pod network', () => {
    const subnets = subnetsOf('10.244.0.0/16');
    expect(subnets.count).toBe(256);
    expect([0, 1, 255].map((index) => subnet(subnets, index))).toEqual([
      '10.244.0.0/24',
      '10.244.1.0/24',
      '10.244.255.0/24',
    ]);
    expect(subnet(subnetsOf('192.168.77.0/24'), 0)).toBe('192.168.77.0/24');
  });

  it.each(['10.244.0.0', '10.244.0.0/25', 'fd00::/48', '10.244.0.300/16', ''])(
    'refuses %j as a pod network',
    (cidr) => {
      expect(() => subnetsOf(cidr)).toThrow('the pod network');
    },
  );
});
