import { afterEach, describe, expect, it } from 'vitest';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import { silent } from '../../../src/base/log.js';
import { createInformers } from '../../../src/client/informers.js';
import { createClusterExecutor } from '../../../src/reconcile/cluster-executor.js';
import type { ClusterAction } from '../../../src/reconcile/cluster-action.js';
import type { Controller, Failure } from '../../../src/reconcile/controller.js';
import { createLoop } from '../../../src/reconcile/loop.js';
import { runnable } from '../../../src/reconcile/runnable.js';
import type { ConfigMap } from '../../../src/resources/generated/types.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { nameOf } from '../../../src/resources/resource.js';
import { withFaults } from '../../scenarios/faults.js';
import { randomFrom } from '../../scenarios/simulation.js';
import { setup } from '../apiserver/verbs-setup.js';

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

interface Options {
  readonly lagMs?: number;
  readonly width?: number;
  /** Called before and after each action. */
  readonly around?: { begin(action: ClusterAction): void; end(action: ClusterAction): void };
}

type Reconcile = Controller<ConfigMap, ClusterAction>['reconcile'];

const start = async (reconcile: Reconcile, options: Options = {}) => {
  const { registry, clock, close } = await setup();
  const direct = createLocalCluster(registry, { user: 'test', groups: [] });
  const random = randomFrom(1);
  const cluster = withFaults(direct, { lagMs: options.lagMs ?? 0, clock, random });
  const informers = createInformers({ cluster, kinds: [configmaps], clock, log: silent, random });
  const plain = createClusterExecutor({
    cluster: direct,
    events: { record: () => undefined },
    fieldManager: 'test',
  });
  const executor: typeof plain = {
    ...plain,
    perform: async (action, signal) => {
      options.around?.begin(action);
      await clock.sleep(10, signal);
      const expectation = await plain.perform(action, signal);
      options.around?.end(action);
      return expectation;
    },
  };
  const controller: Controller<ConfigMap, ClusterAction> = {
    name: 'test',
    watches: [{ kind: configmaps, keys: ({ object }) => [nameOf(object)] }],
    observe: (view, key) => view.get(configmaps, key),
    reconcile,
  };
  const loop = createLoop({
    controllers: [runnable(controller, executor, { width: options.width ?? 4 })],
    informers,
    clock,
    log: silent,
  });
  const end = new AbortController();
  const running = [informers.run(end.signal), loop.run(end.signal)];
  endings.push(async () => {
    end.abort();
    await Promise.all(running);
    await close();
  });
  await settle();
  const create = (name: string, data: Record<string, string> = {}) =>
    direct.create(configmaps, { metadata: { name, namespace: 'default' }, data });
  return { direct, loop, clock, create, advance: (ms: number) => clock.advance(ms, settle) };
};

const counted = (map: ConfigMap): number => Number(map.data?.['count'] ?? 0);

const increment = (map: ConfigMap): ClusterAction => ({
  type: 'update',
  kind: configmaps,
  object: { ...map, data: { ...map.data, count: String(counted(map) + 1) } } as ConfigMap,
});

