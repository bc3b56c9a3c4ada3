// Routing -> the configuration of HAProxy 2.4 and later. Each line knows whose it is, so that one object's mistake can be
// taken out and the rest be served.
import type {
  Filters,
  HeaderChanges,
  PathChange,
  RequestMatch,
  Route,
  RouteTarget,
  Routing,
} from './routing.js';
import { byPrecedence } from './routing.js';

export interface ProxyOptions {
  /** Folder of the proxy's files, as it sees it. */
  readonly folder: string;
  readonly httpPort: number;
  readonly httpsPort: number;
}

export interface ProxyFile {
  /** Relative to the folder. */
  readonly name: string;
  readonly content: string;
}

export interface ProxyConfig {
  readonly lines: readonly { readonly text: string; readonly owner: string | undefined }[];
  readonly files: readonly ProxyFile[];
}

/** Within double quotes, three characters mean something; control characters end a line and are left out. */
const quoted = (text: string): string =>
  `"${Array.from(text.replace(/[\u0000-\u001f\u007f]/g, ''))
    .map((character) => (/["\\$]/.test(character) ? `\\${character}` : character))
    .join('')}"`;
/** In a value that HAProxy formats. */
const literal = (text: string): string => quoted(text.replace(/%/g, '%%'));
const prefixOf = (value: string): string => value.replace(/\/+$/, '');
const regexOf = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

const hostCondition = (host: string | undefined): readonly string[] => {
  if (host === undefined) return [];
  return host.startsWith('*.')
    ? [`{ var(txn.host) -m end ${quoted(host.slice(1))} }`]
    : [`{ var(txn.host) -m str ${quoted(host)} }`];
};

const pathCondition = ({ type, value }: RequestMatch['path']): readonly string[] => {
  switch (type) {
    case 'exact':
      return [`{ path -m str ${quoted(value)} }`];
    case 'regex':
      return [`{ path -m reg ${quoted(`^(${value})$`)} }`];
    case 'prefix':
      // Whole elements: /shop fits /shop and /shop/cart, not /shopping.
      return prefixOf(value) === '' ? [] : [`{ var(txn.path) -m beg ${quoted(`${prefixOf(value)}/`)} }`];
  }
};

const condition = ({ host, path, method, headers, query }: RequestMatch): readonly string[] => [
  ...hostCondition(host),
  ...pathCondition(path),
  ...(method === undefined ? [] : [`{ method ${method} }`]),
  ...headers.map(
    ({ name, value, regex }) => `{ req.fhdr(${name}) -m ${regex ? 'reg' : 'str'} ${quoted(value)} }`,
  ),
  ...query.map(
    ({ name, value, regex }) => `{ url_param(${name}) -m ${regex ? 'reg' : 'str'} ${quoted(value)} }`,
  ),
];

const headerLines = (
  direction: 'http-request' | 'http-response',
  changes: HeaderChanges | undefined,
): readonly string[] => [
  ...(changes?.remove ?? []).map((name) => `${direction} del-header ${name}`),
  ...(changes?.set ?? []).map(([name, value]) => `${direction} set-header ${name} ${literal(value)}`),
  ...(changes?.add ?? []).map(([name, value]) => `${direction} add-header ${name} ${literal(value)}`),
];

const pathLines = (change: PathChange | undefined, match: RequestMatch): readonly string[] => {
  if (change === undefined) return [];
  if (change.type === 'full') return [`http-request set-path ${literal(change.value)}`];
  const from = regexOf(prefixOf(match.path.value));
  const to = prefixOf(change.value).replace(/%/g, '%%').replace(/\\/g, '\\\\');
  return [
    `http-request replace-path ${quoted(`^${from}/?$`)} ${quoted(to === '' ? '/' : to)} if { path -m reg ${quoted(`^${from}/?$`)} }`,
    `http-request replace-path ${quoted(`^${from}/(.+)$`)} ${quoted(`${to}/`)}\\\\1 if { path -m reg ${quoted(`^${from}/.+$`)} }`,
  ];
};

const standardPort: Readonly<Record<string, number>> = { http: 80, https: 443 };

const redirectLines = ({ redirect }: Filters, match: RequestMatch): readonly string[] => {
  if (redirect === undefined) return [];
  const { scheme, host, port, path, status } = redirect;
  const way = scheme ?? '%[var(txn.scheme)]';
  // A scheme of its own goes with its standard port; otherwise the port that was asked for stays.
  const number = port ?? (scheme === undefined ? undefined : standardPort[scheme]);
  const at = number === undefined || number === standardPort[scheme ?? ''] ? '' : `:${String(number)}`;
  const name = host === undefined ? '%[var(txn.host)]' : host.replace(/%/g, '%%');
  return [
    ...pathLines(path, match),
    `http-request redirect location ${way}://${name}${at}%[pathq] code ${String(status)}`,
  ];
};

const targetLines = (target: RouteTarget): readonly string[] => {
  if (target.endpoints.length === 0)
    return [
      `http-request return status ${String(target.empty)} content-type text/plain string ${quoted(target.empty === 503 ? 'no pod is ready' : 'the service is not there')}`,
    ];
  return [
    'balance roundrobin',
    ...target.endpoints.map(
      ({ address, port, weight }, index) =>
        `server e${String(index)} ${address}:${String(port)} weight ${String(weight)}`,
    ),
  ];
};

