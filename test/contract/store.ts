// What every store must do, whatever makes it durable.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MvccStoreOptions } from '../../src/store/mvcc-store.js';
import { Compacted, FutureRevision, RevisionConflict, StoreUnavailable } from '../../src/store/store.js';
import type { Change, Store } from '../../src/store/store.js';
import { storeWatchProperties } from './store-watch-properties.js';

export interface StoreHarness {
  /** Opens a store on the harness's data: once more after closing, as a restart does. */
  open(options?: MvccStoreOptions): Promise<Store>;
  dispose(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);

const never = new AbortController().signal;

const take = async (changes: AsyncIterable<Change>, count: number): Promise<Change[]> => {
  const iterator = changes[Symbol.asyncIterator]();
  const taken: Change[] = [];
  while (taken.length < count) {
    const result = await iterator.next();
    if (result.done === true) break;
    taken.push(result.value);
  }
  return taken;
};

const brief = ({ revision, key, entry, previous }: Change): string =>
  `${String(revision)} ${key} ${text(previous?.value) ?? '-'} > ${text(entry?.value) ?? '-'}`;

export const storeContract = (name: string, createHarness: () => Promise<StoreHarness>): void => {
  describe(`a store on ${name}`, () => {
    let harness: StoreHarness;
    let store: Store;

    const put = (key: string, value: string, expected = store.get(key)?.modified ?? 0): Promise<number> =>
      store.commit({ key, value: bytes(value) }, expected);
    const remove = (key: string): Promise<number> =>
      store.commit({ key, value: undefined }, store.get(key)?.modified ?? 0);
    const keysOf = (prefix: string, at?: number): string[] =>
      store.list(prefix, at === undefined ? {} : { at }).entries.map(({ key }) => key);
    const reopen = async (options?: MvccStoreOptions): Promise<void> => {
      await store.close();
      store = await harness.open(options);
    };

    beforeEach(async () => {
      harness = await createHarness();
      store = await harness.open();
    });
    afterEach(async () => {
      await store.close();
      await harness.dispose();
    });

    describe('compare and swap', () => {
      test('gives revisions 1, 2, 3 in one order over all keys', async () => {
        expect(store.revision).toBe(0);
        expect([await put('/a', '1'), await put('/b', '1'), await put('/a', '2')]).toEqual([1, 2, 3]);
        expect(store.revision).toBe(3);
        expect(store.get('/a')).toMatchObject({ key: '/a', created: 1, modified: 3 });
      });

      test('refuses a creation of what exists, and an update of what is at another revision or gone', async () => {
        await put('/a', '1');
        await expect(put('/a', 'again', 0)).rejects.toEqual(new RevisionConflict('/a', 0, 1));
        await put('/a', '2');
        await expect(put('/a', '3', 1)).rejects.toMatchObject({ name: 'RevisionConflict', actual: 2 });
        await remove('/a');
        await expect(put('/a', '3', 2)).rejects.toMatchObject({ name: 'RevisionConflict', actual: 0 });
        expect(store.get('/a')).toBeUndefined();
        expect(store.revision).toBe(3);
      });

      test('lets exactly one of many concurrent writers of a revision win, and tells the losers who is there', async () => {
        await put('/a', '0');
        const results = await Promise.allSettled(
          Array.from({ length: 50 }, (_, n) => put('/a', String(n), 1)),
        );
        const won = results.filter(({ status }) => status === 'fulfilled');
        expect(won).toHaveLength(1);
        for (const result of results)
          if (result.status === 'rejected')
            expect(result.reason).toEqual(new RevisionConflict('/a', 1, store.get('/a')!.modified));
      });

      test('counts correctly when many writers read, add one and retry', async () => {
        await put('/n', '0');
        const add = async (): Promise<void> => {
          for (;;) {
            const entry = store.get('/n')!;
            try {
              await put('/n', String(Number(text(entry.value)) + 1), entry.modified);
              return;
            } catch (error) {
              if (!(error instanceof RevisionConflict)) throw error;
            }
          }
        };
        await Promise.all(Array.from({ length: 20 }, add));
        expect(text(store.get('/n')?.value)).toBe('20');
      });

      test('starts a new life when a key is created again', async () => {
        await put('/a', '1');
        await remove('/a');
        await put('/a', '2');
        expect(store.get('/a')).toMatchObject({ created: 3, modified: 3 });
      });

      test('refuses keys that it cannot keep and deletions of nothing', async () => {
        await expect(put('', 'x')).rejects.toThrow(RangeError);
        await expect(put('/'.padEnd(5000, 'x'), 'x')).rejects.toThrow(/a key has 1 to \d+ bytes, not 5000/);
        await expect(remove('/nothing')).rejects.toThrow('cannot delete /nothing at revision 0');
        expect(store.revision).toBe(0);
      });

      test('keeps empty values, all bytes, and values of a few megabytes', async () => {
        const large = Uint8Array.from({ length: 3_000_000 }, (_, index) => index % 251);
        await store.commit({ key: '/empty', value: new Uint8Array() }, 0);
        await store.commit({ key: '/large', value: large }, 0);
        await reopen();
        expect(store.get('/empty')?.value).toHaveLength(0);
        expect(Buffer.compare(store.get('/large')!.value, large)).toBe(0);
      });

      test('is not changed when the writer uses its buffer again, if that was a slice of a larger one', async () => {
        const pool = Buffer.from('first second');
        await store.commit({ key: '/a', value: pool.subarray(0, 5) }, 0);
        pool.fill(0);
        expect(text(store.get('/a')?.value)).toBe('first');
      });
    });

    describe('reading', () => {
      test('hands the same entry to every reader', async () => {
        await put('/a', '1');
        expect(store.get('/a')).toBe(store.get('/a'));
        expect(store.list('/').entries[0]).toBe(store.get('/a'));
      });

      test('lists what starts with the prefix, in key order, with nothing beside it', async () => {
        for (const key of ['/b/2', '/a/1', '/b/10', '/b', '/c/1', '/b/1', '/bb/1']) await put(key, key);
        expect(keysOf('/b/')).toEqual(['/b/1', '/b/10', '/b/2']);
        expect(keysOf('/b')).toEqual(['/b', '/b/1', '/b/10', '/b/2', '/bb/1']);
        expect(keysOf('')).toHaveLength(7);
        expect(keysOf('/x')).toEqual([]);
      });

      test('reads and lists as of an older revision, deletions included', async () => {
        await put('/a', '1');
        await put('/b', '1');
        await put('/a', '2');
        await remove('/b');
        expect(text(store.get('/a', 2)?.value)).toBe('1');
        expect(keysOf('/', 1)).toEqual(['/a']);
        expect(keysOf('/', 3)).toEqual(['/a', '/b']);
        expect(keysOf('/', 4)).toEqual(['/a']);
        expect(keysOf('/', 0)).toEqual([]);
        expect(store.list('/', { at: 3 }).revision).toBe(3);
      });

      test('refuses a revision that has not happened', async () => {
        await put('/a', '1');
        expect(() => store.get('/a', 2)).toThrow(FutureRevision);
        expect(() => store.list('/', { at: 9 })).toThrow('revision 9 has not happened yet: the newest is 1');
      });

      test('pages through one revision while writers go on', async () => {
        for (let n = 0; n < 25; n += 1) await put(`/p/${String(n).padStart(2, '0')}`, 'x');
        const seen: string[] = [];
        const first = store.list('/p/', { limit: 10 });
        expect(first).toMatchObject({ revision: 25, remaining: 15 });
        seen.push(...first.entries.map(({ key }) => key));
        await remove('/p/15');
        await put('/p/12a', 'new');
        const second = store.list('/p/', { limit: 10, after: seen.at(-1)!, at: first.revision });
        expect(second).toMatchObject({ revision: 25, remaining: 5 });
        seen.push(...second.entries.map(({ key }) => key));
        const last = store.list('/p/', { limit: 10, after: seen.at(-1)!, at: first.revision });
        expect(last.remaining).toBe(0);
        seen.push(...last.entries.map(({ key }) => key));
        expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `/p/${String(n).padStart(2, '0')}`));
      });

      test('pages on after a key that is gone, and begins at the prefix when the key lies before it', async () => {
        for (const key of ['/p/1', '/p/2', '/p/3']) await put(key, 'x');
        await remove('/p/2');
        expect(store.list('/p/', { after: '/p/2' }).entries.map(({ key }) => key)).toEqual(['/p/3']);
        expect(store.list('/p/', { after: '/a' }).entries).toHaveLength(2);
        expect(store.list('/p/', { limit: 0 })).toMatchObject({ entries: [], remaining: 2 });
      });
    });

    describe('watching', () => {
      test('tells creations, updates and deletions with what was there before', async () => {
        const changes = store.watch('/a', 0, never);
        await put('/a', '1');
        await put('/b', '1');
        await put('/a', '2');
        await remove('/a');
        expect((await take(changes, 3)).map(brief)).toEqual(['1 /a - > 1', '3 /a 1 > 2', '4 /a 2 > -']);
      });

      test('misses nothing between a list and the watch from its revision', async () => {
        await put('/a/1', '1');
        const { revision } = store.list('/a/');
        const changes = store.watch('/a/', revision, never);
        const written = put('/a/2', '2');
        await written;
        await put('/a/3', '3');
        expect((await take(changes, 2)).map(brief)).toEqual(['2 /a/2 - > 2', '3 /a/3 - > 3']);
      });

      test('begins in the past, and goes on without a seam', async () => {
        for (let n = 1; n <= 5; n += 1) await put(`/a/${String(n)}`, 'x');
        const changes = store.watch('/a/', 2, never);
        await put('/a/6', 'x');
        expect((await take(changes, 4)).map(({ revision }) => revision)).toEqual([3, 4, 5, 6]);
      });

      test('keeps quiet up to a revision that lies in the future', async () => {
        const changes = store.watch('/', 2, never);
        for (const key of ['/1', '/2', '/3']) await put(key, 'x');
        expect((await take(changes, 1)).map(({ revision }) => revision)).toEqual([3]);
      });

      test('serves a prefix that is no whole segment, a single key, and everything', async () => {
        const streams = ['/pods/ns/we', '/pods/ns/web-1', '', '/', '/pods/', '/other/'].map((prefix) =>
          store.watch(prefix, 0, AbortSignal.timeout(500)),
        );
        await put('/pods/ns/web-1', 'x');
        await put('/pods/ns/db', 'x');
        const counts = await Promise.all(streams.map(async (stream) => (await take(stream, 9)).length));
        expect(counts).toEqual([1, 1, 2, 2, 2, 0]);
      });

      test('ends when the signal aborts, at once or later, and when the reader leaves', async () => {
        expect(await take(store.watch('/', 0, AbortSignal.abort()), 1)).toEqual([]);
        const controller = new AbortController();
        const waiting = take(store.watch('/', 0, controller.signal), 1);
        controller.abort();
        expect(await waiting).toEqual([]);
        await put('/a', '1');
        for await (const change of store.watch('/', 0, never)) {
          expect(change.revision).toBe(1);
          break;
        }
      });

      test('drops a watcher that does not read, with Compacted, and leaves the others alone', async () => {
        await reopen({ watch: { changes: 10 } });
        const slow = store.watch('/', 0, never);
        const quick = store.watch('/', 0, never);
        const reading = take(quick, 30);
        for (let n = 0; n < 30; n += 1) await put('/a', String(n));
        expect(await reading).toHaveLength(30);
        await expect(take(slow, 1)).rejects.toThrow(Compacted);
        expect(await take(slow, 1)).toEqual([]);
      });

      test('drops a watcher that holds too many bytes', async () => {
        await reopen({ watch: { bytes: 10_000 } });
        const slow = store.watch('/', 0, never);
        for (let n = 0; n < 3; n += 1) await put(`/${String(n)}`, 'x'.repeat(4000));
        await expect(take(slow, 3)).rejects.toThrow(Compacted);
      });

      test('lets a watcher catch up with a past that is longer than it may lag', async () => {
        await reopen({ watch: { changes: 10 } });
        for (let n = 0; n < 40; n += 1) await put('/a', String(n));
        const changes = store.watch('/', 0, never);
        await put('/a', 'live');
        expect(await take(changes, 41)).toHaveLength(41);
      });
    });

    describe('compaction', () => {
      test('forgets older states and changes, and keeps the one it names and the newest', async () => {
        await put('/a', '1');
        await put('/a', '2');
        await put('/b', '1');
        await remove('/b');
        await put('/a', '3');
        await store.compact(4);
        expect(() => store.get('/a', 3)).toThrow(new Compacted(4));
        expect(() => store.list('/', { at: 1 })).toThrow(Compacted);
        expect(text(store.get('/a', 4)?.value)).toBe('2');
        expect(text(store.get('/a')?.value)).toBe('3');
        expect(keysOf('/', 4)).toEqual(['/a']);
        await expect(take(store.watch('/', 3, never), 1)).rejects.toThrow(Compacted);
        expect((await take(store.watch('/', 4, never), 1)).map(brief)).toEqual(['5 /a 2 > 3']);
      });

      test('leaves running watches alone', async () => {
        const changes = store.watch('/', 0, never);
        await put('/a', '1');
        await put('/a', '2');
        await store.compact(2);
        expect(await take(changes, 2)).toHaveLength(2);
      });

      test('goes no further than what has happened, and never back', async () => {
        await put('/a', '1');
        await store.compact(100);
        await store.compact(0);
        expect(text(store.get('/a', 1)?.value)).toBe('1');
        expect(() => store.get('/a', 0)).toThrow(Compacted);
        expect(await put('/a', '2')).toBe(2);
      });

      test('happens by itself beyond the number of changes that are kept', async () => {
        await reopen({ history: { changes: 10 } });
        for (let n = 1; n <= 25; n += 1) await put('/a', String(n));
        expect(() => store.get('/a', 14)).toThrow(Compacted);
        expect(text(store.get('/a', 15)?.value)).toBe('15');
        expect(await take(store.watch('/', 15, never), 10)).toHaveLength(10);
      });

      test('happens by itself beyond the bytes that are kept', async () => {
        await reopen({ history: { bytes: 10_000 } });
        for (let n = 1; n <= 10; n += 1) await put('/a', 'x'.repeat(3000));
        expect(() => store.get('/a', 6)).toThrow(Compacted);
        expect(store.get('/a', 7)?.modified).toBe(7);
      });
    });

    describe('closing and opening again', () => {
      test('settles what is pending, then refuses writes and ends watches', async () => {
        const reading = take(store.watch('/', 0, never), 9);
        const unread = store.watch('/', 0, never);
        const pending = Array.from({ length: 20 }, (_, n) => put(`/${String(n)}`, 'x'));
        const closing = store.close();
        await expect(put('/late', 'x')).rejects.toThrow(StoreUnavailable);
        expect(await Promise.all(pending)).toHaveLength(20);
        await closing;
        expect(await reading).toHaveLength(9);
        expect(await take(unread, 99)).toHaveLength(20);
        expect(await take(store.watch('/', 20, never), 1)).toEqual([]);
        await store.close();
      });

      test('finds every entry with its revisions, and counts on from the last one, deletions included', async () => {
        await put('/a', '1');
        await put('/b', '1');
        await put('/a', '2');
        await remove('/b');
        await reopen();
        expect(store.revision).toBe(4);
        expect(store.list('').entries).toEqual([{ key: '/a', value: bytes('2'), created: 1, modified: 3 }]);
        expect(await put('/c', '1')).toBe(5);
      });

      test('resumes watches from the last revision, and calls older ones compacted', async () => {
        await put('/a', '1');
        await put('/a', '2');
        await reopen();
        const resumed = store.watch('/', 2, never);
        await expect(take(store.watch('/', 1, never), 1)).rejects.toThrow(new Compacted(2));
        await put('/a', '3');
        expect((await take(resumed, 1)).map(brief)).toEqual(['3 /a 2 > 3']);
      });

      test('keeps keys of every alphabet in the same order', async () => {
        const keys = ['/ä', '/z', '/日本', '/a b', '/%', '/é/\u0000x'];
        for (const key of keys) await put(key, key);
        const before = keysOf('/');
        await reopen();
        expect(keysOf('/')).toEqual(before);
        expect(before).toEqual([...keys].sort());
      });
    });

    storeWatchProperties((options) => reopen(options).then(() => store));
  });
};
