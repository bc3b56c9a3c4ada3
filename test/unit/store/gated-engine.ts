// An engine whose flushes wait for the test's word, and fail when it says so.
import type { Engine, Snapshot } from '../../../src/store/engine.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import type { Change } from '../../../src/store/store.js';

interface Flush {
  readonly keys: readonly string[];
  succeed(): void;
  fail(error: Error): void;
}

export class GatedEngine implements Engine {
  readonly location = 'data directory /data';
  readonly maxKeyBytes = 100;
  readonly #inner = new MemoryEngine();
  readonly #arrivals: ((flush: Flush) => void)[] = [];
  readonly #waiting: Flush[] = [];
  /** Keys of every flush that was asked for, in order. */
  readonly flushes: (readonly string[])[] = [];

  /** The flush that is in flight, once there is one. */
  flush(): Promise<Flush> {
    const waiting = this.#waiting.shift();
    return waiting === undefined
      ? new Promise((resolve) => this.#arrivals.push(resolve))
      : Promise.resolve(waiting);
  }

  load(): Snapshot {
    return this.#inner.load();
  }

  gather(): Promise<void> {
    return this.#inner.gather();
  }

  append(batch: readonly Change[]): Promise<void> {
    const keys = batch.map(({ key }) => key);
    this.flushes.push(keys);
    return new Promise((resolve, reject) => {
      const flush: Flush = {
        keys,
        succeed: () => {
          this.#inner.append(batch).then(resolve, reject);
        },
        fail: reject,
      };
      const arrival = this.#arrivals.shift();
      if (arrival === undefined) this.#waiting.push(flush);
      else arrival(flush);
    });
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
