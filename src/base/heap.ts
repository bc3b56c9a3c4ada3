// A binary heap: what comes first is at hand, adding and taking cost the logarithm of the size.

export class Heap<T> {
  readonly #comesBefore: (a: T, b: T) => boolean;
  #items: T[] = [];

  constructor(comesBefore: (a: T, b: T) => boolean) {
    this.#comesBefore = comesBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let index = items.length;
    items.push(item);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = items[parent];
      if (above === undefined || !this.#comesBefore(item, above)) break;
      items[index] = above;
      index = parent;
    }
    items[index] = item;
  }

  /** Takes the first away. */
  pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      let next = items[child];
      const right = items[child + 1];
      if (next === undefined) break;
      if (right !== undefined && this.#comesBefore(right, next)) {
        child += 1;
        next = right;
      }
      if (!this.#comesBefore(next, last)) break;
      items[index] = next;
      index = child;
    }
    items[index] = last;
  }

  /** Holds these and nothing else from now on. */
  reset(items: Iterable<T>): void {
    this.#items = [];
    for (const item of items) this.push(item);
  }
}
