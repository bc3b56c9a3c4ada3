import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { MemoryIndex } from '../../../src/store/memory-index.js';
import { Compacted } from '../../../src/store/store.js';
import type { Change, Entry } from '../../../src/store/store.js';
import { createRandom, seeds } from '../../contract/random.js';

const limits = { changes: 1_000_000, bytes: 1_000_000_000 };
const value = Buffer.from('value');

/** Applies a random write and tells the state after it. */
const write = (index: MemoryIndex, key: string, kind: 'put' | 'delete'): void => {
  const revision = index.revision + 1;
  const previous = index.get(key);
  if (kind === 'delete' && previous === undefined) return;
  const entry =
    kind === 'delete'
      ? undefined
      : { key, value, created: previous?.created ?? revision, modified: revision };
  index.apply({ revision, key, entry, previous });
};

for (const seed of seeds([1, 2]))
  test(`agrees with full copies of every state, through compactions (seed ${String(seed)})`, () => {
    const random = createRandom(seed);
    const index = new MemoryIndex(0, [], { changes: 150, bytes: limits.bytes });
    const states: (readonly Entry[])[] = [[]];
    const changes: Change[] = [];
    for (let step = 0; step < 600; step += 1) {
      const before = index.revision;
      write(index, `/k/${String(random.integer(12))}`, random.chance(0.35) ? 'delete' : 'put');
      if (index.revision > before) {
        states.push(index.list('').entries);
        changes.push(...index.changesAfter('', before));
      }
      if (random.chance(0.02)) index.compact(random.integer(index.revision + 1));
      const at = random.integer(index.revision + 1);
      if (at < index.oldest) {
        expect(() => index.list('', { at })).toThrow(Compacted);
        expect(() => index.changesAfter('', at)).toThrow(Compacted);
      } else {
        expect(index.list('', { at }).entries).toEqual(states[at]);
        expect(index.changesAfter('', at)).toEqual(changes.slice(at));
      }
    }
    expect(index.historySize).toBeLessThanOrEqual(150);
  });

describe('memory', () => {
  test('forgets deleted keys and replaced values when history does', () => {
    const index = new MemoryIndex(0, [], { changes: 100, bytes: limits.bytes });
    for (let n = 0; n < 10_000; n += 1) {
      write(index, `/short-lived/${String(n)}`, 'put');
      write(index, `/short-lived/${String(n)}`, 'delete');
    }
    write(index, '/last', 'put');
    expect(index.historySize).toBe(100);
    index.compact(index.revision);
    expect(index.historySize).toBe(0);
    expect(index.list('')).toMatchObject({ entries: [{ key: '/last' }] });
  });

  test('keeps the newest change even when it alone is larger than history may be', () => {
    const index = new MemoryIndex(0, [], { changes: 10, bytes: 3 });
    write(index, '/a', 'put');
    write(index, '/a', 'put');
    expect(index.changesAfter('', 1)).toHaveLength(1);
    expect(index.oldest).toBe(1);
  });

  test('lets go of the values that a busy key has outlived', async () => {
    setFlagsFromString('--expose_gc');
    const collect = runInNewContext('gc') as () => void;
    const index = new MemoryIndex(0, [], { changes: 10, bytes: limits.bytes });
    write(index, '/busy', 'put');
    const first = new WeakRef(index.get('/busy')!);
    for (let n = 0; n < 50; n += 1) write(index, '/busy', 'put');
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(first.deref()).toBeUndefined();
  });

  test('keeps exactly the newest changes over many times their number', () => {
    const index = new MemoryIndex(0, [], { changes: 1500, bytes: limits.bytes });
    for (let n = 1; n <= 10_000; n += 1) {
      write(index, '/a', 'put');
      if (n % 100 !== 0) continue;
      expect(index.changesAfter('', index.oldest)).toHaveLength(Math.min(n, 1500));
    }
    expect(index.changesAfter('', 9998).map(({ revision }) => revision)).toEqual([9999, 10_000]);
  });
});
