// A short queue of bytes between a reader of a connection and one consumer, which holds the reader up when it is slow.

/** A reader that is this much ahead waits. */
const enough = 256 * 1024;

export class ByteQueue implements AsyncIterableIterator<Uint8Array> {
  readonly #pieces: Uint8Array[] = [];
  #size = 0;
  #ended = false;
  #dropped = false;
  #next: ((result: IteratorResult<Uint8Array>) => void) | undefined;
  #room: (() => void)[] = [];

  /** Resolves when there is room for more; at once when nobody will read it. */
  push(piece: Uint8Array): Promise<void> {
    if (this.#ended || this.#dropped || piece.length === 0) return Promise.resolve();
    if (this.#next !== undefined) {
      const next = this.#next;
      this.#next = undefined;
      next({ value: piece, done: false });
      return Promise.resolve();
    }
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size < enough) return Promise.resolve();
    return new Promise((resolve) => this.#room.push(resolve));
  }

  /** Nothing comes after what is queued. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#makeRoom();
    if (this.#pieces.length > 0) return;
    this.#next?.({ value: undefined, done: true });
    this.#next = undefined;
  }

  /** Forgets what is queued, and whatever is still pushed. Idempotent. */
  drop(): void {
    this.#dropped = true;
    this.#pieces.length = 0;
    this.#size = 0;
    this.end();
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      this.#size -= piece.length;
      if (this.#size < enough) this.#makeRoom();
      return Promise.resolve({ value: piece, done: false });
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      this.#next = resolve;
    });
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.drop();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #makeRoom(): void {
    for (const resolve of this.#room.splice(0)) resolve();
  }
}
