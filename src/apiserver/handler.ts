// The front door of the API server: route -> authenticate -> verb -> answer; whatever fails becomes a Status.
import type { Clock } from '../base/clock.js';
import { ClusterError, messageOf } from '../base/errors.js';
import type { Extension, HttpHandler, HttpRequest, HttpResponse, Identity } from '../base/http.js';
import type { Logger } from '../base/log.js';
import { kindSource } from '../resources/kind-source.js';
import type { Kinds, KindSource } from '../resources/kind-source.js';
import type { Kind } from '../resources/kind.js';
import type { AuditLog } from './audit/audit-log.js';
import { anonymous, createAuthenticator, nothingPresented } from './authenticate.js';
import type { Authenticator } from './authenticate.js';
import { forbidden, pathAttributes, resourceAttributes } from './authorize/attributes.js';
import type { Attributes } from './authorize/attributes.js';
import type { Authorizer } from './authorize/authorizer.js';
import { impersonated } from './authorize/impersonate.js';
import { accessReviews } from './authorize/reviews.js';
import { CachedDocument, showDocument } from './cached-document.js';
import {
  aggregatedContentType,
  aggregatedDiscovery,
  aggregatedVersionOf,
  apiGroup,
  apiGroupList,
  apiVersions,
  resourceList,
} from './discovery.js';
import type { ServedKind } from './discovery.js';
import type { Fairness, Leave } from './fairness/fairness.js';
import { healthResponse } from './health.js';
import type { HealthCheck } from './health.js';
import type { NodeGateway } from './node-gateway.js';
import { createOpenApi } from './openapi.js';
import type { OpenApi } from './openapi.js';
import type { Proxy } from './proxy/proxy.js';
import type { Registry } from './registry.js';
import type { ResourceCall, ServerContext, Verb } from './resource-call.js';
import { create, get, list, patch, remove, removeCollection, update } from './resource-verbs.js';
import { metricsKinds } from './resource-metrics/metrics-api.js';
import type { UsageReader } from './resource-metrics/usage-reader.js';
import { compressed, json, utf8, withWarnings } from './respond.js';
import { routeOf } from './routes.js';
import type { ResourceRoute, Route } from './routes.js';
import { asClusterError, statusOf } from './status-error.js';
import { servedSubresource } from './subresources.js';
import type { TokenIssuer } from './tokens/token-request.js';
import { tokenReviews, type TokenReviewOptions } from './tokens/token-review.js';
import { auditIdOf, isStream, tell } from './trace.js';
import type { Observer, Trace } from './trace.js';
import { noSuchResource } from './verbs/rejections.js';
import { versionInfo } from './version.js';
import { WatchLines } from './watch-stream.js';

export interface ApiServerOptions {
  readonly registry: Registry;
  readonly kinds: Kinds;
  readonly clock: Clock;
  readonly log: Logger;
  /** Capstan's own version, such as `0.1.0`. */
  readonly version: string;
  /** Endpoints under prefixes of their own; they get requests that have been authenticated. */
  readonly extensions?: readonly Extension[];
  /** Without one there is no `pods/log`. */
  readonly nodeGateway?: NodeGateway | undefined;
  /** Without them there are no tokens of service accounts. */
  readonly tokens?: { readonly issuer: TokenIssuer; readonly review: TokenReviewOptions } | undefined;
  /** Says who asks; without one, client certificates do. */
  readonly authenticator?: Authenticator | undefined;
  /** Without one there is no metrics.k8s.io. */
  readonly usage?: UsageReader | undefined;
  /** Without one nobody is proxied to. */
  readonly proxy?: Proxy | undefined;
  /** Says who may do what; without one, everyone who has been authenticated may do everything. */
  readonly authorizer?: Authorizer | undefined;
  /** What `/readyz` and `/healthz` look at besides the server itself. */
  readonly checks?: readonly HealthCheck[];
  readonly surroundings?: Surroundings | undefined;
}

/** What stands around every request. */
export interface Surroundings {
  readonly fairness: Fairness;
  readonly audit: AuditLog;
  /** Are told of every answer, the audit log among them. */
  readonly observers: readonly Observer[];
  /** Milliseconds of a monotonic clock, with fractions. */
  readonly ticks: () => number;
  readonly uid: () => string;
}

/** What is served as long as no kind comes or goes. */
interface Served {
  readonly of: readonly Kind[];
  /** By `group/version/plural`. */
  readonly kinds: ReadonlyMap<string, ServedKind>;
  readonly all: readonly ServedKind[];
  /** Aggregated documents that have been asked for, by version and root. */
  readonly discovery: Map<string, CachedDocument>;
}

interface Front extends ServerContext {
  served(): Served;
  readonly options: ApiServerOptions;
  readonly openApi: OpenApi;
  readonly authenticate: Authenticator;
}

const notAllowed = (): ClusterError =>
  new ClusterError('MethodNotAllowed', 'the server does not allow this method on the requested resource');

