// The durable port behind the store: everything at open, one flush per batch, close.
import type { Change, Entry, Revision } from './store.js';

/** What was durable when the engine was opened. */
export interface Snapshot {
  /** Newest durable revision; 0 when nothing was ever written. */
  readonly revision: Revision;
  readonly entries: Iterable<Entry>;
}

export interface Engine {
  /** Names the engine in messages to people, such as `data directory /var/lib/capstan/store`. */
  readonly location: string;
  /** Longest key in UTF-8 bytes. */
  readonly maxKeyBytes: number;
  /** Called once, before the first append. */
  load(): Snapshot;
  /** Resolves when the next batch may be taken: a moment in which writers of the same turn join it. */
  gather(): Promise<void>;
  /**
   * Makes the batch durable in one flush, all or nothing. Never called again before it settles.
   * Rejects, with a sentence that names place, cause and way out, only when nothing of the batch was written;
   * a later append may succeed.
   */
  append(batch: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}
