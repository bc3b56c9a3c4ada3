// One reader of changes: what history held when it began, then what happens, with a bound on how far it may lag.
import { Compacted } from './store.js';
import type { Change, Revision } from './store.js';

export interface WatchLimits {
  /** Live changes that may wait to be read. */
  readonly changes: number;
  /** Sum of their values' sizes. */
  readonly bytes: number;
}

interface Reader {
  resolve(result: IteratorResult<Change>): void;
  reject(error: unknown): void;
}

const ended: IteratorResult<Change> = { value: undefined, done: true };

const sizeOf = (change: Change): number => change.entry?.value.byteLength ?? 0;

export interface WatcherOptions {
  readonly prefix: string;
  readonly after: Revision;
  /** Changes of the past, which do not count against the limits. */
  readonly backlog: readonly Change[];
  readonly limits: WatchLimits;
  /** Called once, when the watcher takes no further changes. */
  readonly onClose: (watcher: Watcher) => void;
}

export class Watcher implements AsyncIterableIterator<Change> {
  readonly prefix: string;
  readonly #after: Revision;
  readonly #limits: WatchLimits;
  readonly #onClose: (watcher: Watcher) => void;
  #items: Change[];
  #head = 0;
  /** Items from here on are live: they count against the limits. */
  #firstLive: number;
  #liveBytes = 0;
  #readers: Reader[] = [];
  #closed: { readonly error: unknown } | undefined;

  constructor({ prefix, after, backlog, limits, onClose }: WatcherOptions) {
    this.prefix = prefix;
    this.#after = after;
    this.#limits = limits;
    this.#onClose = onClose;
    this.#items = [...backlog];
    this.#firstLive = backlog.length;
  }

  /** Takes a change under the prefix; `oldest` is where history begins, for the message to a reader that lags. */
  push(change: Change, oldest: Revision): void {
    if (this.#closed !== undefined || change.revision <= this.#after) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ value: change, done: false });
      return;
    }
    const waiting = this.#items.length - Math.max(this.#head, this.#firstLive);
    const bytes = this.#liveBytes + sizeOf(change);
    if (waiting >= this.#limits.changes || (waiting > 0 && bytes > this.#limits.bytes)) {
      this.close(new Compacted(oldest));
      return;
    }
    this.#items.push(change);
    this.#liveBytes = bytes;
  }

  /** Ends the stream at once, with an error where one is given: what was not read is dropped. */
  close(error?: unknown): void {
    if (this.#closed !== undefined) return;
    this.#items = [];
    this.#head = 0;
    this.#end(error);
  }

  /** Ends the stream after what waits to be read. */
  finish(): void {
    if (this.#closed === undefined) this.#end(undefined);
  }

  next(): Promise<IteratorResult<Change>> {
    const item = this.#items[this.#head];
    if (item !== undefined) {
      if (this.#head >= this.#firstLive) this.#liveBytes -= sizeOf(item);
      this.#head += 1;
      this.#trim();
      return Promise.resolve({ value: item, done: false });
    }
    if (this.#closed === undefined)
      return new Promise((resolve, reject) => {
        this.#readers.push({ resolve, reject });
      });
    const { error } = this.#closed;
    this.#closed = { error: undefined };
    return error === undefined ? Promise.resolve(ended) : Promise.reject(error);
  }

  return(): Promise<IteratorResult<Change>> {
    this.close();
    return Promise.resolve(ended);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The error goes to one read; all others find the stream at its end. */
  #end(error: unknown): void {
    const [first, ...others] = this.#readers;
    this.#readers = [];
    this.#closed = { error: first === undefined ? error : undefined };
    if (error === undefined) first?.resolve(ended);
    else first?.reject(error);
    for (const reader of others) reader.resolve(ended);
    this.#onClose(this);
  }

  #trim(): void {
    if (this.#head < this.#items.length && (this.#head < 1024 || this.#head * 2 < this.#items.length)) return;
    this.#items = this.#items.slice(this.#head);
    this.#firstLive = Math.max(0, this.#firstLive - this.#head);
    this.#head = 0;
  }
}