const keyOf = ({ group, version, plural }: Pick<Kind, 'group' | 'version' | 'plural'>): string =>
  `${group}/${version}/${plural}`;

const servedKinds = (
  kinds: readonly Kind[],
  { nodeGateway, proxy, tokens, authorizer, usage }: ApiServerOptions,
): readonly ServedKind[] => [
  ...kinds.map((kind) => ({
    kind,
    subresources: new Map(
      kind.subresources.flatMap((name) => {
        const served = servedSubresource(kind, name, { nodeGateway, proxy, tokens });
        return served === undefined ? [] : [[name, served] as const];
      }),
    ),
  })),
  ...(authorizer === undefined ? [] : accessReviews(authorizer)),
  ...(usage === undefined ? [] : metricsKinds(usage)),
  ...(tokens === undefined ? [] : [tokenReviews(tokens.review)]),
];

const collectionVerbs: Readonly<Record<string, Verb>> = { GET: list, POST: create, DELETE: removeCollection };
const objectVerbs: Readonly<Record<string, Verb>> = { GET: get, PUT: update, PATCH: patch, DELETE: remove };

/** Of a kind whose objects are answered and not kept. */
const answeredVerbOf = (
  { kind, collection, object }: ServedKind,
  route: ResourceRoute,
  method: string,
): Verb => {
  const across = kind.namespaced && route.name === undefined && method === 'GET';
  if ((route.namespace !== undefined) !== kind.namespaced && !across) throw noSuchResource();
  const verbs = route.name === undefined ? collection : route.subresource === undefined ? object : undefined;
  if (verbs === undefined) throw noSuchResource();
  const verb = verbs[method];
  if (verb === undefined) throw notAllowed();
  return verb;
};

const verbOf = (served: ServedKind, route: ResourceRoute, method: string): Verb => {
  if (served.collection !== undefined) return answeredVerbOf(served, route, method);
  const { kind, subresources } = served;
  const scoped = route.namespace !== undefined;
  if (scoped && !kind.namespaced) throw noSuchResource();
  if (route.name === undefined) {
    const verb = collectionVerbs[method];
    // Over all namespaces one can only read, and delete within one.
    if (verb === undefined || (kind.namespaced && !scoped && method !== 'GET')) throw notAllowed();
    return verb;
  }
  if (kind.namespaced && !scoped) throw noSuchResource();
  const verbs: Readonly<Record<string, Verb>> | undefined =
    route.subresource === undefined ? objectVerbs : subresources.get(route.subresource)?.methods;
  if (verbs === undefined) throw noSuchResource();
  const verb = verbs[method];
  if (verb === undefined) throw notAllowed();
  return verb;
};

const serveResource = async (
  front: Front,
  route: ResourceRoute,
  request: HttpRequest,
  identity: Identity,
): Promise<HttpResponse> => {
  const found = front.served().kinds.get(keyOf(route));
  if (found === undefined) throw noSuchResource();
  const warnings: string[] = [];
  const call: ResourceCall = {
    server: front,
    request,
    identity,
    kind: found.kind,
    route,
    warn: (message) => warnings.push(message),
  };
  if (found.kind.deprecation !== undefined) call.warn(found.kind.deprecation);
  const response = await verbOf(found, route, request.method)(call);
  return withWarnings(await compressed(request, response), warnings);
};

const aggregated = (front: Front, request: HttpRequest, core: boolean): Promise<HttpResponse> | undefined => {
  const version = aggregatedVersionOf(request.headers['accept']);
  if (version === undefined) return undefined;
  const key = `${version}/${core ? 'api' : 'apis'}`;
  const { all, discovery } = front.served();
  let document = discovery.get(key);
  if (document === undefined) {
    document = new CachedDocument(utf8(JSON.stringify(aggregatedDiscovery(all, { core, version }))));
    discovery.set(key, document);
  }
  return showDocument(request, aggregatedContentType(version), document);
};

const found = (value: unknown): HttpResponse => {
  if (value === undefined) throw noSuchResource();
  return json(200, value);
};

const serveDocument = (
  front: Front,
  route: Route,
  request: HttpRequest,
): Promise<HttpResponse> | HttpResponse => {
  if (request.method !== 'GET') throw notAllowed();
  switch (route.type) {
    case 'core-versions':
      return aggregated(front, request, true) ?? json(200, apiVersions(front.served().all));
    case 'groups':
      return aggregated(front, request, false) ?? json(200, apiGroupList(front.served().all));
    case 'group':
      return found(apiGroup(front.served().all, route.group));
    case 'group-version':
      return found(resourceList(front.served().all, route.group, route.version));
    case 'openapi-v2':
      return front.openApi.v2(request);
    case 'openapi-v3-index':
      return front.openApi.index();
    case 'openapi-v3':
      return front.openApi.document(request, route.group, route.version);
    case 'version':
      return json(200, versionInfo(front.options.version));
    case 'health':
      return healthResponse(request, route, front.options.checks ?? []);
    case 'resource':
    case 'unknown':
      throw noSuchResource();
  }
};

