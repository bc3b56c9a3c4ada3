// The Registry over the Store: one verb a file in verbs/, joined here with the store, time, ids and admission.
import type { Clock } from '../base/clock.js';
import { ClusterError } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Kind } from '../resources/kind.js';
import { kindPrefix, storeKey } from '../resources/kind.js';
import type { ObjectName, Resource } from '../resources/resource.js';
import type { Store } from '../store/store.js';
import type { Admission, AdmissionReads } from './admission/admission.js';
import type { Registry, WatchItem } from './registry.js';
import { StoredEntries } from './stored-entries.js';
import { bind } from './verbs/bind.js';
import type { Ids, VerbContext } from './verbs/context.js';
import { create } from './verbs/create.js';
import { deleteCollection } from './verbs/delete-collection.js';
import { deleteObject } from './verbs/delete.js';
import { evict } from './verbs/evict.js';
import { get } from './verbs/get.js';
import { list } from './verbs/list.js';
import { patch } from './verbs/patch.js';
import { translated } from './verbs/rejections.js';
import { update } from './verbs/update.js';
import { watch } from './verbs/watch.js';

export interface RegistryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  /** In order; see admission/plugins.ts. */
  readonly admission: readonly Admission[];
  readonly log: Logger;
}

const readsOf = (store: Store, entries: StoredEntries): AdmissionReads => ({
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
  return {
    get: (kind, name, subresource) => attempt(() => get(context, kind, { name, subresource })),
    list: (kind, query) => attempt(() => list(context, kind, query)),
    watch: (kind, query, signal) => guarded(watch(context, kind, { query, signal }), log),
    create: (kind, draft, call) => attempt(() => create(context, kind, { draft, options: call })),
    update: (kind, name, draft, { subresource, ...call }) =>
      attempt(() => update(context, kind, { name, draft, options: call, subresource })),
    patch: (kind, name, change, { subresource, ...call }) =>
      attempt(() => patch(context, kind, { name, patch: change, options: call, subresource })),
    delete: (kind, name, deletion, call) =>
      attempt(() => deleteObject(context, kind, { name, deletion, options: call })),
    deleteCollection: (kind, query, deletion, call) =>
      attempt(() => deleteCollection(context, kind, { query, deletion, options: call })),
    bind: (pod, uid, node, call) => attempt(() => bind(context, { pod, uid, node, options: call })),
    evict: (pod, deletion, call) => attempt(() => evict(context, { name: pod, deletion, options: call })),
  };
};
