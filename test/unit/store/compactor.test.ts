import { expect, test } from 'vitest';
import { ManualClock } from '../../../src/base/manual-clock.js';
import { compactByAge } from '../../../src/store/compactor.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import { MvccStore } from '../../../src/store/mvcc-store.js';
import { Compacted } from '../../../src/store/store.js';

test('history older than twice the age is gone, younger than the age is there, and an abort ends the loop', async () => {
  const clock = new ManualClock();
  const store = new MvccStore(new MemoryEngine());
  const controller = new AbortController();
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const loop = compactByAge(store, { clock, keepMs: 1000 }, controller.signal);
  for (const key of ['/1', '/2']) await store.commit({ key, value: Buffer.from('x') }, 0);
  await clock.advance(1000, settle);
  expect(store.list('/', { at: 1 }).entries).toHaveLength(1);
  await store.commit({ key: '/3', value: Buffer.from('x') }, 0);
  await clock.advance(1000, settle);
  expect(() => store.list('/', { at: 1 })).toThrow(Compacted);
  expect(store.list('/', { at: 2 }).entries).toHaveLength(2);
  controller.abort();
  await loop;
  await store.close();
});