const open: ReadonlySet<Route['type']> = new Set(['health', 'version']);

const extensionOf = (front: Front, path: string): Extension | undefined =>
  front.options.extensions?.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));

/** Who asks, as far as rights go; throws Forbidden, or Unauthorized when nothing is known of the client. */
const authorized = async (
  front: Front,
  request: HttpRequest,
  route: Route,
  trace: Partial<Trace>,
): Promise<Identity> => {
  const wanted: Attributes =
    route.type === 'resource' ? resourceAttributes(request, route) : pathAttributes(request);
  trace.wanted = wanted;
  const identity = await front.authenticate(request);
  trace.identity = identity;
  const { authorizer } = front.options;
  if (authorizer === undefined) {
    if (identity === anonymous) throw nothingPresented();
    return identity;
  }
  const actor = impersonated(authorizer, request, identity);
  trace.actor = actor;
  const { allowed, reason } = authorizer.authorize(actor, wanted);
  trace.allowed = allowed;
  trace.reason = reason;
  if (allowed) return actor;
  throw actor === anonymous ? nothingPresented() : forbidden(actor, wanted, reason);
};

/** Whatever was asked for, by someone who may. */
const dispatch = async (
  front: Front,
  route: Route,
  request: HttpRequest,
  identity: Identity,
): Promise<HttpResponse> => {
  if (route.type === 'resource') return serveResource(front, route, request, identity);
  if (route.type === 'unknown') {
    const extension = extensionOf(front, request.path);
    if (extension === undefined) throw noSuchResource();
    return extension.handle(request, identity);
  }
  return compressed(request, await serveDocument(front, route, request));
};

const serve = async (front: Front, request: HttpRequest, trace: Trace): Promise<HttpResponse> => {
  const { route } = trace;
  if (open.has(route.type)) return serveDocument(front, route, request);
  const identity = await authorized(front, request, route, trace);
  const { surroundings } = front.options;
  const { wanted } = trace;
  if (surroundings === undefined || wanted === undefined) return dispatch(front, route, request, identity);
  surroundings.audit.received(trace);
  const entered = surroundings.fairness.enter(identity, wanted, trace);
  const leave: Leave = entered instanceof Promise ? await entered : entered;
  let response: HttpResponse | undefined;
  try {
    response = await dispatch(front, route, request, identity);
    if (isStream(response)) surroundings.fairness.hold(identity, wanted, trace);
    return response;
  } finally {
    leave(response);
  }
};

/** The answer to a request that failed, with the headers that belong to its reason. */
export const errorResponse = (error: unknown): HttpResponse => {
  const clusterError = asClusterError(error);
  const status = statusOf(clusterError);
  const { retryAfterSeconds } = clusterError;
  const response = json(status.code, status);
  if (retryAfterSeconds === undefined) return response;
  return { ...response, headers: { ...response.headers, 'retry-after': String(retryAfterSeconds) } };
};

const servedBy = (source: KindSource, options: ApiServerOptions): (() => Served) => {
  let last: Served | undefined;
  return () => {
    const of = source.served();
    if (last?.of === of) return last;
    const all = servedKinds(of, options);
    const kinds = new Map(all.map((item) => [keyOf(item.kind), item]));
    last = { of, kinds, all, discovery: new Map() };
    return last;
  };
};

export const createApiHandler = (options: ApiServerOptions): HttpHandler => {
  const { registry, clock, log } = options;
  const source = kindSource(options.kinds);
  const front: Front = {
    registry,
    clock,
    log,
    lines: new WatchLines(),
    served: servedBy(source, options),
    options,
    openApi: createOpenApi(source),
    authenticate: options.authenticator ?? createAuthenticator({ tokens: [], clock, log }),
  };
  const answer = async (request: HttpRequest, trace: Trace): Promise<HttpResponse> => {
    try {
      return await serve(front, request, trace);
    } catch (error) {
      // The registry has logged its own.
      if (!(error instanceof ClusterError))
        log.error(
          {
            method: request.method,
            path: request.path,
            error: messageOf(error),
            stack: error instanceof Error ? error.stack : undefined,
          },
          'a request failed',
        );
      return errorResponse(error);
    }
  };
  const { surroundings } = options;
  if (surroundings === undefined)
    return (request) =>
      answer(request, { request, route: routeOf(request.path), id: '', receivedAt: 0, startedAt: 0 });
  const { observers, ticks, uid } = surroundings;
  return async (request) => {
    const trace: Trace = {
      request,
      route: routeOf(request.path),
      id: auditIdOf(request, uid),
      receivedAt: clock.now(),
      startedAt: ticks(),
    };
    const response = await answer(request, trace);
    tell(observers, trace, response, ticks);
    return { ...response, headers: { ...response.headers, 'audit-id': trace.id } };
  };
};
