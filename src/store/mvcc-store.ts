// The Store over a durable engine: writes queue while a flush is in flight and the next flush takes all of them;
// readers and watchers see a write when it is durable, in revision order.
import { messageOf } from '../base/errors.js';
import type { Engine } from './engine.js';
import { MemoryIndex } from './memory-index.js';
import type { HistoryLimits } from './memory-index.js';
import { Compacted, RevisionConflict, StoreUnavailable } from './store.js';
import type { Change, Entry, Page, PageOptions, Revision, Store, Write } from './store.js';
import type { WatchLimits } from './watcher.js';
import { Watchers } from './watchers.js';

export interface MvccStoreOptions {
  /** What is kept of the past without being asked to compact. */
  readonly history?: Partial<HistoryLimits>;
  /** How far a watcher may lag before it is dropped. */
  readonly watch?: Partial<WatchLimits>;
}

const mebibyte = 1024 * 1024;
const defaultHistory: HistoryLimits = { changes: 20_000, bytes: 32 * mebibyte };
const defaultWatch: WatchLimits = { changes: 10_000, bytes: 64 * mebibyte };

/** Bounds of one flush, so that a burst neither fills memory twice nor holds up the event loop. */
const batchWrites = 4096;
const batchBytes = 16 * mebibyte;

/** A write that has its revision and is not yet durable. */
interface Pending {
  readonly change: Change;
  readonly settled: Promise<Revision>;
  resolve(revision: Revision): void;
  reject(error: unknown): void;
}

/** Bytes of its own: a slice of a shared pool would keep the whole pool alive. */
const own = (value: Uint8Array): Uint8Array =>
  value.byteLength === value.buffer.byteLength ? value : new Uint8Array(value);

const createPending = (change: Change): Pending => {
  let resolve: Pending['resolve'] = () => undefined;
  let reject: Pending['reject'] = () => undefined;
  const settled = new Promise<Revision>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { change, settled, resolve, reject };
};

export class MvccStore implements Store {
  readonly #engine: Engine;
  readonly #index: MemoryIndex;
  readonly #watchers: Watchers;
  /** Newest pending write of each key that has one: what the next writer of the key is compared with. */
  readonly #pending = new Map<string, Pending>();
  #queue: Pending[] = [];
  #nextRevision: Revision;
  #flushing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(engine: Engine, options: MvccStoreOptions = {}) {
    const { revision, entries } = engine.load();
    this.#engine = engine;
    this.#index = new MemoryIndex(revision, entries, { ...defaultHistory, ...options.history });
    this.#watchers = new Watchers({ ...defaultWatch, ...options.watch });
    this.#nextRevision = revision + 1;
  }

  get revision(): Revision {
    return this.#index.revision;
  }

  /** Watches that are open. */
  get watchers(): number {
    return this.#watchers.size;
  }

  get(key: string, at?: Revision): Entry | undefined {
    return this.#index.get(key, at);
  }

  list(prefix: string, page?: PageOptions): Page {
    return this.#index.list(prefix, page);
  }

  commit(write: Write, expected: Revision): Promise<Revision> {
    const refusal = this.#refusal(write, expected);
    if (refusal !== undefined) return Promise.reject(refusal);
    const ahead = this.#pending.get(write.key);
    const current = ahead === undefined ? this.#index.get(write.key) : ahead.change.entry;
    const actual = current?.modified ?? 0;
    if (actual !== expected) {
      const conflict = new RevisionConflict(write.key, expected, actual);
      // The winner shows only once it is durable: told earlier, a writer that reads again and retries would spin.
      return ahead === undefined
        ? Promise.reject(conflict)
        : ahead.settled.then(() => Promise.reject(conflict));
    }
    const pending = createPending(this.#changeOf(write, current));
    this.#pending.set(write.key, pending);
    this.#queue.push(pending);
    this.#flushing ??= this.#flush();
    return pending.settled;
  }

  watch(prefix: string, after: Revision, signal: AbortSignal): AsyncIterable<Change> {
    const compacted = after < this.#index.oldest;
    const backlog = compacted ? [] : this.#index.changesAfter(prefix, after);
    const watcher = this.#watchers.open({ prefix, after, backlog, signal });
    if (compacted) watcher.close(new Compacted(this.#index.oldest));
    else if (this.#closing !== undefined) watcher.close();
    return watcher;
  }

  compact(upTo: Revision): Promise<void> {
    this.#index.compact(upTo);
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  #refusal({ key, value }: Write, expected: Revision): Error | undefined {
    if (this.#closing !== undefined)
      return new StoreUnavailable(`${this.#engine.location} is closed: ${key} was not written`);
    if (key === '' || Buffer.byteLength(key) > this.#engine.maxKeyBytes)
      return new RangeError(
        `a key has 1 to ${String(this.#engine.maxKeyBytes)} bytes, not ${String(Buffer.byteLength(key))}: ${key.slice(0, 200)}`,
      );
    if (value === undefined && expected === 0)
      return new RangeError(`cannot delete ${key} at revision 0: name the revision that is to be deleted`);
    return undefined;
  }

  #changeOf({ key, value }: Write, previous: Entry | undefined): Change {
    const revision = this.#nextRevision;
    this.#nextRevision += 1;
    const created = previous?.created ?? revision;
    const entry = value === undefined ? undefined : { key, value: own(value), created, modified: revision };
    return { revision, key, entry, previous };
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#engine.gather();
      const batch = this.#takeBatch();
      const failure = await this.#append(batch);
      if (failure === undefined) this.#publish(batch);
      else this.#fail(batch, failure);
    }
    this.#flushing = undefined;
  }

  async #append(batch: readonly Pending[]): Promise<StoreUnavailable | undefined> {
    try {
      await this.#engine.append(batch.map(({ change }) => change));
      return undefined;
    } catch (cause) {
      return new StoreUnavailable(messageOf(cause), cause);
    }
  }

  #takeBatch(): Pending[] {
    let count = 0;
    let bytes = 0;
    for (const { change } of this.#queue) {
      bytes += change.entry?.value.byteLength ?? 0;
      if (count === batchWrites || (count > 0 && bytes > batchBytes)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  #publish(batch: readonly Pending[]): void {
    for (const pending of batch) {
      const { change } = pending;
      if (this.#pending.get(change.key) === pending) this.#pending.delete(change.key);
      this.#index.apply(change);
    }
    for (const { change } of batch) this.#watchers.dispatch(change, this.#index.oldest);
    for (const { change, resolve } of batch) resolve(change.revision);
  }

  /** Whatever was queued meanwhile stands on revisions that now never happen, so it fails with the batch. */
  #fail(batch: readonly Pending[], failure: StoreUnavailable): void {
    const failed = [...batch, ...this.#queue];
    this.#queue = [];
    this.#pending.clear();
    this.#nextRevision = this.#index.revision + 1;
    for (const { reject } of failed) reject(failure);
  }

  async #shutDown(): Promise<void> {
    await this.#flushing;
    this.#watchers.finishAll();
    await this.#engine.close();
  }
}
