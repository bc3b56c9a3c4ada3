import { describe, expect, test } from 'vitest';
import { MvccStore } from '../../../src/store/mvcc-store.js';
import { RevisionConflict, StoreUnavailable } from '../../../src/store/store.js';
import { GatedEngine } from './gated-engine.js';

const value = Buffer.from('x');
const never = new AbortController().signal;

const setUp = (): { engine: GatedEngine; store: MvccStore } => {
  const engine = new GatedEngine();
  return { engine, store: new MvccStore(engine) };
};

/** What a promise has come to after everything that can happen by itself has happened. */
const stateOf = async (promise: Promise<unknown>): Promise<'pending' | 'done' | 'failed'> => {
  let state: 'pending' | 'done' | 'failed' = 'pending';
  promise.then(
    () => (state = 'done'),
    () => (state = 'failed'),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return state;
};

test('the states of promises are told apart', async () => {
  expect(await stateOf(Promise.resolve())).toBe('done');
  expect(await stateOf(Promise.reject(new Error('x')))).toBe('failed');
});

describe('group commit', () => {
  test('takes the writers of one turn in one flush, and all that come meanwhile in the next', async () => {
    const { engine, store } = setUp();
    const first = ['/1', '/2'].map((key) => store.commit({ key, value }, 0));
    const flush = await engine.flush();
    const second = ['/3', '/4', '/5'].map((key) => store.commit({ key, value }, 0));
    flush.succeed();
    expect(await Promise.all(first)).toEqual([1, 2]);
    (await engine.flush()).succeed();
    expect(await Promise.all(second)).toEqual([3, 4, 5]);
    expect(engine.flushes).toEqual([
      ['/1', '/2'],
      ['/3', '/4', '/5'],
    ]);
  });

  test('bounds what one flush takes', async () => {
    const { engine, store } = setUp();
    const large = Buffer.alloc(7 * 1024 * 1024);
    const writes = ['/1', '/2', '/3'].map((key) => store.commit({ key, value: large }, 0));
    (await engine.flush()).succeed();
    (await engine.flush()).succeed();
    await Promise.all(writes);
    expect(engine.flushes).toEqual([['/1', '/2'], ['/3']]);
  });

  test('shows nothing to readers and watchers before it is durable', async () => {
    const { engine, store } = setUp();
    const event = store.watch('/', 0, never)[Symbol.asyncIterator]().next();
    const written = store.commit({ key: '/a', value }, 0);
    const flush = await engine.flush();
    expect(await stateOf(event)).toBe('pending');
    expect(store.get('/a')).toBeUndefined();
    expect(store.list('/')).toEqual({ entries: [], revision: 0, remaining: 0 });
    flush.succeed();
    expect(await written).toBe(1);
    expect((await event).value).toMatchObject({ revision: 1, key: '/a' });
    expect(store.get('/a')?.modified).toBe(1);
  });
});

describe('a conflict with a write that is not durable yet', () => {
  test('is told only when the winner is visible, so that reading again helps', async () => {
    const { engine, store } = setUp();
    const winner = store.commit({ key: '/a', value }, 0);
    const loser = store.commit({ key: '/a', value }, 0);
    const flush = await engine.flush();
    expect(await stateOf(loser)).toBe('pending');
    flush.succeed();
    await winner;
    await expect(loser).rejects.toEqual(new RevisionConflict('/a', 0, 1));
    expect(store.get('/a')?.modified).toBe(1);
  });

  test('is no conflict when the winner fails: both writers are told that the store is unavailable', async () => {
    const { engine, store } = setUp();
    const winner = store.commit({ key: '/a', value }, 0);
    const loser = store.commit({ key: '/a', value }, 0);
    (await engine.flush()).fail(new Error('disk full'));
    await expect(winner).rejects.toThrow(StoreUnavailable);
    await expect(loser).rejects.toThrow(StoreUnavailable);
  });
});

test('a writer is compared with the newest write of the key that is pending, also when an older one has landed', async () => {
  const { engine, store } = setUp();
  const first = store.commit({ key: '/a', value }, 0);
  const flush = await engine.flush();
  const second = store.commit({ key: '/a', value }, 1);
  flush.succeed();
  await first;
  const third = store.commit({ key: '/a', value }, 1);
  (await engine.flush()).succeed();
  expect(await second).toBe(2);
  await expect(third).rejects.toEqual(new RevisionConflict('/a', 1, 2));
});

describe('a flush that fails', () => {
  test('rejects its writes and those queued behind it with the cause, and writes none of them', async () => {
    const { engine, store } = setUp();
    const before = store.commit({ key: '/kept', value }, 0);
    (await engine.flush()).succeed();
    await before;
    const event = store.watch('/', 1, never)[Symbol.asyncIterator]().next();
    const first = store.commit({ key: '/a', value }, 0);
    const flush = await engine.flush();
    const behind = [
      store.commit({ key: '/b', value }, 0),
      store.commit({ key: '/kept', value: undefined }, 1),
    ];
    const cause = new Error('cannot write to data directory /data: no space is left');
    flush.fail(cause);
    for (const write of [first, ...behind])
      await expect(write).rejects.toMatchObject({ name: 'StoreUnavailable', message: cause.message, cause });
    expect(store.revision).toBe(1);
    expect(store.list('/').entries.map(({ key }) => key)).toEqual(['/kept']);
    expect(await stateOf(event)).toBe('pending');
    expect(engine.flushes).toEqual([['/kept'], ['/a']]);
  });

  test('is over when the disk recovers: writes go on at the next revision, and watchers see them', async () => {
    const { engine, store } = setUp();
    const event = store.watch('/', 0, never)[Symbol.asyncIterator]().next();
    const failed = store.commit({ key: '/a', value }, 0);
    (await engine.flush()).fail(new Error('disk full'));
    await expect(failed).rejects.toThrow(StoreUnavailable);
    const again = store.commit({ key: '/a', value }, 0);
    (await engine.flush()).succeed();
    expect(await again).toBe(1);
    expect((await event).value).toMatchObject({ revision: 1, key: '/a' });
  });
});

test('closing waits for the flush that is in flight and for what is queued', async () => {
  const { engine, store } = setUp();
  const first = store.commit({ key: '/1', value }, 0);
  const flush = await engine.flush();
  const second = store.commit({ key: '/2', value }, 0);
  const closing = store.close();
  expect(await stateOf(closing)).toBe('pending');
  flush.succeed();
  (await engine.flush()).succeed();
  await closing;
  expect(await Promise.all([first, second])).toEqual([1, 2]);
  await expect(store.commit({ key: '/3', value }, 0)).rejects.toThrow(
    'data directory /data is closed: /3 was not written',
  );
});
