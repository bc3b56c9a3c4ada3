// The Cluster contract over HTTP: what agents and commands use to talk to an API server elsewhere.
import { ClusterError } from '../base/errors.js';
import { apiVersionOf } from '../resources/kind.js';
import type { Kind } from '../resources/kind.js';
import type { Draft, ObjectName, Resource } from '../resources/resource.js';
import type { TokenRequest } from '../resources/generated/types.js';
import { pods } from '../resources/kinds/pods.js';
import { serviceaccounts } from '../resources/kinds/serviceaccounts.js';
import type { Cluster, DeleteOptions, List, Patch, WriteOptions } from './cluster.js';
import { resourcePath } from './resource-path.js';
import type { PathParts } from './resource-path.js';
import { errorOfStatus } from './status-error.js';
import type { Transport, TransportResponse } from './transport.js';
import { watchEvents } from './watch-events.js';

/** A server that is silent for this long on a request that is no stream is gone. */
const idleMs = 30_000;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const readAll = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks.length === 1 ? decoder.decode(chunks[0]) : Buffer.concat(chunks).toString('utf8');
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

const failed = async (response: TransportResponse): Promise<ClusterError> =>
  errorOfStatus(response.status, parsed(await readAll(response.body)));

interface ListBody<T> {
  readonly items: readonly T[];
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
}

const patchType: Readonly<Record<Patch['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

const writeQuery = ({ fieldManager, dryRun }: WriteOptions = {}) => ({
  fieldManager,
  dryRun: dryRun === true ? 'All' : undefined,
  // Programs write what their types say; looking for unknown fields is for people.
  fieldValidation: 'Ignore',
});

const deleteBody = ({ dryRun, ...options }: DeleteOptions): unknown => ({
  kind: 'DeleteOptions',
  apiVersion: 'v1',
  ...options,
  ...(dryRun === true ? { dryRun: ['All'] } : {}),
});

export interface RemoteClusterOptions {
  /** Such as `capstan-agent/0.1.0`; its first part is the field manager where none is given. */
  readonly userAgent: string;
  /** Bearer token, where no client certificate proves who asks. */
  readonly token?: string | undefined;
}

/** Sends JSON, reads JSON, and throws what the server's Status says. */
class Requests {
  readonly #transport: Transport;
  readonly #client: RemoteClusterOptions;

  constructor(transport: Transport, client: RemoteClusterOptions) {
    this.#transport = transport;
    this.#client = client;
  }

  async send<R>(
    method: string,
    path: string,
    body?: { readonly value: unknown; readonly type?: string },
    signal?: AbortSignal,
  ): Promise<R> {
    const response = await this.#transport.request(
      {
        method,
        path,
        headers: this.#headers(body === undefined ? undefined : (body.type ?? 'application/json')),
        body: body === undefined ? undefined : encoder.encode(JSON.stringify(body.value)),
        idleMs,
      },
      signal,
    );
    if (response.status >= 300) throw await failed(response);
    return JSON.parse(await readAll(response.body)) as R;
  }

  async stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#transport.request({ method: 'GET', path, headers: this.#headers() }, signal);
    if (response.status >= 300) throw await failed(response);
    return response.body;
  }

  #headers(contentType?: string): Record<string, string> {
    const { userAgent, token } = this.#client;
    return {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    };
  }
}

const objectParts = (name: ObjectName): PathParts => ({ name: name.name, namespace: name.namespace });

const typed = <T extends Resource>(kind: Kind<T>, object: Draft<T>): Draft<T> => ({
  ...object,
  apiVersion: apiVersionOf(kind),
  kind: kind.kind,
});