describe('the loop', () => {
  it('decides until there is nothing left to do, once per state, however far the view lags behind', async () => {
    const decidedOn: number[] = [];
    const { create, direct, advance } = await start(
      (map) => {
        decidedOn.push(counted(map));
        return { actions: counted(map) < 5 ? [increment(map)] : [], because: 'counts to five' };
      },
      { lagMs: 800 },
    );
    await create('a');
    await advance(20_000);
    expect(counted(await direct.get(configmaps, { name: 'a', namespace: 'default' }))).toBe(5);
    expect(decidedOn).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('never works on one key twice at a time, and on several keys side by side', async () => {
    const busy = new Set<string>();
    let most = 0;
    const nameIn = (action: ClusterAction): string =>
      action.type === 'update' ? action.object.metadata.name : '';
    const around = {
      begin: (action: ClusterAction) => {
        expect(busy.has(nameIn(action))).toBe(false);
        busy.add(nameIn(action));
        most = Math.max(most, busy.size);
      },
      end: (action: ClusterAction) => busy.delete(nameIn(action)),
    };
    const { create, advance, direct } = await start(
      (map) => ({ actions: counted(map) < 3 ? [increment(map)] : [], because: '' }),
      { around, width: 4 },
    );
    for (const name of ['a', 'b', 'c', 'd', 'e']) await create(name);
    await advance(1000);
    const { items } = await direct.list(configmaps, { namespace: 'default' });
    expect(items.filter(({ metadata }) => metadata.name.length === 1).map(counted)).toEqual([3, 3, 3, 3, 3]);
    expect(most).toBe(4);
  });

  it('survives a controller that throws, tries again ever later, and says so', async () => {
    const attempts: number[] = [];
    const { create, advance, loop, clock } = await start((map) => {
      if (map.metadata.name === 'good') return { actions: [], because: 'fine' };
      attempts.push(clock.now());
      throw new Error('a mistake');
    });
    await create('bad');
    await create('good');
    await advance(10_000);
    const pauses = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    expect(pauses.slice(0, 5)).toEqual([20, 40, 80, 160, 320]);
    expect(loop.decisions.for({ name: 'bad', namespace: 'default' })[0]).toMatchObject({
      error: 'a mistake',
    });
    expect(loop.decisions.for({ name: 'good', namespace: 'default' })[0]).toMatchObject({ because: 'fine' });
  });

  it('tells the controller what was refused', async () => {
    const failures: (Failure | undefined)[] = [];
    const { create, advance } = await start((map, _, failure) => {
      if (map.metadata.name !== 'a') return { actions: [], because: '' };
      failures.push(failure);
      const object = { metadata: { name: 'Not A Name', namespace: 'default' } };
      return failures.length < 3
        ? { actions: [{ type: 'create', kind: configmaps, object }], because: '' }
        : { actions: [], because: '' };
    });
    await create('a');
    await advance(1000);
    expect(failures.map((failure) => [failure?.code, failure?.attempts])).toEqual([
      [undefined, undefined],
      ['Invalid', 1],
      ['Invalid', 2],
    ]);
  });

  it('wakes a key when it asked for it, and only then', async () => {
    const at: number[] = [];
    const { create, advance, clock } = await start((map, now) => {
      if (map.metadata.name !== 'a') return { actions: [], because: '' };
      at.push(now);
      return { actions: [], because: '', wakeAt: at.length < 3 ? now + 5000 : undefined };
    });
    const begin = clock.now();
    await create('a');
    await advance(60_000);
    expect(at.map((instant) => instant - begin)).toEqual([0, 5000, 10_000]);
  });

  it('forgets a key whose object is gone', async () => {
    const { create, advance, direct, loop } = await start(() => ({ actions: [], because: 'here' }));
    await create('a');
    await advance(100);
    const name = { name: 'a', namespace: 'default' };
    expect(loop.decisions.for(name)).toHaveLength(1);
    await direct.delete(configmaps, name);
    await advance(100);
    expect(loop.decisions.for(name)).toHaveLength(0);
  });

  it('leaves time for everything else, however much it has to do', async () => {
    let decided = 0;
    const { create } = await start(() => {
      decided += 1;
      return { actions: [], because: '', wakeAt: 0 };
    });
    for (let index = 0; index < 600; index += 1) await create(`m${String(index)}`);
    await new Promise((resolve) => setImmediate(resolve));
    const early = decided;
    await settle();
    await settle();
    expect(early).toBeLessThan(600);
    expect(decided).toBeGreaterThan(early);
  });

  it('stops where it is when its signal aborts', async () => {
    let decided = 0;
    const { create, advance } = await start((map) => {
      decided += 1;
      return { actions: [increment(map)], because: '' };
    });
    await create('a');
    await advance(500);
    expect(decided).toBeGreaterThan(10);
    for (const end of endings.splice(0)) await end();
    const before = decided;
    await advance(10_000);
    expect(decided).toBe(before);
  });
});
