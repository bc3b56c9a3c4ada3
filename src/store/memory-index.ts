// Every key's versions in memory, in key order: reads at any revision that history still reaches back to.
import SortedBTree from 'sorted-btree';
import { Compacted, FutureRevision } from './store.js';
import type { Change, Entry, Page, PageOptions, Revision } from './store.js';

/** Node hands over the CommonJS module, a test runner or bundler what that exports as its default. */
const BTree = ('default' in SortedBTree ? SortedBTree : { default: SortedBTree }).default;

/** One write of a key, linked to the one before it while history keeps that. */
interface Version {
  readonly change: Change;
  older: Version | undefined;
}

/** How much of the past is kept. */
export interface HistoryLimits {
  readonly changes: number;
  /** Sum of the values' sizes. */
  readonly bytes: number;
}

const compareKeys = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The smallest key behind everything that starts with the prefix; undefined when nothing can be behind it. */
const firstBehind = (prefix: string): string | undefined => {
  for (let length = prefix.length; length > 0; length -= 1) {
    const code = prefix.charCodeAt(length - 1);
    if (code < 0xffff) return prefix.slice(0, length - 1) + String.fromCharCode(code + 1);
  }
  return undefined;
};

const sizeOf = (change: Change): number => change.entry?.value.byteLength ?? 0;

/** Space at the start of the history array that is tolerated before it is cut off. */
const slack = 1024;

export class MemoryIndex {
  readonly #keys = new BTree<string, Version>(undefined, compareKeys);
  readonly #limits: HistoryLimits;
  /** Versions after `#oldest` in revision order; those before `#head` are already forgotten. */
  #history: (Version | undefined)[] = [];
  #head = 0;
  #historyBytes = 0;
  #revision: Revision;
  #oldest: Revision;

  constructor(revision: Revision, entries: Iterable<Entry>, limits: HistoryLimits) {
    this.#revision = revision;
    this.#oldest = revision;
    this.#limits = limits;
    for (const entry of entries) {
      const change = { revision: entry.modified, key: entry.key, entry, previous: undefined };
      this.#keys.set(entry.key, { change, older: undefined });
    }
  }

  get revision(): Revision {
    return this.#revision;
  }

  /** Oldest revision whose state can be read, and after which a watch can start. */
  get oldest(): Revision {
    return this.#oldest;
  }

  /** Changes that history holds. */
  get historySize(): number {
    return this.#history.length - this.#head;
  }

  get(key: string, at?: Revision): Entry | undefined {
    return this.#entryAt(this.#keys.get(key), this.#readable(at));
  }

  list(prefix: string, { after, limit, at }: PageOptions = {}): Page {
    const revision = this.#readable(at);
    const entries: Entry[] = [];
    let remaining = 0;
    const visit = (key: string, version: Version): void => {
      if (key === after) return;
      const entry = this.#entryAt(version, revision);
      if (entry === undefined) return;
      if (limit === undefined || entries.length < limit) entries.push(entry);
      else remaining += 1;
    };
    const start = after !== undefined && after > prefix ? after : prefix;
    const end = firstBehind(prefix);
    const last = this.#keys.maxKey();
    if (end !== undefined) this.#keys.forRange(start, end, false, visit);
    else if (last !== undefined) this.#keys.forRange(start, last, true, visit);
    return { entries, revision, remaining };
  }

  /** Changes under `prefix` after the revision, oldest first. Throws Compacted. */
  changesAfter(prefix: string, after: Revision): Change[] {
    if (after < this.#oldest) throw new Compacted(this.#oldest);
    const changes: Change[] = [];
    for (let index = this.#positionAfter(after); index < this.#history.length; index += 1) {
      const change = this.#history[index]?.change;
      if (change?.key.startsWith(prefix) === true) changes.push(change);
    }
    return changes;
  }

  /** Appends the change of a newer revision, and forgets what the limits no longer allow to keep. */
  apply(change: Change): void {
    const version: Version = { change, older: this.#keys.get(change.key) };
    this.#keys.set(change.key, version);
    this.#history.push(version);
    this.#historyBytes += sizeOf(change);
    this.#revision = change.revision;
    while (
      this.historySize > 1 &&
      (this.historySize > this.#limits.changes || this.#historyBytes > this.#limits.bytes)
    )
      this.#forgetOldest();
    this.#trim();
  }

  /** Forgets the changes at and below the revision; the state as of it stays readable. */
  compact(upTo: Revision): void {
    const target = Math.min(upTo, this.#revision);
    while ((this.#history[this.#head]?.change.revision ?? Infinity) <= target) this.#forgetOldest();
    this.#oldest = Math.max(this.#oldest, target);
    this.#trim();
  }

  #readable(at: Revision | undefined): Revision {
    if (at === undefined) return this.#revision;
    if (at < this.#oldest) throw new Compacted(this.#oldest);
    if (at > this.#revision) throw new FutureRevision(at, this.#revision);
    return at;
  }

  #entryAt(newest: Version | undefined, at: Revision): Entry | undefined {
    let version = newest;
    while (version !== undefined && version.change.revision > at) version = version.older;
    return version?.change.entry;
  }

  #positionAfter(after: Revision): number {
    let low = this.#head;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#history[middle]?.change.revision ?? 0) > after) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** From here on nobody reads before this change, so what it replaced can go; so can the key that it deleted. */
  #forgetOldest(): void {
    const version = this.#history[this.#head];
    if (version === undefined) return;
    this.#history[this.#head] = undefined;
    this.#head += 1;
    const { change } = version;
    this.#historyBytes -= sizeOf(change);
    this.#oldest = change.revision;
    version.older = undefined;
    if (change.entry === undefined && this.#keys.get(change.key) === version) this.#keys.delete(change.key);
  }

  #trim(): void {
    if (this.#head < slack || this.#head * 2 < this.#history.length) return;
    this.#history = this.#history.slice(this.#head);
    this.#head = 0;
  }
}
