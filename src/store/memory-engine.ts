// An engine without a disk, for hollow clusters, scenarios and tests. Its data lives as long as the object,
// so a store can be opened on it again, as after a restart.
import type { Engine, Snapshot } from './engine.js';
import type { Change, Entry, Revision } from './store.js';

export class MemoryEngine implements Engine {
  readonly location = 'memory';
  readonly maxKeyBytes = 1900;
  readonly #entries = new Map<string, Entry>();
  #revision: Revision = 0;

  load(): Snapshot {
    return { revision: this.#revision, entries: this.#entries.values() };
  }

  gather(): Promise<void> {
    return Promise.resolve();
  }

  append(batch: readonly Change[]): Promise<void> {
    for (const { key, entry, revision } of batch) {
      if (entry === undefined) this.#entries.delete(key);
      else this.#entries.set(key, entry);
      this.#revision = revision;
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
