import { afterEach, describe, expect, it } from 'vitest';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import { ClusterError } from '../../../src/base/errors.js';
import { silent } from '../../../src/base/log.js';
import { createInformers } from '../../../src/client/informers.js';
import type { Cluster } from '../../../src/client/cluster.js';
import { createClusterExecutor } from '../../../src/reconcile/cluster-executor.js';
import type { EventDraft } from '../../../src/reconcile/cluster-action.js';
import { DecisionLog } from '../../../src/reconcile/decision-log.js';
import type { Pod } from '../../../src/resources/generated/types.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { createScheduler } from '../../../src/scheduler/scheduler.js';
import { setup } from '../apiserver/verbs-setup.js';
import type { PodOptions } from './objects.js';
import { node, pod } from './objects.js';

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

const start = async (wrap: (cluster: Cluster) => Cluster = (cluster) => cluster) => {
  const { registry, clock, close } = await setup();
  const cluster = createLocalCluster(registry, { user: 'test', groups: [] });
  const informers = createInformers({ cluster, kinds: [pods, nodes], clock, log: silent, random: () => 0.5 });
  const events: EventDraft[] = [];
  const recorder = { record: (event: EventDraft) => void events.push(event) };
  const executor = createClusterExecutor({
    cluster: wrap(cluster),
    events: recorder,
    fieldManager: 'scheduler',
  });
  const decisions = new DecisionLog();
  const scheduler = createScheduler({ informers, executor, clock, log: silent, decisions });
  const end = new AbortController();
  const running = [informers.run(end.signal), scheduler.run(end.signal)];
  endings.push(async () => {
    end.abort();
    await Promise.all(running);
    await close();
  });
  const addNode = async (name: string, options: Parameters<typeof node>[1] = {}) => {
    const { metadata, spec, status } = node(name, options);
    const created = await cluster.create(nodes, { metadata: { name, labels: metadata.labels ?? {} }, spec });
    await cluster.updateStatus(nodes, { ...created, ...(status === undefined ? {} : { status }) });
  };
  const addPod = (name: string, options: PodOptions = {}): Promise<Pod> =>
    cluster.create(pods, { metadata: { name, namespace: 'default' }, spec: pod(name, options).spec });
  const get = (name: string) => cluster.get(pods, { name, namespace: 'default' });
  const nodeOf = async (name: string) => (await get(name)).spec.nodeName;
  return {
    cluster,
    clock,
    events,
    decisions,
    addNode,
    addPod,
    get,
    nodeOf,
    advance: (ms: number) => clock.advance(ms, settle),
  };
};

