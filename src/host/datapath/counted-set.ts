// A set of the table to which several frontends add the same element: it is there as long as one of them needs it.
import type { Operation } from './proxy-plan.js';

export class CountedSet {
  readonly #set: string;
  readonly #counts = new Map<string, number>();
  /** Elements touched since the last `drain`, and whether the kernel has them. */
  readonly #touched = new Map<string, boolean>();

  constructor(set: string) {
    this.#set = set;
  }

  add(key: string): void {
    this.#change(key, 1);
  }

  remove(key: string): void {
    this.#change(key, -1);
  }

  /** What the kernel must be told since the last call. */
  drain(): readonly Operation[] {
    const operations: Operation[] = [];
    for (const [key, present] of this.#touched) {
      const wanted = this.#counts.has(key);
      if (wanted !== present)
        operations.push({ do: wanted ? 'add element' : 'delete element', map: this.#set, key });
    }
    this.#touched.clear();
    return operations;
  }

  #change(key: string, by: number): void {
    const count = this.#counts.get(key) ?? 0;
    if (!this.#touched.has(key)) this.#touched.set(key, count > 0);
    if (count + by > 0) this.#counts.set(key, count + by);
    else this.#counts.delete(key);
  }
}