const backendLines = (route: Route, target: RouteTarget | undefined): readonly string[] => {
  const { match, filters, timeout } = route;
  const all = [filters, ...(target === undefined ? [] : [target.filters])];
  return [
    ...(timeout === undefined ? [] : [`timeout server ${String(Math.max(1, Math.round(timeout * 1000)))}ms`]),
    ...all.flatMap(({ request }) => headerLines('http-request', request)),
    ...all.flatMap(({ response }) => headerLines('http-response', response)),
    ...redirectLines(filters, match),
    ...all.flatMap(({ rewrite }) => [
      ...(rewrite?.host === undefined ? [] : [`http-request set-header Host ${literal(rewrite.host)}`]),
      ...pathLines(rewrite?.path, match),
    ]),
    ...(filters.redirect !== undefined
      ? []
      : target === undefined
        ? ['http-request return status 500']
        : targetLines(target)),
  ];
};

const head = ({ folder }: ProxyOptions): readonly string[] => [
  'global',
  `  stats socket ${folder}/admin.sock mode 600 level admin expose-fd listeners`,
  '  hard-stop-after 30m',
  '  tune.ssl.default-dh-param 2048',
  '  ssl-default-bind-options ssl-min-ver TLSv1.2',
  'defaults',
  '  mode http',
  '  option http-keep-alive',
  '  option redispatch',
  '  retries 2',
  '  retry-on conn-failure empty-response',
  '  timeout connect 3s',
  '  timeout client 60s',
  '  timeout server 60s',
  '  timeout http-request 30s',
  '  timeout http-keep-alive 60s',
  '  timeout tunnel 1h',
];

interface Entry {
  readonly text: string;
  readonly owner: string | undefined;
}

/** Chances one after the other: each service's share among those that are left. */
const useLines = (route: Route, id: string): readonly string[] => {
  const fits = condition(route.match).join(' ');
  const use = (backend: string, more = ''): string =>
    `  use_backend ${backend} ${fits === '' && more === '' ? '' : `if ${fits} ${more}`}`.trimEnd();
  const { targets, filters } = route;
  const shares = targets.map(({ weight }, index) => ({ weight, index })).filter(({ weight }) => weight > 0);
  if (filters.redirect !== undefined || shares.length === 0) return [use(`${id}-0`)];
  let left = shares.reduce((sum, { weight }) => sum + weight, 0);
  return shares.map(({ weight, index }, position) => {
    const chance =
      position === shares.length - 1 ? '' : `{ rand(${String(left)}) -m int lt ${String(weight)} }`;
    left -= weight;
    return use(`${id}-${String(index)}`, chance);
  });
};

/** 80 and 443 stand for the ports that the node was given; 0 turns one off. */
const realPort = (port: number, { httpPort, httpsPort }: ProxyOptions): number =>
  port === 80 ? httpPort : port === 443 ? httpsPort : port;

const certificateName = (secret: string): string => `${secret.replace('/', '_')}.pem`;

export const proxyConfig = (routing: Routing, options: ProxyOptions): ProxyConfig => {
  const routes = [...routing.routes].sort(byPrecedence);
  const entries: Entry[] = head(options).map((text) => ({ text, owner: undefined }));
  const files: ProxyFile[] = [];
  const add = (owner: string | undefined, ...texts: readonly string[]): void => {
    entries.push(...texts.map((text) => ({ text, owner })));
  };
  const ports = new Map<number, boolean>();
  for (const { port, tls } of routing.listeners)
    if (realPort(port, options) > 0) ports.set(port, (ports.get(port) ?? false) || tls);
  for (const [port, tls] of ports) {
    const shown = routing.certificates.filter((certificate) => certificate.port === port);
    if (tls && shown.length === 0) continue; // nothing could be shown to anyone
    const list = `certificates-${String(port)}.txt`;
    if (tls)
      files.push({
        name: list,
        content: shown
          .map(({ secret, hosts }) => `${options.folder}/${certificateName(secret)} ${hosts.join(' ')}\n`)
          .join(''),
      });
    add(
      undefined,
      `frontend port-${String(port)}`,
      `  bind :${String(realPort(port, options))}${tls ? ` ssl crt-list ${options.folder}/${list} alpn h2,http/1.1` : ''}`,
      '  http-request set-var(txn.host) req.hdr(host),field(1,:),lower',
      '  http-request set-var(txn.path) path,concat(/)',
      `  http-request set-var(txn.scheme) str(${tls ? 'https' : 'http'})`,
      '  http-request set-header X-Forwarded-For %[src]',
      '  http-request set-header X-Real-IP %[src]',
      '  http-request set-header X-Forwarded-Host %[req.hdr(host)]',
      `  http-request set-header X-Forwarded-Proto ${tls ? 'https' : 'http'}`,
      `  http-request set-header X-Forwarded-Port ${String(port)}`,
    );
    for (const [index, route] of routes.entries())
      if (route.ports.includes(port)) add(route.owner, ...useLines(route, `r${String(index)}`));
    add(undefined, '  default_backend none');
  }
  for (const [index, route] of routes.entries()) {
    const targets =
      route.filters.redirect !== undefined || route.targets.length === 0 ? [undefined] : route.targets;
    for (const [at, target] of targets.entries())
      add(
        route.owner,
        `backend r${String(index)}-${String(at)}`,
        ...backendLines(route, target).map((line) => `  ${line}`),
      );
  }
  add(
    undefined,
    'backend none',
    '  http-request return status 404 content-type text/plain string "no route leads here"',
  );
  const pems = new Map(routing.certificates.map(({ secret, pem }) => [certificateName(secret), pem]));
  return { lines: entries, files: [...files, ...[...pems].map(([name, content]) => ({ name, content }))] };
};
