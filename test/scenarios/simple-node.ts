// A node without an engine: it heartbeats, and its pods become ready after a while and end when they are deleted.
import type { Clock } from '../../src/base/clock.js';
import { toMicroTimestamp, toTimestamp } from '../../src/base/clock.js';
import { hasCode } from '../../src/base/errors.js';
import type { Cluster } from '../../src/client/cluster.js';
import { conditionOf, withCondition } from '../../src/resources/conditions.js';
import type { Lease, Pod } from '../../src/resources/generated/types.js';
import { leases } from '../../src/resources/kinds/leases.js';
import { nodes } from '../../src/resources/kinds/nodes.js';
import { pods } from '../../src/resources/kinds/pods.js';
import { isDeleting, nameOf } from '../../src/resources/resource.js';
import type { Draft } from '../../src/resources/resource.js';

export interface SimpleNodeOptions {
  readonly name: string;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly index: number;
  /** Milliseconds from the assignment to readiness. */
  readonly startMs: (pod: Pod) => number;
  /** Milliseconds from the deletion to the end. */
  readonly stopMs: number;
  /** Pods that never become ready. */
  readonly broken: (pod: Pod) => boolean;
}

const capacity = { cpu: '8', memory: '16Gi', pods: '110' };

export const runSimpleNode = async (options: SimpleNodeOptions, signal: AbortSignal): Promise<void> => {
  const { name, cluster, clock } = options;
  const running = new Map<string, number>();
  let next = 1;

  const tolerant = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!hasCode(error, 'ServiceUnavailable', 'Conflict', 'NotFound', 'AlreadyExists')) throw error;
    }
  };

  const report = async (): Promise<void> => {
    const present = await cluster.get(nodes, { name }).catch((error: unknown) => {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    });
    const node =
      present ??
      (await cluster.create(nodes, {
        metadata: { name, labels: { 'kubernetes.io/hostname': name } },
        spec: {},
      }));
    if (conditionOf(node.status?.conditions, 'Ready')?.status === 'True') return;
    await cluster.updateStatus(nodes, {
      ...node,
      status: {
        ...node.status,
        capacity,
        allocatable: capacity,
        conditions: withCondition(
          node.status?.conditions,
          { type: 'Ready', status: 'True', reason: 'KubeletReady', message: '' },
          clock.now(),
        ),
      },
    });
  };

  const heartbeat = async (): Promise<void> => {
    const key = { name, namespace: 'kube-node-lease' };
    const spec = {
      holderIdentity: name,
      leaseDurationSeconds: 6,
      renewTime: toMicroTimestamp(clock.now()),
    };
    try {
      const lease = await cluster.get(leases, key);
      await cluster.update(leases, { ...lease, spec: { ...lease.spec, ...spec } });
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error;
      const draft: Draft<Lease> = { metadata: key, spec };
      await cluster.create(leases, draft);
    }
  };

  const sync = async (): Promise<void> => {
    const { items } = await cluster.list(pods, { fieldSelector: `spec.nodeName=${name}` });
    const now = clock.now();
    for (const pod of items) {
      const { uid } = pod.metadata;
      if (isDeleting(pod)) {
        const since = running.get(`${uid} stopping`) ?? now;
        running.set(`${uid} stopping`, since);
        if (now - since >= options.stopMs)
          await tolerant(() =>
            cluster.delete(pods, nameOf(pod), { gracePeriodSeconds: 0, preconditions: { uid } }),
          );
        continue;
      }
      const since = running.get(uid) ?? now;
      running.set(uid, since);
      const ready = now - since >= options.startMs(pod) && !options.broken(pod);
      const shown = conditionOf(pod.status?.conditions, 'Ready')?.status;
      if (shown === (ready ? 'True' : 'False')) continue;
      const address = pod.status?.podIP ?? `10.244.${String(options.index)}.${String((next += 1) % 250)}`;
      await tolerant(() =>
        cluster.updateStatus(pods, {
          ...pod,
          status: {
            ...pod.status,
            phase: 'Running',
            podIP: address,
            startTime: pod.status?.startTime ?? toTimestamp(now),
            conditions: withCondition(
              pod.status?.conditions,
              { type: 'Ready', status: ready ? 'True' : 'False' },
              now,
            ),
          },
        }),
      );
    }
  };

  let beat = 0;
  while (!signal.aborted) {
    if (beat % 8 === 0) {
      await tolerant(report);
      await tolerant(heartbeat);
    }
    beat += 1;
    await tolerant(sync);
    await clock.sleep(250, signal).catch(() => undefined);
  }
};
