import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pod, PodSpec, ResourceQuota } from '../../../src/resources/generated/types.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { limitranges } from '../../../src/resources/kinds/limitranges.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { priorityclasses } from '../../../src/resources/kinds/priorityclasses.js';
import { resourcequotas } from '../../../src/resources/kinds/resourcequotas.js';
import type { Draft } from '../../../src/resources/resource.js';
import { createRandom } from '../../contract/random.js';
import { options, setup, turn } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

let test: TestRegistry;
beforeEach(async () => {
  test = await setup();
});
afterEach(() => test.close());

const namespace = 'default';
const make = async (name: string, spec: Partial<PodSpec> = {}): Promise<Pod> => {
  const draft = {
    metadata: { name, namespace },
    spec: { containers: [{ name: 'main', image: 'web:1' }], ...spec },
  } as Draft;
  return (await test.registry.create(pods, draft, options)).object as Pod;
};
const asking = (requests: object, limits: object = {}): Partial<PodSpec> =>
  ({ containers: [{ name: 'main', image: 'web:1', resources: { requests, limits } }] }) as Partial<PodSpec>;
const restrict = (name: string, spec: object) =>
  test.registry.create(resourcequotas, { metadata: { name, namespace }, spec } as Draft, options);
const used = async (name: string): Promise<ResourceQuota['status']> => {
  for (let turns = 0; turns < 20; turns += 1) await turn();
  return ((await test.registry.get(resourcequotas, { name, namespace })).object as ResourceQuota).status;
};

describe('priority', () => {
  const define = (name: string, value: number, rest: object = {}) =>
    test.registry.create(priorityclasses, { metadata: { name }, value, ...rest } as Draft, options);

  it('is the number of the class that the pod names', async () => {
    await define('urgent', 1000, { preemptionPolicy: 'Never' });
    expect((await make('a', { priorityClassName: 'urgent' })).spec).toMatchObject({
      priority: 1000,
      preemptionPolicy: 'Never',
    });
    expect((await make('b', { priorityClassName: 'system-node-critical' })).spec.priority).toBe(
      2_000_001_000,
    );
    await expect(make('c', { priorityClassName: 'none' })).rejects.toThrow(
      'pods "c" is forbidden: no PriorityClass with name none was found',
    );
  });

  it('cannot be chosen by number', async () => {
    await expect(make('a', { priority: 7 })).rejects.toThrow(
      'the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0',
    );
  });

  it('has one default at most', async () => {
    await define('usual', 5, { globalDefault: true });
    expect((await make('a')).spec).toMatchObject({ priority: 5, priorityClassName: 'usual' });
    await expect(define('other', 6, { globalDefault: true })).rejects.toThrow(
      'PriorityClass usual is already marked as default. Only one default can exist',
    );
  });
});

describe('limit ranges', () => {
  const limit = (...limits: object[]) =>
    test.registry.create(
      limitranges,
      { metadata: { name: 'l', namespace }, spec: { limits } } as Draft,
      options,
    );

  it('fill in what a container leaves out', async () => {
    await limit({
      type: 'Container',
      default: { cpu: '1' },
      defaultRequest: { cpu: '250m', memory: '64Mi' },
    });
    expect((await make('a')).spec.containers[0]?.resources).toEqual({
      limits: { cpu: '1' },
      requests: { cpu: '250m', memory: '64Mi' },
    });
    expect((await make('b', asking({ cpu: '100m' }, { cpu: '300m' }))).spec.containers[0]?.resources).toEqual(
      {
        limits: { cpu: '300m' },
        requests: { cpu: '100m', memory: '64Mi' },
      },
    );
  });

  it.each([
    [
      'too much',
      { type: 'Container', max: { cpu: '1' } },
      asking({}, { cpu: '2' }),
      'maximum cpu usage per Container is 1, but limit is 2',
    ],
    [
      'too little',
      { type: 'Container', min: { memory: '8Mi' } },
      asking({ memory: '4Mi' }),
      'minimum memory usage per Container is 8Mi, but request is 4Mi',
    ],
    [
      'too wide a gap',
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      asking({ cpu: '100m' }, { cpu: '300m' }),
      'cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
    ],
    [
      'too much together',
      { type: 'Pod', max: { cpu: '1' } },
      {
        containers: ['a', 'b'].map((name) => ({ name, image: 'i', resources: { limits: { cpu: '600m' } } })),
      },
      'maximum cpu usage per Pod is 1, but limit is 1200m',
    ],
    [
      'no limit at all',
      { type: 'Pod', max: { memory: '1Gi' } },
      {},
      'maximum memory usage per Pod is 1Gi.  No limit is specified',
    ],
  ])('refuse %s', async (_, item, spec, message) => {
    await limit(item);
    await expect(make('a', spec as Partial<PodSpec>)).rejects.toThrow(`pods "a" is forbidden: ${message}`);
  });
});

