// The Store contract: keys, bytes and one global revision. It never knows what the bytes mean.

/** Position in the single order of all commits: 1, 2, 3 …; 0 means "before everything" or "must not exist". */
export type Revision = number;

/** One key's value as of one revision. Immutable; the same object is handed to every reader. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision that created the key. */
  readonly created: Revision;
  /** Revision that wrote this value. */
  readonly modified: Revision;
}

/** What a writer asks for: put `value` at `key`, or delete the key when `value` is undefined. */
export interface Write {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** What happened at one revision. A deletion has no `entry`; a creation has no `previous`. */
export interface Change {
  readonly revision: Revision;
  readonly key: string;
  readonly entry: Entry | undefined;
  readonly previous: Entry | undefined;
}

export interface PageOptions {
  /** First key of the page is greater than this one. */
  readonly after?: string;
  /** At most this many entries; absent means all. */
  readonly limit?: number;
  /** State as of this revision; absent means the newest. Throws `Compacted` or `FutureRevision`. */
  readonly at?: Revision;
}

export interface Page {
  readonly entries: readonly Entry[];
  /** The revision that the page shows. */
  readonly revision: Revision;
  /** Entries under the prefix behind this page. */
  readonly remaining: number;
}

/** The revision asked for is older than the history that is kept. */
export class Compacted extends Error {
  readonly oldest: Revision;

  constructor(oldest: Revision) {
    super(`history before revision ${String(oldest)} has been compacted`);
    this.name = 'Compacted';
    this.oldest = oldest;
  }
}

/** The revision asked for has not happened yet. */
export class FutureRevision extends Error {
  /** Newest revision that is durable. */
  readonly newest: Revision;

  constructor(asked: Revision, newest: Revision) {
    super(`revision ${String(asked)} has not happened yet: the newest is ${String(newest)}`);
    this.name = 'FutureRevision';
    this.newest = newest;
  }
}

/** The key is not at the revision that the writer expected. */
export class RevisionConflict extends Error {
  readonly key: string;
  /** 0 when the key does not exist. */
  readonly actual: Revision;

  constructor(key: string, expected: Revision, actual: Revision) {
    super(`${key} is at revision ${String(actual)}, not ${String(expected)}`);
    this.name = 'RevisionConflict';
    this.key = key;
    this.actual = actual;
  }
}

/** The bytes could not be made durable (full disk, read-only directory, lost quorum). Nothing was written. */
export class StoreUnavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreUnavailable';
  }
}

/**
 * Reads are synchronous and see only what is durable: MVCC lives in memory; only commit and compact touch the disk.
 */
export interface Store {
  /** Newest revision that is durable. */
  readonly revision: Revision;
  /** Throws `Compacted` when history no longer reaches back to `at`, `FutureRevision` when it has not happened. */
  get(key: string, at?: Revision): Entry | undefined;
  /** Entries whose key starts with `prefix`, in key order. */
  list(prefix: string, page?: PageOptions): Page;
  /**
   * Compare and swap: `expected` is the key's `modified` revision, 0 = must not exist.
   * Resolves when the write is durable and visible; rejects with RevisionConflict or StoreUnavailable.
   */
  commit(write: Write, expected: Revision): Promise<Revision>;
  /**
   * Every change under `prefix` with a revision greater than `after`, in order, none missed, none twice.
   * Rejects with Compacted when history no longer reaches back to `after`; a watcher that falls too far behind
   * is dropped with Compacted too. Ends when the signal aborts. The watch is registered when this returns.
   */
  watch(prefix: string, after: Revision, signal: AbortSignal): AsyncIterable<Change>;
  /**
   * Forgets the changes at and below `upTo`. The state as of `upTo` stays readable and a watch can start after it;
   * anything older is Compacted.
   */
  compact(upTo: Revision): Promise<void>;
  /** Flushes and closes; pending commits settle first. */
  close(): Promise<void>;
}
