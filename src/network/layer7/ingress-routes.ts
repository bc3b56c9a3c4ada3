// Ingresses of Capstan's class -> routes and certificates.
import type { View } from '../../client/view.js';
import type { HTTPIngressPath, Ingress, IngressBackend } from '../../resources/generated/types.js';
import { ingressclasses } from '../../resources/kinds/ingressclasses.js';
import { ingresses } from '../../resources/kinds/ingresses.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { pemOf } from './certificates.js';
import type { Certificate, Filters, RequestMatch, Route, RouteTarget } from './routing.js';
import { endpointsOf } from './targets.js';

export const ingressController = 'capstan.dev/ingress';
/** `false` on an Ingress: its hosts answer over plain HTTP too, although they have a certificate. */
export const sslRedirectAnnotation = 'capstan.dev/ssl-redirect';
const classAnnotation = 'kubernetes.io/ingress.class';
const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';

export interface Outcome {
  readonly routes: readonly Route[];
  readonly certificates: readonly Certificate[];
  /** By owner, `Ingress shop/web`. */
  readonly problems: ReadonlyMap<string, readonly string[]>;
}

/** Those that Capstan looks after: of a class of its own, or without a class where its class is the default. */
export const ownIngresses = (view: View): readonly Ingress[] => {
  const own = view.list(ingressclasses).filter(({ spec }) => spec.controller === ingressController);
  const names = new Set(own.map(({ metadata }) => metadata.name));
  const byDefault = own.some(({ metadata }) => metadata.annotations?.[defaultAnnotation] === 'true');
  return view.list(ingresses).filter(({ metadata, spec }) => {
    const name = spec.ingressClassName ?? metadata.annotations?.[classAnnotation];
    return name === undefined ? byDefault : names.has(name);
  });
};

const plain: Filters = {};

const isCovered = (host: string, tlsHosts: readonly string[]): boolean =>
  tlsHosts.some(
    (covered) =>
      covered === host ||
      (covered.startsWith('*.') && host.split('.').slice(1).join('.') === covered.slice(2)),
  );

const pathMatch = ({ path = '/', pathType }: HTTPIngressPath): RequestMatch['path'] => ({
  type: pathType === 'Exact' ? 'exact' : 'prefix',
  value: path === '' ? '/' : path,
});

class IngressReader {
  readonly routes: Route[] = [];
  readonly certificates: Certificate[] = [];
  readonly problems = new Map<string, string[]>();
  readonly #view: View;

  constructor(view: View) {
    this.#view = view;
  }

  read(ingress: Ingress): void {
    const { metadata, spec } = ingress;
    const { namespace = '' } = metadata;
    const owner = `Ingress ${namespace}/${metadata.name}`;
    const tlsHosts = (spec.tls ?? []).flatMap(({ hosts = [] }) => hosts);
    for (const { secretName, hosts = [] } of spec.tls ?? []) {
      if (secretName === undefined || secretName === '') continue;
      const found = pemOf(this.#view.get(secrets, { namespace, name: secretName }));
      if ('problem' in found) this.#problem(owner, `Secret ${secretName}: ${found.problem}`);
      else this.certificates.push({ secret: `${namespace}/${secretName}`, port: 443, pem: found.pem, hosts });
    }
    const common = { owner, created: metadata.creationTimestamp };
    const redirects = metadata.annotations?.[sslRedirectAnnotation] !== 'false';
    const add = (host: string | undefined, path: RequestMatch['path'], backend: IngressBackend): void => {
      const match: RequestMatch = { host, path, headers: [], query: [] };
      const targets = [this.#target(owner, namespace, backend)];
      const secure = redirects && host !== undefined && isCovered(host, tlsHosts);
      this.routes.push({ ...common, ports: secure ? [443] : [80, 443], match, filters: plain, targets });
      if (secure)
        this.routes.push({
          ...common,
          ports: [80],
          match,
          filters: { redirect: { scheme: 'https', status: 308 } },
          targets: [],
        });
    };
    for (const { host, http } of spec.rules ?? [])
      for (const path of http?.paths ?? [])
        add(
          host === undefined || host === '' ? undefined : host.toLowerCase(),
          pathMatch(path),
          path.backend,
        );
    if (spec.defaultBackend !== undefined) {
      const hosts = (spec.rules ?? []).flatMap(({ host }) =>
        host === undefined || host === '' ? [] : [host.toLowerCase()],
      );
      for (const host of hosts.length === 0 ? [undefined] : hosts)
        add(host, { type: 'prefix', value: '/' }, spec.defaultBackend);
    }
  }

  #target(owner: string, namespace: string, { service }: IngressBackend): RouteTarget {
    const endpoints =
      service && endpointsOf(this.#view, { namespace, name: service.name }, service.port ?? {});
    if (endpoints === undefined)
      this.#problem(
        owner,
        service === undefined
          ? 'only Services can be backends'
          : `there is no Service ${service.name} with port ${service.port?.name ?? service.port?.number ?? ''}`,
      );
    return { weight: 1, endpoints: endpoints ?? [], empty: 503, filters: plain };
  }

  #problem(owner: string, problem: string): void {
    const known = this.problems.get(owner) ?? [];
    if (!known.includes(problem)) this.problems.set(owner, [...known, problem]);
  }
}

export const ingressRoutes = (view: View): Outcome => {
  const reader = new IngressReader(view);
  for (const ingress of ownIngresses(view)) reader.read(ingress);
  return reader;
};
