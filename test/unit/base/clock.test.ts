import { describe, expect, it } from 'vitest';
import { fromTimestamp, toMicroTimestamp, toTimestamp } from '../../../src/base/clock.js';
import { ManualClock } from '../../../src/base/manual-clock.js';

describe('timestamps', () => {
  const instant = Date.UTC(2026, 1, 3, 4, 5, 6, 789);

  it('are written as Kubernetes writes them', () => {
    expect(toTimestamp(instant)).toBe('2026-02-03T04:05:06Z');
    expect(toMicroTimestamp(instant)).toBe('2026-02-03T04:05:06.789000Z');
  });

  it.each([
    ['2026-02-03T04:05:06Z', Date.UTC(2026, 1, 3, 4, 5, 6)],
    ['2026-02-03T04:05:06.789000Z', instant],
    ['2026-02-03T06:05:06+02:00', Date.UTC(2026, 1, 3, 4, 5, 6)],
  ])('read %s back', (text, expected) => {
    expect(fromTimestamp(text)).toBe(expected);
  });

  it.each([undefined, '', 'yesterday', '2026-13-45T99:00:00Z'])('are undefined for %s', (text) => {
    expect(fromTimestamp(text)).toBeUndefined();
  });
});

const never = new AbortController().signal;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a clock that is moved by hand', () => {
  it('stands still until it is moved', () => {
    const clock = new ManualClock(1000);
    expect(clock.now()).toBe(1000);
    expect(clock.next).toBeUndefined();
  });

  it('wakes sleepers in the order of their instants, each at its own', async () => {
    const clock = new ManualClock(0);
    const woken: [string, number][] = [];
    const sleep = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms, never);
      woken.push([name, clock.now()]);
    };
    const all = [sleep('late', 300), sleep('early', 100), sleep('middle', 200)];
    expect(clock.next).toBe(100);
    await clock.advance(250, turn);
    expect(woken).toEqual([
      ['early', 100],
      ['middle', 200],
    ]);
    expect(clock.now()).toBe(250);
    await clock.advance(50, turn);
    await Promise.all(all);
    expect(woken.at(-1)).toEqual(['late', 300]);
  });

  it('lets a sleeper that was woken sleep again within the same move', async () => {
    const clock = new ManualClock(0);
    const ticks: number[] = [];
    const stop = new AbortController();
    const loop = (async () => {
      while (!stop.signal.aborted) {
        await clock.sleep(10, stop.signal);
        ticks.push(clock.now());
      }
    })();
    await clock.advance(45, turn);
    expect(ticks).toEqual([10, 20, 30, 40]);
    stop.abort(new Error('enough'));
    await expect(loop).rejects.toThrow('enough');
    expect(clock.next).toBeUndefined();
  });

  it('wakes who sleeps for no time at the next move, even one of no time', async () => {
    const clock = new ManualClock(5);
    const slept = Promise.all([clock.sleep(0, never), clock.sleep(-10, never)]);
    await clock.advance(0, turn);
    await expect(slept).resolves.toHaveLength(2);
    expect(clock.now()).toBe(5);
  });

  it('rejects with the reason of a signal that aborts, before or during the sleep', async () => {
    const clock = new ManualClock(0);
    const reason = new Error('shutting down');
    await expect(clock.sleep(10, AbortSignal.abort(reason))).rejects.toBe(reason);
    const stop = new AbortController();
    const slept = clock.sleep(10, stop.signal);
    stop.abort(reason);
    await expect(slept).rejects.toBe(reason);
    expect(clock.next).toBeUndefined();
  });

  it('is not disturbed by a signal that aborts after the sleep', async () => {
    const clock = new ManualClock(0);
    const stop = new AbortController();
    const slept = clock.sleep(10, stop.signal);
    await clock.advance(10, turn);
    stop.abort();
    await expect(slept).resolves.toBeUndefined();
  });
});
