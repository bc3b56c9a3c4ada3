// Brings everything on the disk under the current key: after a rotation, after a crash in the middle of one, and when
// encryption comes to a store that was written without it. Every step can be the last: the next call goes on from there.
import { RevisionConflict } from '../store.js';
import type { Store } from '../store.js';
import type { EncryptingEngine } from './encrypting-engine.js';

export interface Rewritten {
  /** Values that were written anew. */
  readonly values: number;
  /** Ids of keys that nothing needs any more, and that are gone from the ring. */
  readonly dropped: readonly string[];
}

/** Writes the value once more as it is; whoever was faster has written it under the current key too. */
const rewriteOne = async (store: Store, key: string): Promise<boolean> => {
  const entry = store.get(key);
  if (entry === undefined) return false;
  try {
    await store.commit({ key, value: entry.value }, entry.modified);
    return true;
  } catch (error) {
    if (error instanceof RevisionConflict) return false;
    throw error;
  }
};

/** How many values are in flight at a time. */
const atOnce = 64;

/** Rejects with StoreUnavailable; what was rewritten until then stays so. */
export const rewriteStale = async (store: Store, engine: EncryptingEngine): Promise<Rewritten> => {
  let values = 0;
  await engine.settled();
  for (let stale = engine.stale(); stale.length > 0; stale = engine.stale()) {
    const written = await Promise.all(stale.slice(0, atOnce).map((key) => rewriteOne(store, key)));
    values += written.filter(Boolean).length;
  }
  return { values, dropped: await engine.ring.dropUnused(() => engine.used()) };
};

/** A new key, and everything under it; the old ones are gone when this resolves. */
export const rotateKey = async (
  store: Store,
  engine: EncryptingEngine,
): Promise<Rewritten & { readonly key: string }> => {
  const { id } = await engine.ring.add();
  return { key: id, ...(await rewriteStale(store, engine)) };
};
