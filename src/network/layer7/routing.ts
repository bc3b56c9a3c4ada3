// What comes in from outside, and where it goes: data that Ingresses and Gateways become, and that a proxy is configured
// from.

export interface ValueMatch {
  readonly name: string;
  readonly value: string;
  readonly regex: boolean;
}

export interface RequestMatch {
  /** Lower case; `*.example.com` for one or more labels before it; undefined: any host. */
  readonly host: string | undefined;
  readonly path: { readonly type: 'exact' | 'prefix' | 'regex'; readonly value: string };
  readonly method?: string | undefined;
  readonly headers: readonly ValueMatch[];
  readonly query: readonly ValueMatch[];
}

export interface HeaderChanges {
  readonly set: readonly (readonly [string, string])[];
  readonly add: readonly (readonly [string, string])[];
  readonly remove: readonly string[];
}

/** A new path, or what stands for the prefix that matched. */
export type PathChange =
  { readonly type: 'full'; readonly value: string } | { readonly type: 'prefix'; readonly value: string };

export interface Redirect {
  readonly scheme?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: PathChange | undefined;
  readonly status: number;
}

export interface Filters {
  readonly request?: HeaderChanges | undefined;
  readonly response?: HeaderChanges | undefined;
  readonly redirect?: Redirect | undefined;
  readonly rewrite?:
    { readonly host?: string | undefined; readonly path?: PathChange | undefined } | undefined;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** 1 to 256. */
  readonly weight: number;
}

export interface RouteTarget {
  readonly weight: number;
  readonly endpoints: readonly Endpoint[];
  /** What clients get while there is no endpoint: 503, or 500 for a service that is not there. */
  readonly empty: 500 | 503;
  readonly filters: Filters;
}

export interface Route {
  /** `Ingress shop/web`: for messages. */
  readonly owner: string;
  /** Ports as Gateways and Ingresses name them; 80 and 443 stand for the node's. */
  readonly ports: readonly number[];
  readonly match: RequestMatch;
  readonly filters: Filters;
  readonly targets: readonly RouteTarget[];
  /** Seconds. */
  readonly timeout?: number | undefined;
  /** Of its object, RFC 3339: the older one wins. */
  readonly created: string;
}

export interface Listener {
  readonly port: number;
  readonly tls: boolean;
}

/** A certificate, and the hosts for which it is shown. */
export interface Certificate {
  /** `namespace/name` of the Secret. */
  readonly secret: string;
  readonly port: number;
  /** Certificate chain and key. */
  readonly pem: string;
  /** Empty: whatever the certificate names. */
  readonly hosts: readonly string[];
}

export interface Routing {
  readonly listeners: readonly Listener[];
  /** The first one that matches answers. */
  readonly routes: readonly Route[];
  readonly certificates: readonly Certificate[];
}

const hostRank = (host: string | undefined): number => {
  if (host === undefined) return 0;
  return host.startsWith('*') ? 1 + host.length : 10_000;
};

const pathRank = ({ path }: RequestMatch): number => {
  if (path.type === 'exact') return 20_000;
  return path.type === 'regex' ? 10_000 + path.value.length : path.value.length;
};

/** The Gateway API's order: host, exact path, longest prefix, method, headers, parameters; then the older object. */
export const byPrecedence = (a: Route, b: Route): number => {
  const keys = ({ match }: Route): readonly number[] => [
    hostRank(match.host),
    pathRank(match),
    match.method === undefined ? 0 : 1,
    match.headers.length,
    match.query.length,
  ];
  const [one, other] = [keys(a), keys(b)];
  for (const [index, value] of one.entries()) {
    const difference = (other[index] ?? 0) - value;
    if (difference !== 0) return difference;
  }
  if (a.created !== b.created) return a.created < b.created ? -1 : 1;
  return a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : 0;
};
