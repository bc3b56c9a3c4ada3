// The Registry over the Store: one verb a file in verbs/, joined here with the store, time, ids and admission.
import type { Clock } from '../base/clock.js';
import { ClusterError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Kind } from '../resources/kind.js';
import { kindPrefix, storeKey } from '../resources/kind.js';
import type { CurrentKind, KindSource } from '../resources/kind-source.js';
import type { ObjectName, Resource } from '../resources/resource.js';
import type { Store } from '../store/store.js';
import type { Admission, AdmissionReads } from './admission/admission.js';
import type { Registry, WatchItem, WatchQuery } from './registry.js';
import { StoredEntries } from './stored-entries.js';
import { bind } from './verbs/bind.js';
import type { Ids, VerbContext } from './verbs/context.js';
import { create } from './verbs/create.js';
import { deleteCollection } from './verbs/delete-collection.js';
import { deleteObject } from './verbs/delete.js';
import { evict } from './verbs/evict.js';
import { get } from './verbs/get.js';
import { listInVersion } from './verbs/list.js';
import { patch } from './verbs/patch.js';
import { noSuchResource, translated } from './verbs/rejections.js';
import { update } from './verbs/update.js';
import { failing, watch } from './verbs/watch.js';

export interface RegistryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Of kinds that come and go: what is read and written is of the kind as it is now. Absent: kinds stay as they are. */
  readonly kinds?: KindSource | undefined;
  /** In order; see admission/plugins.ts. */
  readonly admission: readonly Admission[];
  readonly log: Logger;
}

/** Objects of built-in kinds as they are now. */
export const readsOf = (store: Store, entries = new StoredEntries()): AdmissionReads => ({
  get: <T extends Resource>(kind: Kind<T>, { name, namespace }: ObjectName): T | undefined => {
    const entry = store.get(storeKey(kind, name, kind.namespaced ? namespace : undefined));
    return entry === undefined ? undefined : (entries.of(entry).object as T);
  },
  list: <T extends Resource>(kind: Kind<T>, namespace: string | undefined): readonly T[] =>
    store
      .list(namespace === undefined ? kindPrefix(kind) : `${kindPrefix(kind)}${namespace}/`)
      .entries.map((entry) => entries.of(entry).object as T),
});

/** What nobody foresaw is logged here with its stack; the client learns only that it happened. */
const asClusterError = (error: unknown, log: Logger): ClusterError => {
  const known = translated(error);
  if (known instanceof ClusterError) return known;
  log.error(
    { error: known instanceof Error ? (known.stack ?? known.message) : String(known) },
    'a verb failed unexpectedly',
  );
  const why = known instanceof Error ? known.message : String(known);
  return new ClusterError('InternalError', `Internal error occurred: ${why}`, { cause: known });
};

async function* guarded(items: AsyncIterable<WatchItem>, log: Logger): AsyncGenerator<WatchItem, void> {
  try {
    yield* items;
  } catch (error) {
    throw asClusterError(error, log);
  }
}

/** Throws NotFound for a kind that is not served any more. */
const currentKind = (kinds: KindSource | undefined, kind: Kind): CurrentKind => {
  if (kinds === undefined || kind.schema === undefined) return { kind };
  const found = kinds.current(kind);
  if (found === undefined) throw noSuchResource();
  return found;
};

const watchCurrent = (
  context: VerbContext,
  { kind, retired }: CurrentKind,
  { query, signal }: { readonly query: WatchQuery; readonly signal: AbortSignal },
): AsyncIterable<WatchItem> =>
  watch(context, kind, {
    query,
    // A watch shows one schema: who wants to go on when that changes starts anew.
    signal: retired === undefined ? signal : AbortSignal.any([signal, retired]),
  });

export const createRegistry = (options: RegistryOptions): Registry => {
  const { store, log } = options;
  const entries = new StoredEntries();
  const context: VerbContext = { ...options, entries, reads: readsOf(store, entries) };
  const attempt = async <T>(verb: () => T | Promise<T>): Promise<T> => {
    try {
      return await verb();
    } catch (error) {
      throw asClusterError(error, log);
    }
  };
  const now = (kind: Kind): Kind => currentKind(options.kinds, kind).kind;
  return {
    get: (kind, name, subresource) => attempt(() => get(context, now(kind), { name, subresource })),
    list: (kind, query) => attempt(() => listInVersion(context, now(kind), query)),
    watch: (kind, query, signal) => {
      try {
        return guarded(watchCurrent(context, currentKind(options.kinds, kind), { query, signal }), log);
      } catch (error) {
        return failing(error);
      }
    },
    create: (kind, draft, call) => attempt(() => create(context, now(kind), { draft, options: call })),
    update: (kind, name, draft, { subresource, ...call }) =>
      attempt(() => update(context, now(kind), { name, draft, options: call, subresource })),
    patch: (kind, name, change, { subresource, ...call }) =>
      attempt(() => patch(context, now(kind), { name, patch: change, options: call, subresource })),
    delete: (kind, name, deletion, call) =>
      attempt(() => deleteObject(context, now(kind), { name, deletion, options: call })),
    deleteCollection: (kind, query, deletion, call) =>
      attempt(() => deleteCollection(context, now(kind), { query, deletion, options: call })),
    bind: (pod, uid, node, call) => attempt(() => bind(context, { pod, uid, node, options: call })),
    evict: (pod, deletion, call) => attempt(() => evict(context, { name: pod, deletion, options: call })),
  };
};
