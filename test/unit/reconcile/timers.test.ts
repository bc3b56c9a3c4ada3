import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/base/manual-clock.js';
import { Timers } from '../../../src/reconcile/timers.js';
import { createRandom, seeds } from '../../contract/random.js';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const start = () => {
  const clock = new ManualClock(0);
  const fired: [string, number][] = [];
  const timers = new Timers<string>(clock, (value) => fired.push([value, clock.now()]));
  const end = new AbortController();
  const done = timers.run(end.signal);
  return {
    clock,
    timers,
    fired,
    stop: async () => {
      end.abort();
      await done;
    },
  };
};

describe('timers', () => {
  it('fire in order of time, also when an earlier one comes later', async () => {
    const { clock, timers, fired, stop } = start();
    timers.set('late', 300, 'late');
    await clock.advance(10, settle);
    timers.set('early', 100, 'early');
    await clock.advance(500, settle);
    expect(fired).toEqual([
      ['early', 100],
      ['late', 300],
    ]);
    await stop();
  });

  it('fire once, at the newest time, and not at all when cancelled', async () => {
    const { clock, timers, fired, stop } = start();
    timers.set('moved', 100, 'moved');
    timers.set('moved', 200, 'moved');
    timers.set('cancelled', 150, 'cancelled');
    timers.cancel('cancelled');
    await clock.advance(1000, settle);
    expect(fired).toEqual([['moved', 200]]);
    await stop();
  });

  it('that are due already fire at once', async () => {
    const { clock, timers, fired, stop } = start();
    await clock.advance(1000, settle);
    timers.set('past', 5, 'past');
    await clock.advance(0, settle);
    expect(fired).toEqual([['past', 1000]]);
    await stop();
  });

  it('hold one sleep of the clock, however many there are', async () => {
    const { clock, timers, stop } = start();
    let sleeps = 0;
    const sleep = clock.sleep.bind(clock);
    clock.sleep = (ms, signal) => {
      sleeps += 1;
      return sleep(ms, signal);
    };
    for (let index = 0; index < 1000; index += 1) timers.set(String(index), 1000 + index, '');
    await settle();
    expect(sleeps).toBeLessThanOrEqual(2);
    await stop();
  });

  it.each(seeds([1, 2, 3]))('of many keys fire when they should (seed %i)', async (seed) => {
    const random = createRandom(seed);
    const { clock, timers, fired, stop } = start();
    const expected = new Map<string, number>();
    for (let step = 0; step < 500; step += 1) {
      const id = `k${String(random.integer(60))}`;
      if (random.chance(0.2)) {
        timers.cancel(id);
        expected.delete(id);
      } else {
        const at = 1000 + random.integer(5000);
        timers.set(id, at, id);
        expected.set(id, at);
      }
    }
    await clock.advance(10_000, settle);
    expect(new Map(fired)).toEqual(expected);
    expect(fired.map(([, at]) => at)).toEqual(fired.map(([, at]) => at).sort((a, b) => a - b));
    await stop();
  });
});
