// The keys of one controller that wait for their turn: each at most once, none at the same time as itself.
import { displayName } from '../resources/resource.js';
import type { Failure, Key } from './controller.js';
import type { Expectation } from './expectation.js';

/** What the loop remembers of a key between its turns. */
export interface KeyState {
  readonly key: Key;
  readonly id: string;
  running: boolean;
  /** Asked for again while it ran. */
  again: boolean;
  /** Attempts that failed in a row, those for a stale view included. */
  attempts: number;
  failure: Failure | undefined;
  /** What the view must show before the next turn. */
  expectations: readonly Expectation[];
  /** A turn was due while expectations were not met. */
  blocked: boolean;
}

export class KeyQueue {
  readonly #states = new Map<string, KeyState>();
  readonly #waiting = new Set<KeyState>();

  add(key: Key): void {
    const id = displayName(key);
    let state = this.#states.get(id);
    if (state === undefined) {
      state = {
        key,
        id,
        running: false,
        again: false,
        attempts: 0,
        failure: undefined,
        expectations: [],
        blocked: false,
      };
      this.#states.set(id, state);
    }
    this.wake(state);
  }

  wake(state: KeyState): void {
    if (state.running) state.again = true;
    else this.#waiting.add(state);
  }

  /** Undefined when nothing waits. The caller hands it back with `done`. */
  take(): KeyState | undefined {
    for (const state of this.#waiting) {
      this.#waiting.delete(state);
      state.running = true;
      state.again = false;
      return state;
    }
    return undefined;
  }

  done(state: KeyState): void {
    state.running = false;
    if (state.again) {
      state.again = false;
      this.#waiting.add(state);
    } else this.release(state);
  }

  /** Forgets a key of which there is nothing to remember. */
  release(state: KeyState): void {
    if (state.running || this.#waiting.has(state)) return;
    if (state.attempts === 0 && state.expectations.length === 0) this.#states.delete(state.id);
  }

  state(key: Key): KeyState | undefined {
    return this.#states.get(displayName(key));
  }

  get waiting(): number {
    return this.#waiting.size;
  }
}
