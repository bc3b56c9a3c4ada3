// Wake-ups of many keys on one sleep of the clock: a heap by time, no polling.
import { isAbort } from '../base/abort.js';
import type { Clock, Instant } from '../base/clock.js';
import { Heap } from '../base/heap.js';

interface Timer<T> {
  readonly id: string;
  readonly at: Instant;
  readonly value: T;
}

/** Longest sleep of the system's timers: 31 bits of milliseconds. */
const longest = 2 ** 31 - 1;

/** Asked anew: the compiler would take an earlier answer for the present one. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;

/** A timer that was replaced or cancelled stays in the heap until its time comes, and is then skipped. */
export class Timers<T> {
  readonly #clock: Clock;
  readonly #fire: (value: T) => void;
  readonly #heap = new Heap<Timer<T>>((a, b) => a.at < b.at);
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
    const { first } = this.#heap;
    this.#heap.push(timer);
    if (first === undefined || at < first.at) this.#interrupt?.();
    if (this.#heap.size > 64 && this.#heap.size > 2 * this.#current.size)
      this.#heap.reset(this.#current.values());
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
    const { first } = this.#heap;
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
    for (let { first } = this.#heap; first !== undefined && first.at <= now; first = this.#heap.first) {
      this.#heap.pop();
      if (this.#current.get(first.id) !== first) continue;
      this.#current.delete(first.id);
      this.#fire(first.value);
    }
  }
}
