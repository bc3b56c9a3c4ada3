// The Cluster contract in-process: the same verbs as over HTTP, without bytes in between. Objects are
// shared and frozen, in both directions: what is passed in to be written must not be changed afterwards.
import { ClusterError } from '../base/errors.js';
import type { Identity } from '../base/http.js';
import type { Cluster, List, ListOptions, WatchEvent, WriteOptions } from '../client/cluster.js';
import type { Kind } from '../resources/kind.js';
import { nameOf } from '../resources/resource.js';
import type { Resource } from '../resources/resource.js';
import type { TokenIssuer } from './tokens/token-request.js';
import type { CallOptions, Registry, Stored, WatchItem } from './registry.js';

/** A kind's objects are what its type says: they have passed its schema on the way in. */
const objectOf = <T extends Resource>({ object }: Stored): T => object as T;

async function* eventsOf<T extends Resource>(
  items: AsyncIterable<WatchItem>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>, void> {
  for await (const item of items) {
    if (signal.aborted) return;
    yield item.type === 'BOOKMARK'
      ? { type: 'BOOKMARK', resourceVersion: item.resourceVersion }
      : { type: item.type, object: objectOf<T>(item.stored) };
  }
}

const listOf = async <T extends Resource>(
  registry: Registry,
  kind: Kind<T>,
  options: ListOptions,
): Promise<List<T>> => {
  const { items, ...rest } = await registry.list(kind, options);
  return { ...rest, items: items.map((stored) => objectOf<T>(stored)) };
};

/**
 * Everything is done as `identity`; its user name is the field manager of writes that name none. Without `tokens` no
 * service account gets one.
 */
export const createLocalCluster = (registry: Registry, identity: Identity, tokens?: TokenIssuer): Cluster => {
  const call = (options: WriteOptions = {}): CallOptions => ({
    identity,
    dryRun: options.dryRun,
    fieldManager: options.fieldManager ?? identity.user,
    fieldValidation: 'Ignore',
  });
  return {
    get: async (kind, name) => objectOf(await registry.get(kind as Kind, name)),
    list: (kind, options = {}) => listOf(registry, kind, options),
    watch: (kind, options, signal) =>
      eventsOf(registry.watch(kind as Kind, { ...options, allowBookmarks: true }, signal), signal),
    create: async (kind, object, options) =>
      objectOf(await registry.create(kind as Kind, object, call(options))),
    update: async (kind, object, options) =>
      objectOf(await registry.update(kind as Kind, nameOf(object), object, call(options))),
    updateStatus: async (kind, object, options) =>
      objectOf(
        await registry.update(kind as Kind, nameOf(object), object, {
          ...call(options),
          subresource: 'status',
        }),
      ),
    patch: async (kind, name, patch, options = {}) => {
      const { stored } = await registry.patch(kind, name, patch, {
        ...call(options),
        subresource: options.subresource,
      });
      return objectOf(stored);
    },
    apply: async (kind, object, options) => {
      const { name = '', namespace } = object.metadata;
      const patch = { type: 'apply', object, force: options.force ?? false } as const;
      const { stored } = await registry.patch(kind, { name, namespace }, patch, call(options));
      return objectOf(stored);
    },
    delete: async (kind, name, options = {}) => {
      await registry.delete(kind, name, options, call({ dryRun: options.dryRun }));
    },
    bind: ({ uid, ...pod }, node) => registry.bind(pod, uid, node, call()),
    createToken: async (account, spec) => {
      if (tokens === undefined)
        throw new ClusterError('MethodNotAllowed', 'this server signs no tokens of service accounts');
      return tokens.request(account, spec, identity);
    },
    evict: (pod, options = {}) => registry.evict(pod, options, call({ dryRun: options.dryRun })),
  };
};
