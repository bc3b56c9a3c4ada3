import { afterEach, describe, expect, it } from 'vitest';
import { silent } from '../../../src/base/log.js';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import { createInformers } from '../../../src/client/informers.js';
import { retryDelay } from '../../../src/client/informer.js';
import type { Informers } from '../../../src/client/informers.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { seeds } from '../../contract/random.js';
import { withFaults } from '../../scenarios/faults.js';
import type { FaultOptions } from '../../scenarios/faults.js';
import { randomFrom } from '../../scenarios/simulation.js';
import { setup } from '../apiserver/verbs-setup.js';

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

const start = async (faults: Omit<FaultOptions, 'clock' | 'random'> = {}, seed = 1, history?: number) => {
  const { registry, store, clock, close } = await setup(
    history === undefined ? {} : { store: { history: { changes: history } } },
  );
  const direct = createLocalCluster(registry, { user: 'test', groups: [] });
  const random = randomFrom(seed);
  const cluster = withFaults(direct, { ...faults, clock, random });
  const end = new AbortController();
  const running: Promise<void>[] = [];
  const inform = (options: Partial<Parameters<typeof createInformers>[0]> = {}): Informers => {
    const informers = createInformers({
      cluster,
      kinds: [configmaps],
      clock,
      log: silent,
      random,
      ...options,
    });
    running.push(informers.run(end.signal));
    return informers;
  };
  endings.push(async () => {
    end.abort();
    await Promise.all(running);
    await close();
  });
  const create = (name: string) =>
    direct.create(configmaps, { metadata: { name, namespace: 'default' }, data: { version: '0' } });
  return {
    cluster,
    direct,
    store,
    clock,
    inform,
    create,
    signal: end.signal,
    advance: (ms: number) => clock.advance(ms, settle),
  };
};

describe('informers', () => {
  it('are ready when everything has been listed, and show what comes after', async () => {
    const { inform, create, signal } = await start();
    await create('before');
    const informers = inform();
    await informers.ready(signal);
    expect(informers.view.list(configmaps, 'default')).toHaveLength(1);
    await create('after');
    await settle();
    expect(informers.view.get(configmaps, { name: 'after', namespace: 'default' })).toBeDefined();
  });

  it('share objects with whoever wrote them', async () => {
    const { inform, create, direct } = await start();
    const informers = inform();
    await create('shared');
    await settle();
    const name = { name: 'shared', namespace: 'default' };
    expect(informers.view.get(configmaps, name)).toBe(await direct.get(configmaps, name));
  });

  it('tell late subscribers first what is there already', async () => {
    const { inform, create, signal } = await start();
    await create('a');
    const informers = inform();
    await informers.ready(signal);
    const seen: string[] = [];
    const stop = informers.subscribe(configmaps, ({ type, object }) =>
      seen.push(`${type} ${object.metadata.name}`),
    );
    await create('b');
    await settle();
    stop();
    await create('c');
    await settle();
    expect(seen).toEqual(['added a', 'added b']);
  });

  it('go on when a listener throws', async () => {
    const { inform, create, signal } = await start();
    const informers = inform();
    await informers.ready(signal);
    let seen = 0;
    informers.subscribe(configmaps, () => {
      throw new Error('a mistake');
    });
    informers.subscribe(configmaps, () => {
      seen += 1;
    });
    await create('a');
    await settle();
    expect(seen).toBe(1);
  });

  it('show only what the selection names', async () => {
    const { inform, direct, signal } = await start();
    const pod = (name: string) =>
      direct.create(pods, {
        metadata: { name, namespace: 'default' },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      });
    const [mine] = [await pod('mine'), await pod('other')];
    const informers = inform({ kinds: [{ of: pods, fieldSelector: 'spec.nodeName=n1' }] });
    await informers.ready(signal);
    expect(informers.view.list(pods)).toEqual([]);
    await direct.bind({ name: 'mine', namespace: 'default', uid: mine.metadata.uid }, 'n1');
    await settle();
    expect(informers.view.list(pods).map(({ metadata }) => metadata.name)).toEqual(['mine']);
  });

  it('list again when history does not reach back far enough', async () => {
    const { inform, create, cluster, direct, store, advance, signal } = await start();
    const informers = inform();
    await informers.ready(signal);
    await create('gone');
    await create('kept');
    await settle();
    const seen: string[] = [];
    informers.subscribe(configmaps, ({ type, object }) => seen.push(`${type} ${object.metadata.name}`));
    seen.length = 0;
    cluster.cut = true;
    await settle();
    await direct.delete(configmaps, { name: 'gone', namespace: 'default' });
    await create('new');
    await store.compact(store.revision);
    cluster.cut = false;
    await advance(30_000);
    expect(seen).toEqual(['deleted gone', 'added new']);
    await create('newer');
    await settle();
    expect(seen.at(-1)).toBe('added newer');
  });

  it('wait longer after each failure, up to a bound, and never exactly alike', () => {
    expect(retryDelay(1, 0)).toBe(50);
    expect(retryDelay(1, 0.999)).toBeCloseTo(100, 0);
    expect(retryDelay(5, 0)).toBe(800);
    expect(retryDelay(50, 0.999)).toBeLessThanOrEqual(10_000);
  });

  it.each(seeds([1, 2, 3, 4]))(
    'show in the end what is, and every change once and in order, whatever breaks (seed %i)',
    async (seed) => {
      const { inform, direct, clock, advance, store } = await start({ breakWatch: 0.1, lagMs: 400 }, seed);
      const random = randomFrom(seed + 1000);
      const informers = inform();
      const shown = new Map<string, string>();
      informers.subscribe(configmaps, ({ type, object, previous }) => {
        const { name, resourceVersion } = object.metadata;
        if (type === 'added') expect(shown.has(name)).toBe(false);
        else expect(previous?.metadata.resourceVersion).toBe(shown.get(name));
        if (type === 'deleted') shown.delete(name);
        else {
          expect(Number(resourceVersion)).toBeGreaterThan(Number(shown.get(name) ?? 0));
          shown.set(name, resourceVersion);
        }
      });
      for (let step = 0; step < 120; step += 1) {
        const name = { name: `m${String(Math.floor(random() * 8))}`, namespace: 'default' };
        const exists = (await direct.list(configmaps, { namespace: 'default' })).items.some(
          ({ metadata }) => metadata.name === name.name,
        );
        if (!exists) await direct.create(configmaps, { metadata: name });
        else if (random() < 0.3) await direct.delete(configmaps, name);
        else
          await direct.patch(configmaps, name, {
            type: 'merge',
            patch: { data: { at: String(clock.now()), step: String(step) } },
          });
        if (random() < 0.1) await store.compact(store.revision);
        if (random() < 0.5) await advance(random() * 300);
      }
      await advance(60_000);
      const truth = (await direct.list(configmaps, { namespace: 'default' })).items;
      const expected = truth.map(({ metadata }) => [metadata.name, metadata.resourceVersion]);
      expect([...shown].sort()).toEqual(expected.sort());
    },
  );
});
