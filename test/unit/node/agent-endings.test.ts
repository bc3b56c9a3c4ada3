// What an agent does when things end: pods, sandboxes, itself, its engine.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from '../../../src/resources/generated/types.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { condition } from './agent-harness.js';
import { hollow, openHollowNode, web } from './hollow-node.js';
import type { HollowNode } from './hollow-node.js';

describe.each(['view', 'remote'] as const)('an agent with a %s source', (source) => {
  let engine: HollowNode['engine'];
  let node: HollowNode['node'];
  let advance: HollowNode['advance'];
  let status: HollowNode['status'];
  let first: HollowNode['first'];

  beforeEach(async () => {
    ({ engine, node, advance, status, first } = await openHollowNode(source));
  });
  afterEach(() => node.close());

  it('stops a deleted pod with its grace, then its object goes and its address is free', async () => {
    await node.createPod(
      'web',
      { containers: [web], terminationGracePeriodSeconds: 10 },
      { annotations: hollow('stop-delay', '3s') },
    );
    await advance(100);
    await node.deletePod('web');
    await advance(2000);
    expect(condition(await node.pod('web'), 'Ready')).toBe('False');
    await advance(1500);
    expect(await node.podOrNothing('web')).toBeUndefined();
    expect(engine.containers).toHaveLength(0);
    expect(node.messages('web')).toContain('Stopping container web');
  });

  it('kills what does not stop in time', async () => {
    await node.createPod('web', { containers: [web] }, { annotations: hollow('stop-delay', '100s') });
    await advance(100);
    await node.deletePod('web');
    await advance(1900);
    expect(await node.podOrNothing('web')).toBeDefined();
    await advance(300);
    expect(await node.podOrNothing('web')).toBeUndefined();
  });

  it('runs preStop before it stops a container, within the grace', async () => {
    await node.createPod('web', {
      terminationGracePeriodSeconds: 10,
      containers: [{ ...web, lifecycle: { preStop: { sleep: { seconds: 4 } } } }],
    });
    await advance(100);
    await node.deletePod('web');
    await advance(3900);
    expect(engine.containers.some(({ fact }) => fact.state === 'running')).toBe(true);
    await advance(300);
    expect(await node.podOrNothing('web')).toBeUndefined();
  });

  it('removes what runs of a pod whose object vanished', async () => {
    await node.createPod('web', { containers: [web] });
    await advance(100);
    await node.deletePod('web', 0);
    await advance(2500);
    expect(engine.containers).toHaveLength(0);
  });

  it('adopts what runs after its own restart, and restarts nothing', async () => {
    await node.createPod('web', {
      containers: [{ ...web, readinessProbe: { tcpSocket: { port: 80 } } }],
    });
    await advance(100);
    const before = await node.pod('web');
    const ids = engine.containers.map(({ fact }) => fact.id);
    await node.stopAgent();
    node.startAgent();
    await advance(5000);
    expect(engine.containers.map(({ fact }) => fact.id)).toEqual(ids);
    expect((await node.pod('web')).status).toEqual(before.status);
  });

  it('ends what was deleted while it was away', async () => {
    await node.createPod('web', { containers: [web] });
    await node.createPod('other', { containers: [web] });
    await advance(100);
    await node.stopAgent();
    await node.deletePod('web', 0);
    node.startAgent();
    await advance(3000);
    expect(new Set(engine.containers.map(({ spec }) => spec.labels['dev.capstan.pod-name']))).toEqual(
      new Set(['other']),
    );
  });

  it('never gives an address twice, also after a restart', async () => {
    for (const name of ['a', 'b']) await node.createPod(name, { containers: [web] });
    await advance(100);
    await node.stopAgent();
    node.startAgent();
    await advance(100);
    for (const name of ['c', 'd']) await node.createPod(name, { containers: [web] });
    await advance(100);
    const addresses = await Promise.all(['a', 'b', 'c', 'd'].map(async (name) => (await status(name)).podIP));
    expect(new Set(addresses).size).toBe(4);
  });

  it('makes a new sandbox when the old one dies, and starts the containers in it', async () => {
    await node.createPod('web', { containers: [web] });
    await advance(100);
    const sandbox = engine.containers.find(({ spec }) => spec.labels['dev.capstan.kind'] === 'sandbox')!;
    sandbox.end(137);
    await advance(200);
    expect(await first('web')).toMatchObject({ restartCount: 1, ready: true });
    expect((await status('web')).podIP).not.toBe(sandbox.spec.labels['dev.capstan.address']);
    expect(
      engine.containers.filter(({ spec }) => spec.labels['dev.capstan.kind'] === 'sandbox'),
    ).toHaveLength(1);
  });

  it('keeps the last end of a container for its log and removes those before', async () => {
    await node.createPod('web', { containers: [web] }, { annotations: hollow('crash-after', '1s') });
    await advance(120_000);
    expect((await first('web')).restartCount).toBeGreaterThan(2);
    expect(
      engine.containers.filter(({ spec }) => spec.labels['dev.capstan.container'] === 'web').length,
    ).toBeLessThanOrEqual(2);
  });

  it('waits while the engine is away, says so on the node, and goes on', async () => {
    await node.createPod('web', { containers: [web] });
    await advance(100);
    engine.switchOff();
    await advance(2500);
    const ready = async () =>
      (await node.cluster.get(nodes, { name: 'n1' })).status?.conditions?.find(
        ({ type }) => type === 'Ready',
      );
    expect(await ready()).toMatchObject({ status: 'False', reason: 'KubeletNotReady' });
    for (const { fact } of engine.containers)
      if (fact.labels['dev.capstan.container'] === 'web') engine.container(fact.id).end(1);
    await node.createPod('second', { containers: [web] });
    await advance(2000);
    engine.switchOn();
    await advance(2500);
    expect((await ready())?.status).toBe('True');
    expect(await first('web')).toMatchObject({ restartCount: 1, ready: true });
    expect((await status('second')).phase).toBe('Running');
  });

  it('ends a pod at its activeDeadlineSeconds', async () => {
    await node.createPod('web', { activeDeadlineSeconds: 5, containers: [web] });
    await advance(7000);
    expect(await status('web')).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
    expect(engine.containers.filter(({ fact }) => fact.state === 'running')).toHaveLength(0);
  });

  it('uses the address of the node for a pod in its network, without a sandbox', async () => {
    await node.createPod('web', { hostNetwork: true, containers: [web] });
    await advance(100);
    expect((await status('web')).podIP).toBe('192.0.2.10');
    expect(engine.containers.map(({ spec }) => spec.network.type)).toEqual(['host']);
  });

  it('restarts a container whose image was changed', async () => {
    await node.createPod('web', { containers: [web] });
    await advance(100);
    const pod: Pod = await node.pod('web');
    await node.cluster.patch(
      pods,
      { name: 'web', namespace: 'default' },
      { type: 'strategic', patch: { spec: { containers: [{ name: 'web', image: 'web:2' }] } } },
    );
    await advance(3000);
    expect(pod.spec.containers[0]?.image).toBe('web:1');
    expect(await first('web')).toMatchObject({ image: 'web:2', restartCount: 1, ready: true });
    expect(node.messages('web')).toContain('Container web definition changed, will be restarted');
  });
});
