import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Compacted } from '../../../src/store/store.js';
import type { Change } from '../../../src/store/store.js';
import type { Watcher } from '../../../src/store/watcher.js';
import { Watchers } from '../../../src/store/watchers.js';

const never = new AbortController().signal;

const changeOf = (key: string, revision = 1): Change => ({
  revision,
  key,
  entry: undefined,
  previous: undefined,
});

const open = (watchers: Watchers, prefix: string, signal = never): Watcher =>
  watchers.open({ prefix, after: 0, backlog: [], signal });

/** Keys that wait in the watcher. */
const waiting = async (watcher: Watcher): Promise<string[]> => {
  watcher.finish();
  const keys: string[] = [];
  for await (const { key } of watcher) keys.push(key);
  return keys;
};

const create = (): Watchers => new Watchers({ changes: 100, bytes: 1000 });

describe('dispatch', () => {
  test('reaches exactly the watchers whose prefix the key starts with', async () => {
    const watchers = create();
    const keys = ['/a/b/c', '/a/bc', '/a/b/', '/a', 'a/b', '/', '//x', ''];
    const opened = [...keys, '/a/', '/a/b', '/a/b/cd', '/b'].map((prefix) => ({
      prefix,
      watcher: open(watchers, prefix),
    }));
    for (const key of keys) watchers.dispatch(changeOf(key), 0);
    for (const { prefix, watcher } of opened)
      expect(await waiting(watcher), `watch of "${prefix}"`).toEqual(
        keys.filter((key) => key.startsWith(prefix)),
      );
  });

  test('does not ask the watchers of other keys', () => {
    const watchers = create();
    const asked = { count: 0 };
    for (let n = 0; n < 20_000; n += 1) {
      const watcher = open(watchers, `/pods/ns-${String(n % 100)}/pod-${String(n)}`);
      const push = watcher.push.bind(watcher);
      watcher.push = (change, oldest) => {
        asked.count += 1;
        push(change, oldest);
      };
    }
    watchers.dispatch(changeOf('/pods/ns-7/pod-19907'), 0);
    expect(asked.count).toBe(1);
    watchers.dispatch(changeOf('/pods/ns-7/other'), 0);
    watchers.dispatch(changeOf('/nodes/ns-7/pod-107'), 0);
    expect(asked.count).toBe(1);
  });
});

describe('registration', () => {
  test('forgets watchers however they end', async () => {
    const watchers = create();
    const controller = new AbortController();
    for (let n = 0; n < 50; n += 1) open(watchers, `/${String(n % 7)}`, controller.signal);
    const left = open(watchers, '/left');
    const finished = open(watchers, '/finished');
    open(watchers, '/aborted before', AbortSignal.abort());
    expect(watchers.size).toBe(52);
    controller.abort();
    await left.return();
    finished.finish();
    expect(watchers.size).toBe(0);
  });

  test('listens once to a signal that many watches share', () => {
    const watchers = create();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    const controller = new AbortController();
    for (let n = 0; n < 100; n += 1) open(watchers, '/', controller.signal);
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      process.off('warning', onWarning);
      expect(warnings).toEqual([]);
    });
  });

  test('leaves nothing behind on a signal that outlives its watches', async () => {
    const watchers = create();
    const controller = new AbortController();
    const opened = ['/1', '/2'].map((prefix) => open(watchers, prefix, controller.signal));
    for (const watcher of opened) await watcher.return();
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  test('serves reads that were asked for ahead of the changes', async () => {
    const watcher = open(create(), '/');
    const reads = [watcher.next(), watcher.next(), watcher.next()];
    watcher.push(changeOf('/1', 1), 0);
    watcher.push(changeOf('/2', 2), 0);
    watcher.close();
    expect((await Promise.all(reads)).map(({ done }) => done)).toEqual([false, false, true]);
  });
});

describe('lagging', () => {
  const entryOf = (revision: number, size: number): Change => ({
    ...changeOf('/a', revision),
    entry: { key: '/a', value: new Uint8Array(size), created: 1, modified: revision },
  });
  const read = async (watcher: Watcher, count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) expect((await watcher.next()).done).toBe(false);
  };

  test('counts what is live and unread, not the past and not what was read', async () => {
    const watchers = new Watchers({ changes: 10, bytes: 1_000_000 });
    const backlog = Array.from({ length: 3000 }, (_, n) => changeOf('/a', n + 1));
    const watcher = watchers.open({ prefix: '/', after: 0, backlog, signal: never });
    let revision = 3000;
    const push = (count: number): void => {
      for (let n = 0; n < count; n += 1) watchers.dispatch(entryOf((revision += 1), 1), 7);
    };
    push(5);
    await read(watcher, 2900);
    push(5);
    await read(watcher, 103);
    push(3);
    expect(watchers.size).toBe(1);
    push(1);
    await expect(watcher.next()).rejects.toEqual(new Compacted(7));
    expect(watchers.size).toBe(0);
  });

  test('counts bytes of what is unread only, and takes one change whatever its size', async () => {
    const watchers = new Watchers({ changes: 100, bytes: 1000 });
    const watcher = open(watchers, '/');
    for (let n = 1; n <= 20; n += 1) {
      watchers.dispatch(entryOf(n, n === 10 ? 5000 : 400), 0);
      await read(watcher, 1);
    }
    for (let n = 21; n <= 22; n += 1) watchers.dispatch(entryOf(n, 400), 0);
    expect(watchers.size).toBe(1);
    watchers.dispatch(entryOf(23, 400), 0);
    await expect(watcher.next()).rejects.toThrow(Compacted);
  });
});