/** GET, LIST and WATCH. */
const reads = (requests: Requests): Pick<Cluster, 'get' | 'list' | 'watch'> => ({
  get: (kind, name, signal) => requests.send('GET', resourcePath(kind, objectParts(name)), undefined, signal),
  list: async <T extends Resource>(
    kind: Kind<T>,
    { namespace, ...query }: Parameters<Cluster['list']>[1] = {},
    signal?: AbortSignal,
  ): Promise<List<T>> => {
    const path = resourcePath(kind, { namespace, query });
    const { items, metadata } = await requests.send<ListBody<T>>('GET', path, undefined, signal);
    return {
      items,
      resourceVersion: metadata.resourceVersion,
      ...(metadata.continue === undefined ? {} : { continue: metadata.continue }),
      ...(metadata.remainingItemCount === undefined
        ? {}
        : { remainingItemCount: metadata.remainingItemCount }),
    };
  },
  watch: (kind, { namespace, ...query }, signal) => {
    const path = resourcePath(kind, {
      namespace,
      query: { ...query, watch: true, allowWatchBookmarks: true },
    });
    return watchEvents(() => requests.stream(path, signal), signal);
  },
});

/** The verbs that change objects. */
const writes = (
  requests: Requests,
): Pick<Cluster, 'create' | 'update' | 'updateStatus' | 'patch' | 'apply' | 'delete'> => ({
  create: (kind, object, options) =>
    requests.send(
      'POST',
      resourcePath(kind, { namespace: object.metadata.namespace, query: writeQuery(options) }),
      { value: typed(kind, object) },
    ),
  update: (kind, object, options) =>
    requests.send(
      'PUT',
      resourcePath(kind, { ...objectParts(object.metadata), query: writeQuery(options) }),
      { value: object },
    ),
  updateStatus: (kind, object, options) =>
    requests.send(
      'PUT',
      resourcePath(kind, {
        ...objectParts(object.metadata),
        subresource: 'status',
        query: writeQuery(options),
      }),
      { value: object },
    ),
  patch: async <T extends Resource>(
    kind: Kind<T>,
    name: ObjectName,
    patch: Patch,
    options?: Parameters<Cluster['patch']>[3],
  ): Promise<T> => {
    const parts = { ...objectParts(name), subresource: options?.subresource, query: writeQuery(options) };
    const body = patch.type === 'json' ? patch.operations : patch.patch;
    const patched = await requests.send<T>('PATCH', resourcePath(kind, parts), {
      value: body,
      type: patchType[patch.type],
    });
    // The answer to a patch of `scale` is a Scale, and the contract promises the object.
    return options?.subresource === 'scale'
      ? requests.send<T>('GET', resourcePath(kind, objectParts(name)))
      : patched;
  },
  apply: (kind, object, options) => {
    const { name, namespace } = object.metadata;
    if (name === undefined)
      return Promise.reject(new ClusterError('BadRequest', 'an object that is applied must have a name'));
    const query = { ...writeQuery(options), force: options.force === true ? true : undefined };
    return requests.send('PATCH', resourcePath(kind, { name, namespace, query }), {
      value: typed(kind, object),
      type: 'application/apply-patch+yaml',
    });
  },
  delete: async (kind, name, options = {}) => {
    await requests.send('DELETE', resourcePath(kind, objectParts(name)), { value: deleteBody(options) });
  },
});

export const createRemoteCluster = (transport: Transport, options: RemoteClusterOptions): Cluster => {
  const requests = new Requests(transport, options);
  return {
    ...reads(requests),
    ...writes(requests),
    bind: async ({ name, namespace, uid }, node) => {
      await requests.send('POST', resourcePath(pods, { name, namespace, subresource: 'binding' }), {
        value: {
          kind: 'Binding',
          apiVersion: 'v1',
          metadata: { name, namespace, uid },
          target: { kind: 'Node', apiVersion: 'v1', name: node },
        },
      });
    },
    createToken: async (account, spec) => {
      const path = resourcePath(serviceaccounts, { ...objectParts(account), subresource: 'token' });
      const { status } = await requests.send<TokenRequest>('POST', path, {
        value: { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec },
      });
      if (status === undefined) throw new ClusterError('InternalError', 'the server gave no token');
      return status;
    },
    evict: async ({ name, namespace }, options) => {
      await requests.send('POST', resourcePath(pods, { name, namespace, subresource: 'eviction' }), {
        value: {
          kind: 'Eviction',
          apiVersion: 'policy/v1',
          metadata: { name, namespace },
          ...(options === undefined ? {} : { deleteOptions: deleteBody(options) }),
        },
      });
    },
  };
};
