import { describe, expect, it } from 'vitest';
import { Bell } from '../../../src/base/bell.js';
import { Heap } from '../../../src/base/heap.js';
import { createRandom, seeds } from '../../contract/random.js';

describe.each(seeds([1, 2]))('a heap (seed %i)', (seed) => {
  it('gives back in order what was put in, whatever the order', () => {
    const random = createRandom(seed);
    const heap = new Heap<number>((a, b) => a < b);
    const model: number[] = [];
    for (let step = 0; step < 2000; step += 1) {
      if (random.chance(0.6) || model.length === 0) {
        const value = random.integer(100);
        heap.push(value);
        model.push(value);
        model.sort((a, b) => a - b);
      } else {
        heap.pop();
        model.shift();
      }
      expect(heap.first).toBe(model[0]);
      expect(heap.size).toBe(model.length);
    }
    heap.reset([3, 1, 2]);
    expect([heap.first, heap.size]).toEqual([1, 3]);
  });
});

describe('a bell', () => {
  it('wakes the one who waits, and is heard by the next when nobody did', async () => {
    const bell = new Bell();
    const never = new AbortController().signal;
    let woken = 0;
    const wait = async (): Promise<void> => {
      await bell.wait(never);
      woken += 1;
    };
    const waiting = wait();
    await Promise.resolve();
    expect(woken).toBe(0);
    bell.ring();
    await waiting;
    bell.ring();
    await wait();
    expect(woken).toBe(2);
  });

  it('lets go when the wait is over otherwise', async () => {
    const end = new AbortController();
    const waiting = new Bell().wait(end.signal);
    end.abort();
    await waiting;
  });
});
