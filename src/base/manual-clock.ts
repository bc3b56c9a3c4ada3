// A clock that moves only when told to: the time of simulated clusters and of tests.
import type { Clock, Instant } from './clock.js';

interface Sleeper {
  readonly at: Instant;
  wake(): void;
}

export class ManualClock implements Clock {
  #now: Instant;
  readonly #sleepers = new Set<Sleeper>();

  constructor(start: Instant = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): Instant {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason as Error);
      };
      const sleeper: Sleeper = {
        at: this.#now + Math.max(0, ms),
        wake: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** The instant of the next sleeper, if any sleeps. */
  get next(): Instant | undefined {
    let next: Instant | undefined;
    for (const { at } of this.#sleepers) if (next === undefined || at < next) next = at;
    return next;
  }

  /** Moves time without waking anyone, as when the machine slept: who is late wakes with the next advance. */
  jump(ms: number): void {
    this.#now += ms;
  }

  /**
   * Moves time forward by `ms`, waking sleepers in order and giving what they wake a turn of the event loop
   * before the next one: `settle` is that turn.
   */
  async advance(ms: number, settle: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.next; next !== undefined && next <= end; next = this.next) {
      this.#now = Math.max(this.#now, next);
      for (const sleeper of [...this.#sleepers].filter(({ at }) => at <= this.#now)) {
        this.#sleepers.delete(sleeper);
        sleeper.wake();
      }
      await settle();
    }
    this.#now = end;
    await settle();
  }
}
