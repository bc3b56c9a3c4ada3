import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WatchItem, WatchQuery } from '../../../src/apiserver/registry.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import type { Draft } from '../../../src/resources/resource.js';
import { createRandom, seeds } from '../../contract/random.js';
import { options, parsed, record, setup, turn } from './verbs-setup.js';
import type { TestRegistry } from './verbs-setup.js';

const told = (items: readonly WatchItem[]): string[] =>
  items.map((item) =>
    item.type === 'BOOKMARK'
      ? `BOOKMARK${item.initialEventsEnd === true ? ' end' : ''}`
      : `${item.type} ${item.stored.object.metadata.name}`,
  );

describe('watch', () => {
  let test: TestRegistry;
  let watching: AbortController;

  beforeEach(async () => {
    test = await setup();
    watching = new AbortController();
  });

  afterEach(async () => {
    watching.abort();
    await test.close();
  });

  const watch = (query: WatchQuery) => record(test.registry.watch(configmaps, query, watching.signal));

  const put = async (name: string, data: Record<string, string> = {}, labels = {}): Promise<void> => {
    const target = { name, namespace: 'default' };
    const draft = { metadata: { ...target, labels }, data } as Draft;
    if (
      (await test.registry.list(configmaps, { namespace: 'default', fieldSelector: `metadata.name=${name}` }))
        .items.length === 0
    )
      await test.registry.create(configmaps, draft, options);
    else await test.registry.update(configmaps, target, draft, options);
  };

  const drop = (name: string) =>
    test.registry.delete(configmaps, { name, namespace: 'default' }, {}, options);

  const revision = (): string => String(test.store.revision);

  it.each([{}, { resourceVersion: '' }, { resourceVersion: '0' }])(
    'begins with the present state when asked with %j',
    async (query) => {
      await put('a');
      await put('b');
      const { items } = watch(query);
      await put('c');
      await turn();
      expect(told(items)).toEqual(['ADDED a', 'ADDED b', 'ADDED c']);
    },
  );

  it('marks the end of the initial state for clients that list by watching', async () => {
    await put('a');
    const at = revision();
    const { items } = watch({ sendInitialEvents: true, allowBookmarks: true });
    await put('b');
    await turn();
    expect(told(items)).toEqual(['ADDED a', 'BOOKMARK end', 'ADDED b']);
    expect(items[1]).toMatchObject({ resourceVersion: at });
  });

  it('begins with now, without a state, when no initial events are wanted', async () => {
    await put('a');
    const { items } = watch({ sendInitialEvents: false });
    await put('b');
    await turn();
    expect(told(items)).toEqual(['ADDED b']);
  });

  it('is registered when it is called, not when it is read', async () => {
    const items = test.registry.watch(configmaps, { sendInitialEvents: false }, watching.signal);
    await put('a');
    const seen = record(items);
    await turn();
    expect(told(seen.items)).toEqual(['ADDED a']);
  });

  it('carries the last state and the revision of the deletion', async () => {
    await put('a', { k: 'last' });
    const { items } = watch({ resourceVersion: revision() });
    await drop('a');
    await turn();
    const [item] = items;
    const object = item?.type === 'DELETED' ? parsed(item.stored) : undefined;
    expect(object).toMatchObject({ data: { k: 'last' }, metadata: { resourceVersion: revision() } });
  });

  it('turns entering and leaving a selection into ADDED and DELETED, with the state that matched', async () => {
    const { items } = watch({ resourceVersion: revision(), labelSelector: 'app=web' });
    await put('a', { n: '1' });
    await put('a', { n: '2' }, { app: 'web' });
    await put('a', { n: '3' }, { app: 'web' });
    await put('a', { n: '4' });
    const left = revision();
    await put('a', { n: '5' });
    await turn();
    expect(told(items)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    const last = items[2];
    expect(last?.type === 'DELETED' ? last.stored.object : undefined).toMatchObject({
      data: { n: '3' },
      metadata: { resourceVersion: left },
    });
  });

  it('watches one object by its name, not others whose names begin alike', async () => {
    const { items } = watch({
      resourceVersion: revision(),
      namespace: 'default',
      fieldSelector: 'metadata.name=web',
    });
    await put('web-2');
    await put('web');
    await turn();
    expect(told(items)).toEqual(['ADDED web']);
  });

  it('gives 100 watchers the very same object and bytes', async () => {
    const watchers = Array.from({ length: 100 }, () => watch({ resourceVersion: revision() }));
    await put('a');
    await put('a', { k: 'v' });
    await drop('a');
    await turn();
    const shared = [0, 1, 2].map((index) => {
      const item = watchers[0]!.items[index]!;
      return item.type === 'BOOKMARK' ? undefined : { object: item.stored.object, bytes: item.stored.bytes };
    });
    for (const { items } of watchers)
      for (const [index, item] of items.entries()) {
        if (item.type === 'BOOKMARK') expect.unreachable();
        else {
          expect(item.stored.object).toBe(shared[index]?.object);
          expect(item.stored.bytes).toBe(shared[index]?.bytes);
        }
      }
    expect(watchers.every(({ items }) => items.length === 3)).toBe(true);
  });

  it('says about every minute how far it has come, when nothing it shows happens', async () => {
    const begun = revision();
    const { items } = watch({ resourceVersion: begun, allowBookmarks: true, labelSelector: 'never=this' });
    const other = watch({ resourceVersion: begun });
    await put('a');
    await test.clock.advance(59_000, turn);
    expect(items).toEqual([]);
    await test.clock.advance(2_000, turn);
    expect(items).toEqual([{ type: 'BOOKMARK', resourceVersion: revision() }]);
    await test.clock.advance(60_000, turn);
    expect(items).toHaveLength(2);
    expect(told(other.items)).toEqual(['ADDED a']);
  });

  it('never names a revision in a bookmark that the reader has not been given', async () => {
    const items = test.registry.watch(
      configmaps,
      { resourceVersion: revision(), allowBookmarks: true },
      watching.signal,
    );
    const iterator = items[Symbol.asyncIterator]();
    const first = iterator.next();
    await put('a');
    expect((await first).value).toMatchObject({ type: 'ADDED' });
    // The reader rests while time and changes go on; what it then reads comes in the order of revisions.
    await put('b');
    await test.clock.advance(61_000, turn);
    await put('c');
    await test.clock.advance(61_000, turn);
    let reached = 0;
    for (let index = 0; index < 2; index += 1) {
      const { value } = (await iterator.next()) as { value: WatchItem };
      const at = Number(
        value.type === 'BOOKMARK' ? value.resourceVersion : value.stored.object.metadata.resourceVersion,
      );
      expect(value.type).toBe('ADDED');
      expect(at).toBeGreaterThan(reached);
      reached = at;
    }
  });

  it('says where it ended, so that a client can go on from there', async () => {
    const begun = revision();
    const { items, done } = watch({
      resourceVersion: begun,
      allowBookmarks: true,
      labelSelector: 'never=this',
    });
    await put('a');
    await turn();
    watching.abort();
    await done;
    expect(items).toEqual([{ type: 'BOOKMARK', resourceVersion: revision() }]);
  });

  it('leaves no timer behind when it ends', async () => {
    const { done } = watch({ resourceVersion: revision(), allowBookmarks: true });
    await turn();
    expect(test.clock.next).toBeDefined();
    watching.abort();
    await done;
    await turn();
    expect(test.clock.next).toBeUndefined();
  });

  it('refuses a revision that is gone, one that is not there yet, and a bad selector, at the first read', async () => {
    for (let index = 0; index < 5; index += 1) await put('a', { n: String(index) });
    await test.store.compact(test.store.revision);
    await expect(watch({ resourceVersion: '2' }).done).rejects.toMatchObject({
      code: 'Expired',
      message: expect.stringMatching(/^too old resource version: 2 \(\d+\)$/) as string,
    });
    await expect(watch({ resourceVersion: '99999' }).done).rejects.toMatchObject({ code: 'Timeout' });
    await expect(watch({ labelSelector: '=' }).done).rejects.toMatchObject({ code: 'BadRequest' });
    await expect(watch({ fieldSelector: 'data.x=1' }).done).rejects.toMatchObject({ code: 'BadRequest' });
  });

  it('sends a reader away that falls too far behind', async () => {
    await test.close();
    test = await setup({ store: { watch: { changes: 5 } } });
    const items = test.registry.watch(configmaps, { resourceVersion: revision() }, watching.signal);
    for (let index = 0; index < 20; index += 1) await put('a', { n: String(index) });
    await expect(record(items).done).rejects.toMatchObject({ code: 'Expired' });
  });

  it.each(seeds([11, 12, 13]))('list and watch together equal the final state (seed %i)', async (seed) => {
    const random = createRandom(seed);
    const pool = Array.from({ length: 15 }, (_, index) => `n${String(index)}`);
    const ignoreRaces = (error: unknown): void => {
      expect(error).toMatchObject({
        code: expect.stringMatching(/^(NotFound|AlreadyExists|Conflict)$/) as string,
      });
    };
    const write = async (): Promise<void> => {
      const name = random.pick(pool);
      const labels = { app: random.pick(['web', 'db']) };
      const act = random.chance(0.3) ? drop(name) : put(name, { n: String(random.integer(1e9)) }, labels);
      await Promise.resolve(act).catch(ignoreRaces);
    };
    const selectors = [undefined, 'app=web', 'app notin (web)', 'n!=1,app'];
    const pictures: { labelSelector: string | undefined; state: Map<string, string> }[] = [];
    const follow = async (labelSelector: string | undefined): Promise<void> => {
      const list = await test.registry.list(configmaps, { labelSelector });
      const state = new Map(
        list.items.map((stored) => [stored.object.metadata.name, JSON.stringify(parsed(stored))]),
      );
      pictures.push({ labelSelector, state });
      await new Promise((resolve) => setTimeout(resolve, random.integer(5)));
      const query = { resourceVersion: list.resourceVersion, labelSelector, allowBookmarks: true };
      let reached = Number(list.resourceVersion);
      for await (const item of test.registry.watch(configmaps, query, watching.signal)) {
        if (item.type === 'BOOKMARK') continue;
        const { name, resourceVersion } = item.stored.object.metadata;
        expect(Number(resourceVersion)).toBeGreaterThan(reached);
        reached = Number(resourceVersion);
        expect(state.has(name)).toBe(item.type !== 'ADDED');
        if (item.type === 'DELETED') state.delete(name);
        else state.set(name, JSON.stringify(parsed(item.stored)));
      }
    };
    const followers: Promise<void>[] = [];
    for (let round = 0; round < 60; round += 1) {
      if (round % 6 === 0) followers.push(follow(random.pick(selectors)));
      await Promise.all(Array.from({ length: 1 + random.integer(8) }, write));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const { labelSelector, state } of pictures) {
      const { items } = await test.registry.list(configmaps, { labelSelector });
      const final = items.map(
        (stored) => [stored.object.metadata.name, JSON.stringify(parsed(stored))] as const,
      );
      expect(new Map([...state].sort())).toEqual(new Map([...final].sort()));
    }
    watching.abort();
    await Promise.all(followers);
  });
});
