import { describe, expect, it } from 'vitest';
import { linesOf, watchEvents } from '../../../src/client/watch-events.js';
import { createRandom, seeds } from '../../contract/random.js';

async function* cut(bytes: Uint8Array, seed: number): AsyncGenerator<Uint8Array> {
  const random = createRandom(seed);
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random.integer(12);
    yield await Promise.resolve(bytes.subarray(at, at + size));
    at += size;
  }
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

describe('lines of a stream', () => {
  it.each(seeds([1, 2, 3, 4]))('are the same however the bytes arrive (seed %i)', async (seed) => {
    const lines = ['{"a":1}', 'grüße, 世界 🚢', 'x'.repeat(100), '{}'];
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    expect(await collect(linesOf(cut(bytes, seed)))).toEqual(lines);
  });

  it('leave out one that was cut off', async () => {
    expect(await collect(linesOf(once('{"a":1}\n{"b"')))).toEqual(['{"a":1}']);
  });
});

describe('events of a watch', () => {
  const { signal } = new AbortController();
  const events = (text: string) => collect(watchEvents(() => Promise.resolve(once(text)), signal));

  it('carry objects and bookmarks', async () => {
    const text = [
      { type: 'ADDED', object: { metadata: { name: 'a' } } },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '12' } } },
    ];
    expect(await events(text.map((event) => `${JSON.stringify(event)}\n`).join(''))).toEqual([
      text[0],
      { type: 'BOOKMARK', resourceVersion: '12' },
    ]);
  });

  it('throw what an ERROR says', async () => {
    const error = {
      type: 'ERROR',
      object: { kind: 'Status', reason: 'Expired', message: 'too old', code: 410 },
    };
    await expect(events(`${JSON.stringify(error)}\n`)).rejects.toMatchObject({
      code: 'Expired',
      message: 'too old',
    });
  });

  it('end without an error when the watch was given up', async () => {
    const controller = new AbortController();
    const failing = () => {
      controller.abort();
      return Promise.reject(new Error('aborted'));
    };
    expect(await collect(watchEvents(failing, controller.signal))).toEqual([]);
  });
});
