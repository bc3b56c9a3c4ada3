import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterError } from '../../../src/base/errors.js';
import type { ListQuery, ListResult } from '../../../src/apiserver/registry.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import type { Draft } from '../../../src/resources/resource.js';
import { storeKey } from '../../../src/resources/kind.js';
import { createRandom, seeds } from '../../contract/random.js';
import { options, parsed, record, setup, turn } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const failure = async (promise: Promise<unknown>): Promise<ClusterError> =>
  (await promise.then(
    () => expect.unreachable('it should have been refused'),
    (error: unknown) => error,
  )) as ClusterError;

const names = ({ items }: ListResult): string[] => items.map(({ object }) => object.metadata.name);

describe('list', () => {
  let test: TestRegistry;

  beforeEach(async () => {
    test = await setup();
  });

  afterEach(() => test.close());

  const make = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1)
      await test.registry.create(
        configmaps,
        {
          metadata: {
            name: `c${String(index).padStart(2, '0')}`,
            namespace: index % 2 === 0 ? 'default' : 'kube-system',
            labels: { third: String(index % 3) },
          },
        },
        options,
      );
  };

  const list = (query: ListQuery = {}): Promise<ListResult> => test.registry.list(configmaps, query);

  it('keeps to a namespace and selects by labels and fields', async () => {
    await make(6);
    expect(names(await list({ namespace: 'default' }))).toEqual(['c00', 'c02', 'c04']);
    expect(names(await list({ namespace: '' }))).toHaveLength(6);
    expect(names(await list({ labelSelector: 'third in (0,1)', namespace: 'default' }))).toEqual([
      'c00',
      'c04',
    ]);
    expect(names(await list({ fieldSelector: 'metadata.name=c03' }))).toEqual(['c03']);
    expect(names(await list({ fieldSelector: 'metadata.name=c03', namespace: 'default' }))).toEqual([]);
    expect(names(await list({ fieldSelector: 'metadata.name!=c00', namespace: 'default' }))).toEqual([
      'c02',
      'c04',
    ]);
    const both = 'metadata.namespace=kube-system,metadata.name=c05';
    expect(names(await list({ fieldSelector: both }))).toEqual(['c05']);
    expect(names(await list({ fieldSelector: both, namespace: 'default' }))).toEqual([]);
    expect(names(await list({ fieldSelector: 'metadata.name=c01,metadata.name=c03' }))).toEqual([]);
  });

  it('does not take a longer name for the one that was asked for', async () => {
    for (const name of ['web', 'web-2'])
      await test.registry.create(configmaps, { metadata: { name, namespace: 'default' } }, options);
    expect(names(await list({ namespace: 'default', fieldSelector: 'metadata.name=web' }))).toEqual(['web']);
  });

  it('selects pods by their node, also as they come and go', async () => {
    const spec = { containers: [{ name: 'main', image: 'web:1' }] };
    const watching = new AbortController();
    const { items } = record(
      test.registry.watch(pods, { fieldSelector: 'spec.nodeName=n1' }, watching.signal),
    );
    for (const name of ['p', 'q'])
      await test.registry.create(pods, { metadata: { name, namespace: 'default' }, spec } as Draft, options);
    await test.registry.bind({ name: 'q', namespace: 'default' }, undefined, 'n1', options);
    expect(names(await test.registry.list(pods, { fieldSelector: 'spec.nodeName=n1' }))).toEqual(['q']);
    await turn();
    expect(items).toMatchObject([{ type: 'ADDED', stored: { object: { metadata: { name: 'q' } } } }]);
    watching.abort();
  });

  it('answers without decoding what it lists', async () => {
    const key = storeKey(configmaps, 'broken', 'default');
    const value = new TextEncoder().encode('{"metadata":{"name":"broken"} this is no JSON');
    const revision = await test.store.commit({ key, value }, 0);
    const { items } = await list({ namespace: 'default' });
    expect(Buffer.from(items[0]!.bytes).toString()).toBe(
      `{"metadata":{"resourceVersion":"${String(revision)}","name":"broken"} this is no JSON`,
    );
    expect(() => items[0]!.object).toThrow(SyntaxError);
  });

  it('shares the decoded object and the bytes of a revision among all who hold them', async () => {
    await make(1);
    const [first, second] = [await list(), await list()];
    const { object, bytes } = first.items[0]!;
    expect(second.items[0]!.object).toBe(object);
    expect(second.items[0]!.bytes).toBe(bytes);
    expect(Object.isFrozen(object.metadata.labels)).toBe(true);
  });

  it('pages through a selection, whose matches may lie far apart', async () => {
    await make(20);
    const seen: string[] = [];
    let next: string | undefined;
    do {
      const page: ListResult = await list({ labelSelector: 'third=1', limit: 2, continue: next });
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...names(page));
      next = page.continue;
    } while (next !== undefined);
    expect(seen.sort()).toEqual(['c01', 'c04', 'c07', 'c10', 'c13', 'c16', 'c19']);
  });

  it('ends a list that fits its page exactly', async () => {
    await make(4);
    expect((await list({ limit: 4 })).continue).toBeUndefined();
    expect((await list({ limit: 3, labelSelector: 'third!=9' })).continue).toBeDefined();
    expect((await list({ limit: 4, labelSelector: 'third!=9' })).continue).toBeUndefined();
  });

  it('shows an old revision exactly when asked, and otherwise nothing older', async () => {
    await make(3);
    const { resourceVersion } = await list();
    await make(0);
    await test.registry.delete(configmaps, { name: 'c01', namespace: 'kube-system' }, {}, options);
    const exact = await list({ resourceVersion, resourceVersionMatch: 'Exact' });
    expect(names(exact)).toHaveLength(3);
    expect(exact.resourceVersion).toBe(resourceVersion);
    expect(names(await list({ resourceVersion, resourceVersionMatch: 'NotOlderThan' }))).toHaveLength(2);
    expect(names(await list({ resourceVersion }))).toHaveLength(2);
    expect(names(await list({ resourceVersion: '0' }))).toHaveLength(2);
    expect(names(await list({ resourceVersion, limit: 10 }))).toHaveLength(3);
  });

  it.each([
    [{ resourceVersion: '0', resourceVersionMatch: 'Exact' }, 'forbidden for resourceVersion "0"'],
    [{ resourceVersionMatch: 'Exact' }, 'forbidden unless resourceVersion is provided'],
    [{ resourceVersion: 'abc' }, 'invalid resource version "abc"'],
    [{ continue: 'abc' }, 'continue key is not valid'],
    [
      { continue: Buffer.from('{"v":1,"rv":-4,"after":""}').toString('base64url') },
      'continue key is not valid',
    ],
  ] as const)('refuses %j', async (query, message) => {
    const error = await failure(list(query));
    expect(error.code).toBe('BadRequest');
    expect(error.message).toContain(message);
  });

  it('tells a client that is ahead of the store to wait', async () => {
    const error = await failure(list({ resourceVersion: '999999' }));
    expect(error).toMatchObject({ code: 'Timeout', retry: true, retryAfterSeconds: 1 });
    expect(error.message).toBe(`Too large resource version: 999999, current: ${String(test.store.revision)}`);
  });

  it('says how to go on when the history behind a page or a revision is gone', async () => {
    await make(5);
    const page = await list({ limit: 2 });
    await make(0);
    await test.registry.delete(configmaps, { name: 'c00', namespace: 'default' }, {}, options);
    await test.store.compact(test.store.revision);
    const lost = await failure(list({ limit: 2, continue: page.continue }));
    expect(lost.code).toBe('Expired');
    expect(lost.message).toBe(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
    );
    const old = await failure(list({ resourceVersion: '2', resourceVersionMatch: 'Exact' }));
    expect(old.code).toBe('Expired');
    expect(old.message).toBe('The resourceVersion for the provided list is too old.');
  });

  it.each(seeds([1, 2, 3]))('pages show one revision while writers go on (seed %i)', async (seed) => {
    const random = createRandom(seed);
    const alive = new Set<string>();
    const write = async (): Promise<void> => {
      const name = `n${String(random.integer(40))}`;
      const target = { name, namespace: 'default' };
      if (!alive.has(name)) {
        alive.add(name);
        await test.registry.create(configmaps, { metadata: target }, options);
      } else if (random.chance(0.5)) {
        alive.delete(name);
        await test.registry.delete(configmaps, target, {}, options);
      } else
        await test.registry.update(
          configmaps,
          target,
          { metadata: { ...target, labels: { n: String(random.integer(1e6)) } } },
          options,
        );
    };
    for (let index = 0; index < 60; index += 1) await write();
    for (let round = 0; round < 10; round += 1) {
      const whole = (await list({ namespace: 'default' })).items.map(parsed);
      const paged = [];
      let next: string | undefined;
      do {
        const limit = 1 + random.integer(7);
        const page: ListResult = await list({ namespace: 'default', limit, continue: next });
        paged.push(...page.items.map(parsed));
        next = page.continue;
        if (next !== undefined) expect(page.remainingItemCount).toBe(whole.length - paged.length);
        for (let index = random.integer(4); index > 0; index -= 1) await write();
      } while (next !== undefined);
      expect(paged).toEqual(whole);
    }
  });
});
