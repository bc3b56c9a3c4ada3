import { afterEach, describe, expect, it } from 'vitest';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import { silent } from '../../../src/base/log.js';
import { createEventRecorder } from '../../../src/reconcile/event-recorder.js';
import type { ConfigMap } from '../../../src/resources/generated/types.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { events } from '../../../src/resources/kinds/events.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { setup } from '../apiserver/verbs-setup.js';

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

const start = async () => {
  const { registry, clock, close } = await setup();
  const cluster = createLocalCluster(registry, { user: 'test', groups: [] });
  const run = () => {
    const recorder = createEventRecorder({ cluster, clock, log: silent, component: 'tester' });
    const end = new AbortController();
    const done = recorder.run(end.signal);
    endings.unshift(async () => {
      end.abort();
      await done;
    });
    return recorder;
  };
  endings.push(close);
  const regarding: ConfigMap = await cluster.create(configmaps, {
    metadata: { name: 'a', namespace: 'default' },
  });
  const list = async (namespace = 'default') => (await cluster.list(events, { namespace })).items;
  return { cluster, clock, run, regarding, list, advance: (ms: number) => clock.advance(ms, settle) };
};

describe('the event recorder', () => {
  it('writes an event beside the object that it is about', async () => {
    const { run, regarding, list } = await start();
    run().record({ regarding, type: 'Normal', reason: 'Scaled', message: 'scaled up' });
    await settle();
    expect(await list()).toMatchObject([
      {
        involvedObject: { kind: 'ConfigMap', name: 'a', namespace: 'default', uid: regarding.metadata.uid },
        reason: 'Scaled',
        message: 'scaled up',
        type: 'Normal',
        count: 1,
        source: { component: 'tester' },
        firstTimestamp: '2026-01-01T00:00:00Z',
      },
    ]);
  });

  it('counts repeats on one event, also after a restart', async () => {
    const { run, regarding, list, advance } = await start();
    const draft = { regarding, type: 'Warning', reason: 'BackOff', message: 'back-off' } as const;
    const first = run();
    first.record(draft);
    await advance(5000);
    first.record(draft);
    await advance(5000);
    run().record(draft);
    await settle();
    expect(await list()).toMatchObject([
      { count: 3, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:10Z' },
    ]);
  });

  it('begins anew when the event has expired meanwhile', async () => {
    const { run, regarding, list, cluster, advance } = await start();
    const recorder = run();
    const draft = { regarding, type: 'Warning', reason: 'BackOff', message: 'back-off' } as const;
    recorder.record(draft);
    await advance(1000);
    const [written] = await list();
    await cluster.delete(events, { name: written!.metadata.name, namespace: 'default' });
    recorder.record(draft);
    await settle();
    expect(await list()).toMatchObject([{ count: 1 }]);
  });

  it('puts what is about cluster-wide objects in the default namespace', async () => {
    const { run, list, cluster } = await start();
    const regarding = await cluster.create(nodes, { metadata: { name: 'n1' }, spec: {} });
    run().record({ regarding, type: 'Normal', reason: 'Joined', message: 'welcome' });
    await settle();
    expect(await list()).toMatchObject([{ involvedObject: { kind: 'Node', name: 'n1' } }]);
  });

  it('lets nobody flood the cluster with different sentences about one object', async () => {
    const { run, regarding, list, advance } = await start();
    const recorder = run();
    for (let index = 0; index < 500; index += 1)
      recorder.record({ regarding, type: 'Normal', reason: 'Noise', message: String(index) });
    await settle();
    expect(await list()).toHaveLength(25);
    await advance(300_000);
    recorder.record({ regarding, type: 'Normal', reason: 'Noise', message: 'later' });
    await settle();
    expect((await list()).map(({ message }) => message)).toContain('later');
  });
});
