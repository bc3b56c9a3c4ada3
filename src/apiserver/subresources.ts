// The second endpoints of objects that this server really serves: discovery lists exactly these.
import { ClusterError } from '../base/errors.js';
import type { Kind, Subresource } from '../resources/kind.js';
import { isObject } from '../base/json.js';
import { deleteOptions } from './call-options.js';
import type { NodeGateway } from './node-gateway.js';
import { podLog } from './pod-log.js';
import { proxyVerb } from './proxy/proxy.js';
import type { Proxy } from './proxy/proxy.js';
import type { Stored, WritableSubresource } from './registry.js';
import { objectName, optionsOf, readDraft, showObject } from './resource-call.js';
import type { ExpectedType, Verb } from './resource-call.js';
import { patchAs, updateAs } from './resource-verbs.js';
import { json } from './respond.js';
import { success } from './status-error.js';
import { tokenSubresource, type TokenIssuer } from './tokens/token-request.js';
import { detached } from './stored-entries.js';
import { columnsOf, scaleColumns } from './tables.js';
import { scaleOf } from './verbs/scale.js';

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** One endpoint: its handlers by HTTP method, and what discovery says of it. */
export interface ServedSubresource {
  readonly responseKind: GroupVersionKind;
  readonly methods: Readonly<
    Partial<Record<'GET' | 'HEAD' | 'PUT' | 'PATCH' | 'POST' | 'DELETE' | 'OPTIONS', Verb>>
  >;
}

const scaleType: ExpectedType = { apiVersion: 'autoscaling/v1', kind: 'Scale' };

/** GET, PUT and PATCH of a part of the object itself. */
const partOf = (kind: Kind, part: WritableSubresource): ServedSubresource => {
  const scale = part === 'scale';
  const columns = scale ? scaleColumns : columnsOf(kind);
  // A write gives the whole object; who writes a Scale expects one back.
  const shown = (stored: Stored): Stored =>
    scale ? detached(scaleOf(kind, stored.object as Parameters<typeof scaleOf>[1])) : stored;
  return {
    responseKind: scale ? { group: 'autoscaling', version: 'v1', kind: 'Scale' } : kind,
    methods: {
      GET: async (call) => {
        const asked = part === 'status' || part === 'scale' ? part : undefined;
        const stored = await call.server.registry.get(kind, objectName(call), asked);
        return showObject(call, 200, { stored, columns });
      },
      PUT: async (call) => {
        const stored = shown(await updateAs(call, part, scale ? scaleType : undefined));
        return showObject(call, 200, { stored, columns });
      },
      PATCH: async (call) => {
        const { stored, created } = await patchAs(call, part);
        return showObject(call, created ? 201 : 200, { stored: shown(stored), columns });
      },
    },
  };
};

const finalize = (kind: Kind): ServedSubresource => ({
  responseKind: kind,
  methods: {
    PUT: async (call) => showObject(call, 200, { stored: await updateAs(call, 'finalize') }),
  },
});

const binding: ServedSubresource = {
  responseKind: { group: '', version: 'v1', kind: 'Binding' },
  methods: {
    POST: async (call) => {
      const options = optionsOf(call);
      const body = await readDraft(call, options, { apiVersion: 'v1', kind: 'Binding' });
      const { target } = body as { readonly target?: unknown };
      const node = isObject(target) ? target['name'] : undefined;
      if (typeof node !== 'string' || node === '')
        throw new ClusterError(
          'Invalid',
          `Binding "${call.route.name ?? ''}" is invalid: target.name: Required value`,
          {
            fields: [{ type: 'FieldValueRequired', field: 'target.name', message: 'Required value' }],
            subject: { kind: 'Binding', name: call.route.name ?? '' },
          },
        );
      const { uid } = body.metadata;
      await call.server.registry.bind(objectName(call), uid === '' ? undefined : uid, node, options);
      return json(201, success(201));
    },
  },
};

const eviction: ServedSubresource = {
  responseKind: { group: 'policy', version: 'v1', kind: 'Eviction' },
  methods: {
    POST: async (call) => {
      const asked = optionsOf(call);
      const body = await readDraft(call, asked, { apiVersion: 'policy/v1', kind: 'Eviction' });
      const { deleteOptions: wanted } = body as { readonly deleteOptions?: unknown };
      const { dryRun, ...deletion } = deleteOptions(wanted, call.request.query);
      await call.server.registry.evict(objectName(call), deletion, { ...asked, dryRun });
      return json(201, success(201));
    },
  },
};

const needsUpgrade: Verb = () => Promise.reject(new ClusterError('BadRequest', 'Upgrade request required'));

/** Whoever asks for an upgrade, as these need it, is answered by the handler of streams. */
const stream = (kind: string): ServedSubresource => ({
  responseKind: { group: '', version: 'v1', kind },
  methods: { GET: needsUpgrade, POST: needsUpgrade },
});

const proxied = (kind: Kind, proxy: Proxy): ServedSubresource => {
  const verb = proxyVerb(proxy);
  return {
    responseKind: { group: '', version: 'v1', kind: `${kind.kind}ProxyOptions` },
    methods: { GET: verb, HEAD: verb, PUT: verb, PATCH: verb, POST: verb, DELETE: verb, OPTIONS: verb },
  };
};

/** What reaches beyond this server: without it there is nothing there to reach. */
export interface Reach {
  readonly nodeGateway?: NodeGateway | undefined;
  readonly proxy?: Proxy | undefined;
  readonly tokens?: { readonly issuer: TokenIssuer } | undefined;
}

/** Undefined for a subresource that a kind has in Kubernetes and nothing here serves. */
export const servedSubresource = (
  kind: Kind,
  subresource: Subresource,
  { nodeGateway, proxy, tokens }: Reach,
): ServedSubresource | undefined => {
  switch (subresource) {
    case 'status':
    case 'scale':
    case 'ephemeralcontainers':
    case 'approval':
      return partOf(kind, subresource);
    case 'finalize':
      return finalize(kind);
    case 'binding':
      return binding;
    case 'eviction':
      return eviction;
    case 'log':
      return nodeGateway === undefined
        ? undefined
        : { responseKind: kind, methods: { GET: podLog(nodeGateway) } };
    case 'exec':
      return nodeGateway === undefined ? undefined : stream('PodExecOptions');
    case 'attach':
      return nodeGateway === undefined ? undefined : stream('PodAttachOptions');
    case 'portforward':
      return nodeGateway === undefined ? undefined : stream('PodPortForwardOptions');
    case 'proxy':
      return proxy === undefined ? undefined : proxied(kind, proxy);
    case 'token':
      return tokens === undefined ? undefined : tokenSubresource(tokens.issuer);
  }
};
