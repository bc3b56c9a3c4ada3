// Wake-ups of many keys on one sleep of the clock: a heap by time, no polling.
import { isAbort } from '../base/abort.js';
import type { Clock, Instant } from '../base/clock.js';

interface Timer<T> {
  readonly id: string;
  readonly at: Instant;
  readonly value: T;
}

/** Longest sleep of the system's timers: 31 bits of milliseconds. */
const longest = 2 ** 31 - 1;

/** Asked anew: the compiler would take an earlier answer for the present one. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;

/** A binary heap; a timer that was replaced or cancelled stays in it until its time comes, and is then skipped. */
export class Timers<T> {
  readonly #clock: Clock;
  readonly #fire: (value: T) => void;
  #heap: Timer<T>[] = [];
  readonly #current = new Map<string, Timer<T>>();
  /** Ends the present sleep, because an earlier timer came. */
  #interrupt: (() => void) | undefined;

  constructor(clock: Clock, fire: (value: T) => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** Replaces the id's timer. */
  set(id: string, at: Instant, value: T): void {
    if (this.#current.get(id)?.at === at) return;
    const timer: Timer<T> = { id, at, value };
    this.#current.set(id, timer);
    const first = this.#heap[0];
    this.#push(timer);
    if (first === undefined || at < first.at) this.#interrupt?.();
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#current.size) this.#rebuild();
  }

  cancel(id: string): void {
    this.#current.delete(id);
  }

  /** Fires timers until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const end = (): void => this.#interrupt?.();
    signal.addEventListener('abort', end, { once: true });
    while (!signal.aborted) {
      await this.#sleep();
      if (!isOver(signal)) this.#fireDue();
    }
    signal.removeEventListener('abort', end);
  }

  async #sleep(): Promise<void> {
    const interrupted = new AbortController();
    this.#interrupt = () => interrupted.abort();
    const first = this.#heap[0];
    const ms = first === undefined ? longest : first.at - this.#clock.now();
    try {
      await this.#clock.sleep(Math.min(ms, longest), interrupted.signal);
    } catch (error) {
      if (!isAbort(error, interrupted.signal)) throw error;
    } finally {
      this.#interrupt = undefined;
    }
  }

  #fireDue(): void {
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      this.#pop();
      if (this.#current.get(first.id) !== first) continue;
      this.#current.delete(first.id);
      this.#fire(first.value);
    }
  }

  #rebuild(): void {
    const live = [...this.#current.values()];
    this.#heap = [];
    for (const timer of live) this.#push(timer);
  }

  #push(timer: Timer<T>): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= timer.at) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const right = heap[child + 1];
      let smaller = heap[child];
      if (smaller === undefined) break;
      if (right !== undefined && right.at < smaller.at) {
        child += 1;
        smaller = right;
      }
      if (smaller.at >= last.at) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = last;
  }
}
