// Gateways of Capstan's classes and the HTTPRoutes that attach to them -> routes, certificates, and what each object is
// told about itself.
import type { View } from '../../client/view.js';
import type {
  Gateway,
  GatewayListener,
  HTTPBackendReference,
  HTTPRoute,
  RouteParentReference,
} from '../../resources/generated/types.js';
import { gatewayclasses } from '../../resources/kinds/gatewayclasses.js';
import { gateways } from '../../resources/kinds/gateways.js';
import { httproutes } from '../../resources/kinds/httproutes.js';
import { namespaces } from '../../resources/kinds/namespaces.js';
import { referencegrants } from '../../resources/kinds/referencegrants.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { selects } from '../../resources/label-selector.js';
import { parseDuration } from '../../base/duration.js';
import { pemOf } from './certificates.js';
import { filtersOf, matchOf } from './route-rules.js';
import type { Certificate, Listener, Route, RouteTarget } from './routing.js';
import { endpointsOf } from './targets.js';

export const gatewayController = 'capstan.dev/gateway';
const group = 'gateway.networking.k8s.io';

/** A condition without its times. */
export interface Verdict {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

const verdict = (type: string, ok: boolean, reason: string, message = ''): Verdict => ({
  type,
  status: ok ? 'True' : 'False',
  reason,
  message,
});

export interface ListenerVerdict {
  readonly name: string;
  readonly attached: number;
  readonly conditions: readonly Verdict[];
}

export interface GatewayOutcome {
  readonly listeners: readonly Listener[];
  readonly routes: readonly Route[];
  readonly certificates: readonly Certificate[];
  /** By `namespace/name`. */
  readonly gateways: ReadonlyMap<string, readonly ListenerVerdict[]>;
  readonly parents: ReadonlyMap<
    string,
    readonly { readonly parentRef: RouteParentReference; readonly conditions: readonly Verdict[] }[]
  >;
}

export const ownGateways = (view: View): readonly Gateway[] => {
  const classes = new Set(
    view
      .list(gatewayclasses)
      .flatMap(({ metadata, spec }) => (spec.controllerName === gatewayController ? [metadata.name] : [])),
  );
  return view.list(gateways).filter(({ spec }) => classes.has(spec.gatewayClassName));
};

const keyOf = ({ metadata }: Gateway | HTTPRoute): string => `${metadata.namespace ?? ''}/${metadata.name}`;

/** Whether an object of one namespace may refer to one of another. */
const isGranted = (
  view: View,
  from: { readonly kind: string; readonly namespace: string },
  to: { readonly kind: string; readonly namespace: string; readonly name: string },
): boolean =>
  from.namespace === to.namespace ||
  view
    .list(referencegrants, to.namespace)
    .some(
      ({ spec }) =>
        spec.from.some(
          (one) => one.group === group && one.kind === from.kind && one.namespace === from.namespace,
        ) &&
        spec.to.some(
          (one) =>
            (one.group ?? '') === '' &&
            one.kind === to.kind &&
            (one.name === undefined || one.name === to.name),
        ),
    );

/** The narrower of two hosts; undefined when no host is both. */
const intersection = (
  a: string | undefined,
  b: string | undefined,
): { readonly host: string | undefined } | undefined => {
  if (a === undefined || a === b) return { host: b };
  if (b === undefined) return { host: a };
  const covers = (wide: string, narrow: string): boolean =>
    wide.startsWith('*.') && narrow.endsWith(wide.slice(1));
  if (covers(a, b)) return { host: b };
  return covers(b, a) ? { host: a } : undefined;
};

interface Attachable {
  readonly gateway: Gateway;
  readonly listener: GatewayListener;
  readonly usable: boolean;
}

class GatewayReader {
  readonly listeners: Listener[] = [];
  readonly routes: Route[] = [];
  readonly certificates: Certificate[] = [];
  readonly gateways = new Map<string, ListenerVerdict[]>();
  readonly parents = new Map<string, { parentRef: RouteParentReference; conditions: readonly Verdict[] }[]>();
  readonly #view: View;
  readonly #attachable: Attachable[] = [];
  readonly #attached = new Map<GatewayListener, number>();

  constructor(view: View) {
    this.#view = view;
  }

