// Under random writers, compactions and re-connects a watch never misses, repeats or reorders a change.
import { setMaxListeners } from 'node:events';
import { expect, test } from 'vitest';
import type { MvccStoreOptions } from '../../src/store/mvcc-store.js';
import { Compacted, RevisionConflict } from '../../src/store/store.js';
import type { Change, Store } from '../../src/store/store.js';
import { createRandom, seeds } from './random.js';
import type { Random } from './random.js';

const keys = ['/a/x/1', '/a/x/2', '/a/y/1', '/b/x/1', '/b/x/10', '/b/x/2', '/c'];
const prefixes = ['', '/', '/a/', '/a/x/', '/a/x/1', '/b/x/1', '/b/', '/c', '/none/'];

/** One connection of a reader: where it began and what it was told. */
interface Session {
  readonly prefix: string;
  readonly after: number;
  readonly seen: Change[];
  /** The reader left before the end, so it need not have seen everything. */
  cut: boolean;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const writeAtRandom = async (store: Store, random: Random, count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) {
    const key = random.pick(keys);
    const current = store.get(key);
    const value =
      current !== undefined && random.chance(0.3)
        ? undefined
        : Buffer.from(`${key} ${String(random.integer(1e6))}`);
    try {
      await store.commit({ key, value }, current?.modified ?? 0);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
    }
    if (random.chance(0.1)) await turn();
  }
};

/** Lists, watches, leaves and comes back where it left, lists again when told that history is gone. */
const readAtRandom = async (
  store: Store,
  random: Random,
  { sessions, done }: { readonly sessions: Session[]; readonly done: AbortSignal },
): Promise<Map<string, number>> => {
  const prefix = random.pick(prefixes);
  let state = new Map<string, number>();
  let after = -1;
  while (!done.aborted || after < store.revision) {
    if (after < 0) {
      const page = store.list(prefix);
      state = new Map(page.entries.map(({ key, modified }) => [key, modified]));
      after = page.revision;
    }
    const session: Session = { prefix, after, seen: [], cut: true };
    sessions.push(session);
    const leave = new AbortController();
    const stays = done.aborted ? Infinity : random.integer(40);
    const stop = (): void => leave.abort();
    if (done.aborted) setTimeout(stop, 50);
    else done.addEventListener('abort', stop, { once: true });
    try {
      for await (const change of store.watch(prefix, after, leave.signal)) {
        session.seen.push(change);
        after = change.revision;
        if (change.entry === undefined) state.delete(change.key);
        else state.set(change.key, change.entry.modified);
        if (session.seen.length > stays) break;
        if (random.chance(0.2)) await turn();
      }
      if (stays === Infinity) {
        session.cut = false;
        return state;
      }
    } catch (error) {
      if (!(error instanceof Compacted)) throw error;
      after = -1;
    } finally {
      done.removeEventListener('abort', stop);
    }
    await turn();
  }
  return state;
};

const runProperty = async (store: Store, seed: number): Promise<void> => {
  const random = createRandom(seed);
  const all: Change[] = [];
  const recording = new AbortController();
  const record = (async () => {
    for await (const change of store.watch('', store.revision, recording.signal)) all.push(change);
  })();
  const begin = store.revision;
  const done = new AbortController();
  setMaxListeners(0, done.signal);
  const sessions: Session[] = [];
  const readers = Array.from({ length: 12 }, (_, n) =>
    readAtRandom(store, createRandom(seed * 31 + n), { sessions, done: done.signal }),
  );
  const writers = Array.from({ length: 5 }, (_, n) => writeAtRandom(store, createRandom(seed * 77 + n), 120));
  const compact = (async () => {
    for (let n = 0; n < 30; n += 1) {
      for (let turns = random.integer(8); turns >= 0; turns -= 1) await turn();
      await store.compact(Math.max(0, store.revision - random.integer(30)));
    }
  })();
  await Promise.all([...writers, compact]);
  done.abort();
  const states = await Promise.all(readers);
  recording.abort();
  await record;

  expect(all.map(({ revision }) => revision)).toEqual(
    Array.from({ length: store.revision - begin }, (_, n) => begin + n + 1),
  );
  for (const { prefix, after, seen, cut } of sessions) {
    const expected = all.filter(({ key, revision }) => revision > after && key.startsWith(prefix));
    expect(seen, `watch of "${prefix}" after ${String(after)}`).toEqual(
      cut ? expected.slice(0, seen.length) : expected,
    );
  }
  const live = new Map(store.list('').entries.map(({ key, modified }) => [key, modified]));
  for (const state of states) for (const [key, modified] of state) expect(live.get(key)).toBe(modified);
  expect(sessions.length).toBeGreaterThan(12);
};

export const storeWatchProperties = (open: (options: MvccStoreOptions) => Promise<Store>): void => {
  for (const seed of seeds([1, 2, 3]))
    test(`tells every reader everything once and in order, with compactions and re-connects (seed ${String(seed)})`, async () => {
      await runProperty(await open({ history: { changes: 60 } }), seed);
    });
};