describe('quotas', () => {
  it('say what was asked, used and allowed', async () => {
    await restrict('q', { hard: { 'requests.cpu': '1', pods: '5' } });
    await make('a', asking({ cpu: '600m' }));
    await expect(make('b', asking({ cpu: '500m' }))).rejects.toThrow(
      'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1',
    );
    await expect(make('c')).rejects.toThrow(
      'pods "c" is forbidden: failed quota: q: must specify requests.cpu for: main',
    );
    expect(await used('q')).toEqual({
      hard: { 'requests.cpu': '1', pods: '5' },
      used: { 'requests.cpu': '600m', pods: '1' },
    });
  });

  it('count what was there before, and give back what is gone or over', async () => {
    await make('a');
    await make('b');
    await restrict('q', { hard: { pods: '2', 'count/pods': '9' } });
    await expect(make('c')).rejects.toThrow(
      'exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
    );
    await test.registry.delete(pods, { name: 'a', namespace }, {}, options);
    const b = (await test.registry.get(pods, { name: 'b', namespace })).object;
    await test.registry.update(
      pods,
      { name: 'b', namespace },
      { ...b, status: { phase: 'Succeeded' } } as Draft,
      { ...options, subresource: 'status' },
    );
    await make('c');
    await make('d');
    expect((await used('q'))?.used).toEqual({ pods: '2', 'count/pods': '3' });
  });

  it('count only pods of their scope', async () => {
    await restrict('q', { hard: { pods: '1' }, scopes: ['BestEffort'] });
    await make('a');
    await expect(make('b')).rejects.toThrow('exceeded quota');
    await make('c', asking({ cpu: '1' }));
  });

  it('follow a change of their own', async () => {
    await restrict('q', { hard: { configmaps: '0' } });
    const map = { metadata: { name: 'm', namespace } };
    await expect(test.registry.create(configmaps, map, options)).rejects.toThrow('exceeded quota');
    const live = (await test.registry.get(resourcequotas, { name: 'q', namespace })).object;
    await test.registry.patch(
      resourcequotas,
      { name: 'q', namespace },
      { type: 'merge', patch: { spec: { hard: { configmaps: '1' } } } },
      options,
    );
    expect(live.metadata.name).toBe('q');
    await test.registry.create(configmaps, map, options);
    await test.registry.delete(resourcequotas, { name: 'q', namespace }, {}, options);
    await test.registry.create(configmaps, { metadata: { name: 'n', namespace } }, options);
  });

  it.each([1, 2, 3])('are never exceeded, whoever writes at once (seed %i)', async (seed) => {
    const { integer } = createRandom(seed);
    await restrict('q', { hard: { pods: '4', 'requests.cpu': '2' } });
    const live = new Set<string>();
    let over = 0;
    const check = async (): Promise<void> => {
      const { items } = await test.registry.list(pods, { namespace });
      const cpu = items.reduce(
        (sum, { object }) =>
          sum + parseInt((object as Pod).spec.containers[0]?.resources?.requests?.['cpu'] ?? '0', 10),
        0,
      );
      if (items.length > 4 || cpu > 2000) over += 1;
    };
    for (let round = 0; round < 30; round += 1) {
      await Promise.all(
        Array.from({ length: 6 }, async (_, index) => {
          const name = `p${String(round)}-${String(index)}`;
          const victim = [...live][integer(live.size + 1)];
          if (victim !== undefined && integer(2) === 0) {
            live.delete(victim);
            await test.registry.delete(pods, { name: victim, namespace }, {}, options);
          } else
            await make(name, asking({ cpu: `${String(100 + integer(9) * 100)}m` })).then(
              () => live.add(name),
              (error: unknown) => {
                expect(String(error)).toContain('exceeded quota');
              },
            );
          await check();
        }),
      );
    }
    expect(over).toBe(0);
    const { items } = await test.registry.list(pods, { namespace });
    expect((await used('q'))?.used?.['pods']).toBe(String(items.length));
    // Nothing leaks: once all are gone there is room for all of it again.
    for (const name of live) await test.registry.delete(pods, { name, namespace }, {}, options);
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => make(name, asking({ cpu: '500m' }))));
    await expect(make('e', asking({ cpu: '1m' }))).rejects.toThrow('exceeded quota');
  });
});
