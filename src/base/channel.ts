// A bounded queue between one producer and one consumer, read as an AsyncIterable.

/** Thrown to a consumer that read too slowly: it must start over from a fresh list. */
export class Overflow extends Error {
  constructor(capacity: number) {
    super(`reader fell more than ${String(capacity)} items behind`);
    this.name = 'Overflow';
  }
}

export class Channel<T> implements AsyncIterableIterator<T> {
  #items: T[] = [];
  #waiting: { resolve(result: IteratorResult<T>): void; reject(error: unknown): void } | undefined;
  #closed: { readonly error: unknown } | undefined;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** False when the item was not taken: the channel is closed, or this item closed it by overflowing. */
  push(item: T): boolean {
    if (this.#closed !== undefined) return false;
    if (this.#waiting !== undefined) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve({ value: item, done: false });
      return true;
    }
    if (this.#items.length >= this.#capacity) {
      this.#items = [];
      this.close(new Overflow(this.#capacity));
      return false;
    }
    this.#items.push(item);
    return true;
  }

  /** Ends the stream after what is queued; with an error, the consumer's next read rejects with it. */
  close(error?: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error };
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    if (error === undefined) waiting.resolve({ value: undefined, done: true });
    else waiting.reject(error);
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Items queued and not yet read. */
  get size(): number {
    return this.#items.length;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#items.length > 0) return Promise.resolve({ value: this.#items.shift() as T, done: false });
    if (this.#closed !== undefined) {
      const { error } = this.#closed;
      return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<T>> {
    this.#items = [];
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
