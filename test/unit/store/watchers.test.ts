import { describe, expect, test } from 'vitest';
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

  test('serves reads that were asked for ahead of the changes', async () => {
    const watcher = open(create(), '/');
    const reads = [watcher.next(), watcher.next(), watcher.next()];
    watcher.push(changeOf('/1', 1), 0);
    watcher.push(changeOf('/2', 2), 0);
    watcher.close();
    expect((await Promise.all(reads)).map(({ done }) => done)).toEqual([false, false, true]);
  });
});
