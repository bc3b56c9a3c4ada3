// Entries of the store as clients see them: the revision spliced into the bytes, the object decoded when asked for.
// Both are made once and shared for as long as anyone holds them, so that lists, watches and informers cost one decode.
import { freeze } from '../base/json.js';
import type { Kind } from '../resources/kind.js';
import type { Resource } from '../resources/resource.js';
import type { Entry, Revision } from '../store/store.js';
import type { Stored } from './registry.js';

const metadataStart = Buffer.from('"metadata":{');

/** Stored bytes have apiVersion, kind and metadata first, so the mark stands near the start and nothing before it can hold it. */
const splicePoint = (value: Uint8Array): number => {
  const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const at = buffer.indexOf(metadataStart);
  if (at < 0) throw new Error('a stored object has no metadata');
  return at + metadataStart.length;
};

const withRevision = (value: Uint8Array, revision: Revision): Uint8Array => {
  const point = splicePoint(value);
  const mark = `"resourceVersion":"${String(revision)}",`;
  const bytes = Buffer.allocUnsafe(value.byteLength + mark.length);
  bytes.set(value.subarray(0, point), 0);
  bytes.write(mark, point, 'latin1');
  bytes.set(value.subarray(point), point + mark.length);
  return bytes;
};

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const decode = (value: Uint8Array, revision: Revision): Resource => {
  const object = JSON.parse(decoder.decode(value)) as { metadata: { resourceVersion: string } };
  object.metadata.resourceVersion = String(revision);
  return freeze(object as unknown as Resource);
};

/** The bytes that the store keeps: without the revision, which only the commit knows. */
export const encode = (object: Resource): Uint8Array => {
  const { apiVersion, kind, metadata, ...rest } = object;
  const kept = { apiVersion, kind, metadata: { ...metadata, resourceVersion: undefined }, ...rest };
  return encoder.encode(JSON.stringify(kept));
};

/** One value at one revision. What is decoded or spliced lives only as long as someone uses it. */
class StoredEntry implements Stored {
  readonly #value: Uint8Array;
  readonly #revision: Revision;
  #object: WeakRef<Resource> | undefined;
  #bytes: WeakRef<Uint8Array> | undefined;

  constructor(value: Uint8Array, revision: Revision) {
    this.#value = value;
    this.#revision = revision;
  }

  get object(): Resource {
    const known = this.#object?.deref();
    if (known !== undefined) return known;
    const made = decode(this.#value, this.#revision);
    this.#object = new WeakRef(made);
    return made;
  }

  get bytes(): Uint8Array {
    const known = this.#bytes?.deref();
    if (known !== undefined) return known;
    const made = withRevision(this.#value, this.#revision);
    this.#bytes = new WeakRef(made);
    return made;
  }

  /** The writer has the object in hand already. */
  prime(object: Resource): void {
    this.#object ??= new WeakRef(object);
  }
}

export class StoredEntries {
  readonly #entries = new WeakMap<Entry, StoredEntry>();
  readonly #departed = new WeakMap<Entry, StoredEntry>();
  /** What is kept in one version, as it is in another. */
  readonly #versions = new WeakMap<Kind, WeakMap<Stored, Stored>>();

  /** Entries of a kind in that kind's own version, whatever version they are kept in. */
  inVersion(kind: Kind, kept: readonly Stored[]): readonly Stored[] | Promise<readonly Stored[]> {
    if (kind.versions === undefined || kept.length === 0) return kept;
    const known = this.#versions.get(kind) ?? new WeakMap<Stored, Stored>();
    this.#versions.set(kind, known);
    const fresh = kept.filter((stored) => !known.has(stored));
    const objects = fresh.map(({ object }) => object);
    const all = (decoded: readonly Resource[]): readonly Stored[] => {
      fresh.forEach((stored, index) => {
        const made = decoded[index] ?? stored.object;
        known.set(stored, made === objects[index] ? stored : detached(freeze(made)));
      });
      return kept.map((stored) => known.get(stored) ?? stored);
    };
    if (fresh.length === 0) return all([]);
    const decoded = kind.versions.decode(objects);
    return decoded instanceof Promise ? decoded.then(all) : all(decoded);
  }

  of(entry: Entry): Stored {
    return this.#of(entry);
  }

  /** What a commit wrote, with the object that it was made from. Takes over and freezes `object`. */
  prime(entry: Entry, object: Resource): Stored {
    const stored = this.#of(entry);
    stored.prime(
      freeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(entry.modified) } }),
    );
    return stored;
  }

  /** The last state of an object, as of the revision at which it was deleted or left a selection. */
  departed(previous: Entry, revision: Revision): Stored {
    const known = this.#departed.get(previous);
    if (known !== undefined) return known;
    // An entry is superseded by exactly one change, so the entry alone identifies the revision.
    const made = new StoredEntry(previous.value, revision);
    this.#departed.set(previous, made);
    return made;
  }

  #of(entry: Entry): StoredEntry {
    const known = this.#entries.get(entry);
    if (known !== undefined) return known;
    const made = new StoredEntry(entry.value, entry.modified);
    this.#entries.set(entry, made);
    return made;
  }
}

/** An object that is in no entry: the outcome of a dry run, a Scale, or a revision that was overwritten at once. */
export const detached = (object: Resource): Stored => {
  let bytes: Uint8Array | undefined;
  return {
    object,
    get bytes() {
      return (bytes ??= encoder.encode(JSON.stringify(object)));
    },
  };
};
