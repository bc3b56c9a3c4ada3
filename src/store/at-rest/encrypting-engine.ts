// An engine that seals what lies under some prefixes on its way to another engine. Memory, lists and watches above it hold
// values in the clear and cost nothing more; the disk, and whatever copies it, never does.
import { ClusterError } from '../../base/errors.js';
import type { Engine, Snapshot } from '../engine.js';
import type { Change, Entry } from '../store.js';
import type { KeyRing } from './key-ring.js';
import { isSealed, keyIdOf, seal, unseal } from './sealed-value.js';

export interface EncryptingEngineOptions {
  readonly engine: Engine;
  readonly ring: KeyRing;
  /** Of store keys, such as `core/secrets/`. */
  readonly prefixes: readonly string[];
}

const unknownKey = (entry: Entry, id: string, ring: KeyRing): ClusterError =>
  new ClusterError(
    'Invalid',
    `${entry.key} is encrypted with key ${id}, which ${ring.written ? `is not in key file ${ring.location}` : `was in key file ${ring.location}, and that file is gone`}: put the file back, from a backup for example; nothing was changed`,
  );

const wrongKey = (entry: Entry, id: string, ring: KeyRing): ClusterError =>
  new ClusterError(
    'Invalid',
    `${entry.key} cannot be decrypted: key ${id} in key file ${ring.location} is not the one that encrypted it, or the stored value was altered: put the right file back, from a backup for example; nothing was changed`,
  );

export class EncryptingEngine implements Engine {
  readonly #engine: Engine;
  readonly #ring: KeyRing;
  readonly #prefixes: readonly string[];
  /** Key ids of what is on the disk, by store key; '' for what lies there in the clear. */
  readonly #atRest = new Map<string, string>();
  /** Ids of keys under which a batch went to the disk that has not settled, or has failed: it may be there. */
  readonly #unsettled = new Set<string>();
  #appending: Promise<void> = Promise.resolve();

  constructor({ engine, ring, prefixes }: EncryptingEngineOptions) {
    this.#engine = engine;
    this.#ring = ring;
    this.#prefixes = prefixes;
  }

  get location(): string {
    return this.#engine.location;
  }

  get maxKeyBytes(): number {
    return this.#engine.maxKeyBytes;
  }

  get ring(): KeyRing {
    return this.#ring;
  }

  /** Throws Invalid, naming the key and its file, when something cannot be decrypted. */
  load(): Snapshot {
    const { revision, entries } = this.#engine.load();
    return { revision, entries: Array.from(entries, (entry) => this.#opened(entry)) };
  }

  gather(): Promise<void> {
    return this.#engine.gather();
  }

  append(batch: readonly Change[]): Promise<void> {
    const appended = batch.some(({ key }) => this.#covers(key))
      ? this.#appendSealed(batch)
      : this.#engine.append(batch);
    this.#appending = appended.catch(() => undefined);
    return appended;
  }

  /** Resolves when what is on its way to the disk now has arrived or failed. */
  settled(): Promise<void> {
    return this.#appending;
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  /** The entry as it may leave the process: for the disk, and for backups. */
  sealed(entry: Entry): Entry {
    return this.#covers(entry.key)
      ? { ...entry, value: seal(this.#ring.current, entry.key, entry.value) }
      : entry;
  }

  /** Store keys of what is on the disk in the clear, or under another key than the current one. */
  stale(): readonly string[] {
    const { id } = this.#ring.current;
    return [...this.#atRest].flatMap(([key, atRest]) => (atRest === id ? [] : [key]));
  }

  /** Ids of the keys without which something on the disk could not be read. */
  used(): ReadonlySet<string> {
    return new Set([...this.#atRest.values(), ...this.#unsettled]);
  }

  async #appendSealed(batch: readonly Change[]): Promise<void> {
    await this.#ring.keep();
    const { id } = this.#ring.current;
    this.#unsettled.add(id);
    const sealed = batch.map((change) =>
      change.entry === undefined ? change : { ...change, entry: this.sealed(change.entry) },
    );
    await this.#engine.append(sealed);
    this.#unsettled.delete(id);
    this.#note(sealed);
  }

  #covers(key: string): boolean {
    return this.#prefixes.some((prefix) => key.startsWith(prefix));
  }

  #opened(entry: Entry): Entry {
    if (!this.#covers(entry.key)) return entry;
    this.#atRest.set(entry.key, keyIdOf(entry.value));
    if (!isSealed(entry.value)) return entry;
    const id = keyIdOf(entry.value);
    const key = this.#ring.find(id);
    if (key === undefined) throw unknownKey(entry, id, this.#ring);
    try {
      return { ...entry, value: unseal(key, entry.key, entry.value) };
    } catch {
      throw wrongKey(entry, id, this.#ring);
    }
  }

  #note(batch: readonly Change[]): void {
    for (const { key, entry } of batch) {
      if (!this.#covers(key)) continue;
      if (entry === undefined) this.#atRest.delete(key);
      else this.#atRest.set(key, keyIdOf(entry.value));
    }
  }
}
