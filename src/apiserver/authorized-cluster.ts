// A Cluster for a part of the daemon with rights of its own: every call is asked for as a request over HTTP would be.
import type { Identity } from '../base/http.js';
import type { Cluster, WatchEvent } from '../client/cluster.js';
import type { Kind } from '../resources/kind.js';
import { pods } from '../resources/kinds/pods.js';
import { serviceaccounts } from '../resources/kinds/serviceaccounts.js';
import type { Resource } from '../resources/resource.js';
import { forbidden } from './authorize/attributes.js';
import type { Authorizer } from './authorize/authorizer.js';

interface Wanted {
  readonly verb: string;
  readonly kind: Pick<Kind, 'group' | 'plural' | 'namespaced'>;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly subresource?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** What a refused watch is. */
async function* refused<T extends Resource>(error: unknown): AsyncGenerator<WatchEvent<T>, void> {
  await Promise.reject(error);
  yield* [];
}

/** Throws Forbidden. */
const checkFor =
  (authorizer: Authorizer, identity: Identity) =>
  ({ verb, kind, name = '', namespace = '', subresource = '', fieldSelector }: Wanted): void => {
    // A Namespace is read and written with the rights of the namespace itself.
    const own = kind.plural === 'namespaces' && kind.group === '' ? name : '';
    const attributes = {
      type: 'resource',
      verb,
      group: kind.group,
      resource: kind.plural,
      subresource,
      namespace: kind.namespaced ? namespace : own,
      name,
      fieldSelector,
    } as const;
    const { allowed, reason } = authorizer.authorize(identity, attributes);
    if (!allowed) throw forbidden(identity, attributes, reason);
  };

export const authorizedCluster = (
  cluster: Cluster,
  { authorizer, identity }: { readonly authorizer: Authorizer; readonly identity: Identity },
): Cluster => {
  const check = checkFor(authorizer, identity);
  return {
    get: async (kind, name, signal) => {
      check({ verb: 'get', kind, ...name });
      return cluster.get(kind, name, signal);
    },
    list: async (kind, options = {}, signal) => {
      const { namespace, fieldSelector } = options;
      check({ verb: 'list', kind, namespace, fieldSelector });
      return cluster.list(kind, options, signal);
    },
    watch: (kind, options, signal) => {
      try {
        const { namespace, fieldSelector } = options;
        check({ verb: 'watch', kind, namespace, fieldSelector });
      } catch (error) {
        return refused(error);
      }
      return cluster.watch(kind, options, signal);
    },
    create: async (kind, object, options) => {
      check({ verb: 'create', kind, namespace: object.metadata.namespace });
      return cluster.create(kind, object, options);
    },
    update: async (kind, object, options) => {
      check({ verb: 'update', kind, ...object.metadata });
      return cluster.update(kind, object, options);
    },
    updateStatus: async (kind, object, options) => {
      check({ verb: 'update', kind, ...object.metadata, subresource: 'status' });
      return cluster.updateStatus(kind, object, options);
    },
    patch: async (kind, name, patch, options = {}) => {
      check({ verb: 'patch', kind, ...name, subresource: options.subresource });
      return cluster.patch(kind, name, patch, options);
    },
    apply: async (kind, object, options) => {
      const { name, namespace } = object.metadata;
      check({ verb: 'patch', kind, name, namespace });
      return cluster.apply(kind, object, options);
    },
    delete: async (kind, name, options) => {
      check({ verb: 'delete', kind, ...name });
      return cluster.delete(kind, name, options);
    },
    bind: async (pod, node) => {
      check({ verb: 'create', kind: pods, name: pod.name, namespace: pod.namespace, subresource: 'binding' });
      return cluster.bind(pod, node);
    },
    evict: async (pod, options) => {
      check({ verb: 'create', kind: pods, ...pod, subresource: 'eviction' });
      return cluster.evict(pod, options);
    },
    createToken: async (account, spec) => {
      check({ verb: 'create', kind: serviceaccounts, ...account, subresource: 'token' });
      return cluster.createToken(account, spec);
    },
  };
};