  read(): this {
    const own = ownGateways(this.#view);
    const judged = own.map((gateway) => ({
      gateway,
      listeners: gateway.spec.listeners.map((listener) => this.#listener(gateway, listener)),
    }));
    for (const route of this.#view.list(httproutes)) this.#route(route);
    for (const { gateway, listeners } of judged)
      this.gateways.set(
        keyOf(gateway),
        listeners.map(({ listener, conditions }) => ({
          name: listener.name,
          attached: this.#attached.get(listener) ?? 0,
          conditions,
        })),
      );
    return this;
  }

  #listener(
    gateway: Gateway,
    listener: GatewayListener,
  ): { readonly listener: GatewayListener; readonly conditions: readonly Verdict[] } {
    const { namespace = '' } = gateway.metadata;
    const { port, protocol, hostname, tls } = listener;
    const secure = protocol === 'HTTPS';
    const supported = (protocol === 'HTTP' || secure) && tls?.mode !== 'Passthrough';
    const problems: { reason: string; message: string }[] = [];
    for (const { name, namespace: of = namespace, kind = 'Secret' } of secure
      ? (tls?.certificateRefs ?? [])
      : []) {
      if (kind !== 'Secret')
        problems.push({ reason: 'InvalidCertificateRef', message: `${kind} ${name} is no Secret` });
      else if (
        !isGranted(this.#view, { kind: 'Gateway', namespace }, { kind: 'Secret', namespace: of, name })
      )
        problems.push({
          reason: 'RefNotPermitted',
          message: `no ReferenceGrant in ${of} lets Gateways of ${namespace} use Secret ${name}`,
        });
      else {
        const found = pemOf(this.#view.get(secrets, { namespace: of, name }));
        if ('problem' in found)
          problems.push({
            reason: 'InvalidCertificateRef',
            message: `Secret ${of}/${name}: ${found.problem}`,
          });
        else
          this.certificates.push({
            secret: `${of}/${name}`,
            port,
            pem: found.pem,
            hosts: hostname === undefined ? [] : [hostname],
          });
      }
    }
    const [problem] = problems;
    const usable = supported && problem === undefined;
    if (usable) this.listeners.push({ port, tls: secure });
    this.#attachable.push({ gateway, listener, usable });
    const conditions = [
      verdict(
        'Accepted',
        supported,
        supported ? 'Accepted' : 'UnsupportedProtocol',
        supported ? '' : 'listeners are HTTP, or HTTPS with tls.mode Terminate',
      ),
      problem === undefined
        ? verdict('ResolvedRefs', true, 'ResolvedRefs')
        : verdict('ResolvedRefs', false, problem.reason, problem.message),
      verdict('Conflicted', false, 'NoConflicts'),
      verdict('Programmed', usable, usable ? 'Programmed' : 'Invalid', problem?.message),
    ];
    return { listener, conditions };
  }

  #route(route: HTTPRoute): void {
    for (const parentRef of route.spec.parentRefs ?? []) {
      const { namespace = route.metadata.namespace ?? '', name, sectionName, port } = parentRef;
      if ((parentRef.kind ?? 'Gateway') !== 'Gateway' || (parentRef.group ?? group) !== group) continue;
      const all = this.#attachable.filter(({ gateway }) => keyOf(gateway) === `${namespace}/${name}`);
      if (all.length === 0) continue; // of another controller, or not there (yet)
      const named = all.filter(
        ({ listener }) =>
          (sectionName === undefined || listener.name === sectionName) &&
          (port === undefined || listener.port === port),
      );
      const known = this.parents.get(keyOf(route)) ?? [];
      this.parents.set(keyOf(route), [...known, { parentRef, conditions: this.#attach(route, named) }]);
    }
  }

  #attach(route: HTTPRoute, named: readonly Attachable[]): readonly Verdict[] {
    if (named.length === 0)
      return [
        verdict('Accepted', false, 'NoMatchingParent', 'the Gateway has no such listener'),
        verdict('ResolvedRefs', true, 'ResolvedRefs'),
      ];
    const allowed = named.filter((one) => this.#allows(one, route));
    if (allowed.length === 0)
      return [
        verdict(
          'Accepted',
          false,
          'NotAllowedByListeners',
          'no listener allows routes of this namespace and kind',
        ),
        verdict('ResolvedRefs', true, 'ResolvedRefs'),
      ];
    const hosts =
      route.spec.hostnames === undefined || route.spec.hostnames.length === 0
        ? [undefined]
        : route.spec.hostnames.map((host) => host.toLowerCase());
    const pairs = allowed.flatMap(({ listener, usable }) =>
      hosts.flatMap((host) => {
        const both = intersection(listener.hostname?.toLowerCase(), host);
        return both === undefined ? [] : [{ listener, usable, host: both.host }];
      }),
    );
    if (pairs.length === 0)
      return [
        verdict('Accepted', false, 'NoMatchingListenerHostname', 'no listener has a host of the route'),
        verdict('ResolvedRefs', true, 'ResolvedRefs'),
      ];
    for (const listener of new Set(pairs.map((pair) => pair.listener)))
      this.#attached.set(listener, (this.#attached.get(listener) ?? 0) + 1);
    const mirrors = (route.spec.rules ?? []).some((rule) =>
      [...(rule.filters ?? []), ...(rule.backendRefs ?? []).flatMap(({ filters = [] }) => filters)].some(
        ({ type }) => type === 'RequestMirror',
      ),
    );
    if (mirrors)
      return [
        verdict(
          'Accepted',
          false,
          'UnsupportedValue',
          'RequestMirror is not supported: the route is not served',
        ),
        verdict('ResolvedRefs', true, 'ResolvedRefs'),
      ];
    const problems: { reason: string; message: string }[] = [];
    for (const { listener, host } of pairs.filter(({ usable }) => usable))
      this.#serve(route, { port: listener.port, host }, problems);
    const [problem] = problems;
    return [
      verdict('Accepted', true, 'Accepted'),
      problem === undefined
        ? verdict('ResolvedRefs', true, 'ResolvedRefs')
        : verdict('ResolvedRefs', false, problem.reason, problem.message),
    ];
  }

  #allows({ gateway, listener }: Attachable, { metadata }: HTTPRoute): boolean {
    const { namespaces: from, kinds } = listener.allowedRoutes ?? {};
    if (kinds !== undefined && kinds.length > 0 && !kinds.some(({ kind }) => kind === 'HTTPRoute'))
      return false;
    if (from?.from === 'All') return true;
    if (from?.from === 'Selector')
      return selects(
        from.selector,
        this.#view.get(namespaces, { name: metadata.namespace ?? '' })?.metadata.labels,
      );
    return metadata.namespace === gateway.metadata.namespace;
  }

  #serve(
    route: HTTPRoute,
    { port, host }: { readonly port: number; readonly host: string | undefined },
    problems: { reason: string; message: string }[],
  ): void {
    const owner = `HTTPRoute ${keyOf(route)}`;
    for (const rule of route.spec.rules ?? []) {
      const targets = (rule.backendRefs ?? []).map((reference) => this.#target(route, reference, problems));
      const timeout = parseDuration(rule.timeouts?.request ?? rule.timeouts?.backendRequest ?? '');
      for (const match of rule.matches ?? [{}])
        this.routes.push({
          owner,
          ports: [port],
          match: matchOf(match, host),
          filters: filtersOf(rule.filters),
          targets,
          timeout: timeout === undefined || timeout === 0 ? undefined : timeout / 1000,
          created: route.metadata.creationTimestamp,
        });
    }
  }

  #target(
    route: HTTPRoute,
    reference: HTTPBackendReference,
    problems: { reason: string; message: string }[],
  ): RouteTarget {
    const { namespace: own = '' } = route.metadata;
    const { name, namespace = own, kind = 'Service', port = 0, weight = 1 } = reference;
    const filters = filtersOf(reference.filters);
    const missing = (reason: string, message: string): RouteTarget => {
      problems.push({ reason, message });
      return { weight, endpoints: [], empty: 500, filters };
    };
    if (kind !== 'Service' || (reference.group ?? '') !== '')
      return missing('InvalidKind', `${kind} ${name} is no Service`);
    if (!isGranted(this.#view, { kind: 'HTTPRoute', namespace: own }, { kind, namespace, name }))
      return missing(
        'RefNotPermitted',
        `no ReferenceGrant in ${namespace} lets HTTPRoutes of ${own} use Service ${name}`,
      );
    const endpoints = endpointsOf(this.#view, { namespace, name }, { number: port });
    if (endpoints === undefined)
      return missing('BackendNotFound', `there is no Service ${namespace}/${name} with port ${String(port)}`);
    return { weight, endpoints, empty: 503, filters };
  }
}

export const gatewayRoutes = (view: View): GatewayOutcome => new GatewayReader(view).read();
