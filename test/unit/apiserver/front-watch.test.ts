import { describe, expect, it } from 'vitest';
import type { Stored, WatchItem } from '../../../src/apiserver/registry.js';
import { WatchLines, watchStream } from '../../../src/apiserver/watch-stream.js';
import type { WatchFormat } from '../../../src/apiserver/watch-stream.js';
import { ClusterError } from '../../../src/base/errors.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';

const stored = (name: string): Stored => {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, uid: name, resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z' },
  };
  return { object, bytes: Buffer.from(JSON.stringify(object)) };
};

const format = (as: WatchFormat['form']['as']): WatchFormat => ({
  kind: configmaps,
  form: { as, version: 'v1' },
  include: 'Metadata',
  now: () => Date.UTC(2026, 0, 1, 0, 1),
});

async function* items(...list: readonly (WatchItem | Error)[]): AsyncGenerator<WatchItem> {
  for (const item of list) {
    await new Promise((resolve) => setImmediate(resolve));
    if (item instanceof Error) throw item;
    yield item;
  }
}

const run = async (as: WatchFormat['form']['as'], list: readonly (WatchItem | Error)[]) => {
  const { signal } = new AbortController();
  const errors: string[] = [];
  const options = { lines: new WatchLines(), signal, onError: (error: string) => errors.push(error) };
  const lines: Record<string, unknown>[] = [];
  for await (const line of await watchStream(items(...list), format(as), options))
    lines.push(JSON.parse(Buffer.from(line).toString()) as Record<string, unknown>);
  return { lines, errors };
};

const added = (name: string): WatchItem => ({ type: 'ADDED', stored: stored(name) });

describe('a watch', () => {
  it('makes the line of an event once, whoever watches', () => {
    const lines = new WatchLines();
    const one = stored('a');
    expect(lines.of('ADDED', one)).toBe(lines.of('ADDED', one));
    expect(Buffer.from(lines.of('ADDED', one)).toString()).toBe(
      `{"type":"ADDED","object":${Buffer.from(one.bytes).toString()}}\n`,
    );
    expect(lines.of('DELETED', one)).not.toBe(lines.of('ADDED', one));
  });

  it('of Tables sends the columns only once', async () => {
    const { lines } = await run('table', [added('a'), added('b')]);
    const tables = lines.map(({ object }) => object as { columnDefinitions: unknown[]; rows: unknown[] });
    expect(tables.map(({ columnDefinitions }) => columnDefinitions.length > 0)).toEqual([true, false]);
    expect(tables.map(({ rows }) => rows.length)).toEqual([1, 1]);
  });

  it('marks the end of the initial events in a bookmark', async () => {
    const { lines } = await run('object', [
      { type: 'BOOKMARK', resourceVersion: '9', initialEventsEnd: true },
    ]);
    expect(lines).toEqual([
      {
        type: 'BOOKMARK',
        object: {
          kind: 'ConfigMap',
          apiVersion: 'v1',
          metadata: {
            resourceVersion: '9',
            creationTimestamp: null,
            annotations: { 'k8s.io/initial-events-end': 'true' },
          },
        },
      },
    ]);
  });

  it('that fails midway ends with an ERROR event that holds the Status', async () => {
    const { lines, errors } = await run('object', [added('a'), new ClusterError('Expired', 'too old')]);
    expect(lines.map(({ type }) => type)).toEqual(['ADDED', 'ERROR']);
    expect(lines[1]?.['object']).toMatchObject({ kind: 'Status', reason: 'Expired', code: 410 });
    expect(errors).toEqual([]);
  });

  it('that is refused at once is refused before it begins, so that the answer can have its own code', async () => {
    const refused: AsyncIterable<WatchItem> = {
      async *[Symbol.asyncIterator]() {
        await Promise.resolve();
        throw new ClusterError('BadRequest', 'unable to parse requirement');
      },
    };
    const { signal } = new AbortController();
    await expect(
      watchStream(refused, format('object'), { lines: new WatchLines(), signal, onError: () => undefined }),
    ).rejects.toThrow('unable to parse requirement');
  });

  it('ends the registry’s watch when its reader stops reading', async () => {
    let ended = false;
    const endless: AsyncIterable<WatchItem> = {
      async *[Symbol.asyncIterator]() {
        try {
          for (;;) yield await Promise.resolve(added('a'));
        } finally {
          ended = true;
        }
      },
    };
    const { signal } = new AbortController();
    const stream = await watchStream(endless, format('object'), {
      lines: new WatchLines(),
      signal,
      onError: () => undefined,
    });
    const reader = stream[Symbol.asyncIterator]();
    await reader.next();
    await reader.return?.();
    expect(ended).toBe(true);
  });
});