describe('the scheduler', () => {
  it('binds a pod, says so, and remembers why', async () => {
    const { addNode, addPod, nodeOf, advance, events, decisions } = await start();
    await addNode('n1');
    await addPod('a');
    await advance(10);
    expect(await nodeOf('a')).toBe('n1');
    expect(events.map(({ reason, message }) => [reason, message])).toEqual([
      ['Scheduled', 'Successfully assigned default/a to n1'],
    ]);
    const [decision] = decisions.for({ name: 'a', namespace: 'default' }, pods);
    expect(decision).toMatchObject({
      controller: 'scheduler',
      because: 'placed on n1, the best of 1 nodes that it fits',
    });
  });

  it('serves the pods that matter more first', async () => {
    const { addNode, addPod, nodeOf, advance } = await start();
    await addPod('low', { cpu: '1' });
    await addPod('high', { cpu: '1', spec: { priorityClassName: 'system-cluster-critical' } });
    await advance(10);
    await addNode('n1', { cpu: '1' });
    await advance(10);
    expect([await nodeOf('high'), await nodeOf('low')]).toEqual(['n1', undefined]);
  });

  it('places what waited as soon as a pod leaves or a node grows', async () => {
    const { cluster, addNode, addPod, nodeOf, advance, clock } = await start();
    await addNode('n1', { cpu: '1' });
    await addPod('a', { cpu: '1' });
    await advance(10);
    await addPod('b', { cpu: '1' });
    await advance(10);
    expect(await nodeOf('b')).toBeUndefined();
    const before = clock.now();
    await cluster.delete(pods, { name: 'a', namespace: 'default' }, { gracePeriodSeconds: 0 });
    await advance(1);
    expect(await nodeOf('b')).toBe('n1');
    expect(clock.now() - before).toBe(1);
    await addPod('c', { cpu: '1' });
    await advance(10);
    const grown = await cluster.get(nodes, { name: 'n1' });
    await cluster.updateStatus(nodes, {
      ...grown,
      status: { ...grown.status, allocatable: { cpu: '2', memory: '8Gi', pods: '10' } },
    });
    await advance(1);
    expect(await nodeOf('c')).toBe('n1');
  });

  it('tries again when a binding fails, and does not count the pod meanwhile', async () => {
    let failures = 3;
    const { addNode, addPod, nodeOf, advance } = await start((cluster) => ({
      ...cluster,
      bind: (name, to) => {
        if (name.name !== 'a' || failures === 0) return cluster.bind(name, to);
        failures -= 1;
        return Promise.reject(new ClusterError('ServiceUnavailable', 'try later'));
      },
    }));
    await addNode('n1', { pods: '1' });
    await addPod('a');
    await advance(5000);
    expect(failures).toBe(0);
    expect(await nodeOf('a')).toBe('n1');
  });

  it('preempts: victims learn why, the pod is nominated, and goes there when they have gone', async () => {
    const { cluster, addNode, addPod, get, nodeOf, advance, events } = await start();
    await addNode('n1', { cpu: '1' });
    await addPod('low', { cpu: '1' });
    await advance(10);
    await addPod('high', { cpu: '1', spec: { priorityClassName: 'system-cluster-critical' } });
    await advance(10);
    const low = await get('low');
    expect(low.metadata.deletionTimestamp).toBeDefined();
    expect(low.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', reason: 'PreemptionByScheduler' }),
    );
    expect((await get('high')).status?.nominatedNodeName).toBe('n1');
    expect(events.map(({ reason }) => reason)).toContain('Preempted');
    await cluster.delete(pods, { name: 'low', namespace: 'default' }, { gracePeriodSeconds: 0 });
    await advance(10);
    expect(await nodeOf('high')).toBe('n1');
  });

  it('tells pods apart by a label once somebody asks about it, those that run included', async () => {
    const { cluster, addNode, addPod, nodeOf, advance } = await start();
    await addNode('n1', { labels: { zone: 'a' } });
    await addNode('n2', { labels: { zone: 'b' } });
    const label = async (name: string, app: string) => {
      await addPod(name, { cpu: '100m' });
      await cluster.patch(
        pods,
        { name, namespace: 'default' },
        { type: 'merge', patch: { metadata: { labels: { app } } } },
      );
    };
    await label('db', 'db');
    await label('web', 'web');
    await advance(10);
    const away = { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: 'zone' };
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [away] } };
    for (const name of ['x', 'y']) await addPod(name, { spec: { affinity } });
    await advance(10);
    const other = (await nodeOf('db')) === 'n1' ? 'n2' : 'n1';
    expect([await nodeOf('x'), await nodeOf('y')]).toEqual([other, other]);
  });

  it('leaves pods alone that are gated, of another scheduler, or bound already', async () => {
    const { addNode, addPod, get, advance, events } = await start();
    await addNode('n1');
    await addPod('gated', { spec: { schedulingGates: [{ name: 'wait' }] } });
    await addPod('other', { spec: { schedulerName: 'mine' } });
    await addPod('bound', { spec: { nodeName: 'n9' } });
    await advance(1000);
    expect([(await get('gated')).spec.nodeName, (await get('other')).spec.nodeName]).toEqual([
      undefined,
      undefined,
    ]);
    expect(events).toEqual([]);
  });

  it('tells each waiting pod why, once, however often it is looked at', async () => {
    const { addNode, addPod, get, advance, events } = await start();
    await addNode('n1', { cpu: '1' });
    for (const name of ['a', 'b', 'c']) await addPod(name, { cpu: '2' });
    await advance(100);
    for (let index = 2; index < 8; index += 1) {
      await addNode(`n${String(index)}`, { cpu: '1' });
      await advance(1000);
    }
    expect(events.filter(({ reason }) => reason === 'FailedScheduling')).toHaveLength(3);
    expect((await get('a')).status?.conditions?.[0]).toMatchObject({
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/1 nodes are available: 1 Insufficient cpu (needs 2, 1 free at most).',
    });
  });
});
