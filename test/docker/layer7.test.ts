// Layer 7 with a real HAProxy on loopback: what comes back for which request, and nothing lost while it is reloaded.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silent } from '../../src/base/log.js';
import { LiveView } from '../../src/client/live-view.js';
import type { Informers } from '../../src/client/informers.js';
import { Haproxy } from '../../src/host/haproxy/haproxy.js';
import { proxyConfig } from '../../src/network/layer7/haproxy-config.js';
import { routingOf } from '../../src/network/layer7/layer7-agent.js';
import { kinds } from '../../src/resources/kinds.js';
import type { Resource } from '../../src/resources/resource.js';
import { freePort } from '../e2e/free-port.js';
import { meta } from '../unit/network/fixtures.js';
import { service, slice } from '../unit/network/dns/zone-fixtures.js';

const signal = new AbortController().signal;
const servers: Server[] = [];
let folder: string;
let view: LiveView;
let proxy: Haproxy;
let ports: { http: number; https: number };
let version = 1;

const put = (object: object): void => {
  const resource = object as Resource;
  const kind = kinds.find((one) => one.kind === resource.kind)!;
  version += 1;
  const metadata = { ...resource.metadata, resourceVersion: String(version) };
  view.table(kind).put(kind.defaulted({ ...resource, metadata }));
};
const apply = () => proxy.apply(routingOf({ view } as unknown as Informers), signal);

/** Answers with its name, the path and the headers that it saw. */
const serve = async (name: string): Promise<number> => {
  const server = createServer((incoming, response) => {
    setTimeout(
      () => response.end(JSON.stringify({ name, path: incoming.url, headers: incoming.headers })),
      5,
    );
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

interface Got {
  readonly status: number;
  readonly name?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly location?: string | undefined;
}

const get = (
  host: string,
  path: string,
  more: { headers?: Record<string, string>; method?: string; tls?: boolean } = {},
): Promise<Got> =>
  new Promise((resolve, reject) => {
    const done = (response: IncomingMessage): void => {
      let text = '';
      response.on('data', (data: Buffer) => (text += data.toString()));
      response.on('end', () => {
        const body = text.startsWith('{') ? (JSON.parse(text) as object) : {};
        resolve({ status: response.statusCode ?? 0, location: response.headers.location, ...body });
      });
    };
    const { headers = {}, method = 'GET', tls = false } = more;
    const options = { host: '127.0.0.1', path, method, agent: false as const, headers: { ...headers, host } };
    const asked = tls
      ? secureRequest({ ...options, port: ports.https, servername: host, rejectUnauthorized: false }, done)
      : request({ ...options, port: ports.http }, done);
    asked.on('error', reject);
    asked.end();
  });

const backend = async (name: string): Promise<void> => {
  put(service(name, { clusterIP: '10.96.1.1', ports: [{ name: 'http', port: 80 }] }));
  put(
    slice(name, [{ address: '127.0.0.1' }], {
      ports: [{ name: 'http', port: await serve(name), protocol: 'TCP' }],
    }),
  );
};
const ingress = (name: string, spec: object, annotations: Record<string, string> = {}): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: meta(name, { namespace: 'shop', annotations }),
  spec,
});
const to = (name: string) => ({ service: { name, port: { number: 80 } } });
const route = (name: string, spec: object, namespace = 'shop'): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: meta(name, { namespace }),
  spec: { parentRefs: [{ name: 'edge' }], ...spec },
});

const secret = (host: string): object => {
  const out = join(folder, 'made');
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '1',
      ],
      ...[
        '-subj',
        `/CN=${host}`,
        '-addext',
        `subjectAltName=DNS:${host}`,
        '-keyout',
        `${out}.key`,
        '-out',
        `${out}.crt`,
      ],
    ],
    { stdio: 'ignore' },
  );
  const base64 = (file: string): string => execFileSync('base64', ['-w0', file]).toString();
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: meta('tls', { namespace: 'shop' }),
    data: { 'tls.crt': base64(`${out}.crt`), 'tls.key': base64(`${out}.key`) },
  };
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-layer7-'));
  ports = { http: await freePort(), https: await freePort() };
  view = new LiveView(kinds);
  proxy = new Haproxy({
    folder: join(folder, 'proxy'),
    configOf: (routing) =>
      proxyConfig(routing, { folder: join(folder, 'proxy'), httpPort: ports.http, httpsPort: ports.https }),
    log: silent,
  });
  put({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: meta('capstan', { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } }),
    spec: { controller: 'capstan.dev/ingress' },
  });
  put({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: meta('capstan'),
    spec: { controllerName: 'capstan.dev/gateway' },
  });
  put({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: meta('edge', { namespace: 'shop' }),
    spec: { gatewayClassName: 'capstan', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
  });
  for (const name of ['web', 'api', 'new', 'root']) await backend(name);
  put(secret('safe.test'));
  put(
    ingress('web', {
      rules: [
        {
          host: 'web.test',
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: to('root') },
              { path: '/shop', pathType: 'Prefix', backend: to('web') },
              { path: '/shop/exact', pathType: 'Exact', backend: to('api') },
              { path: '/gone', pathType: 'Prefix', backend: to('nobody') },
            ],
          },
        },
        { host: '*.wild.test', http: { paths: [{ path: '/', pathType: 'Prefix', backend: to('api') }] } },
      ],
    }),
  );
  put(
    ingress('safe', {
      tls: [{ hosts: ['safe.test'], secretName: 'tls' }],
      rules: [
        { host: 'safe.test', http: { paths: [{ path: '/', pathType: 'Prefix', backend: to('web') }] } },
      ],
    }),
  );
  put(
    route('rich', {
      hostnames: ['route.test'],
      rules: [
        {
          matches: [{ path: { value: '/old' } }],
          filters: [
            {
              type: 'RequestRedirect',
              requestRedirect: {
                scheme: 'https',
                hostname: 'new.test',
                statusCode: 301,
                path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/fresh' },
              },
            },
          ],
        },
        {
          matches: [{ path: { value: '/v1' } }],
          filters: [
            {
              type: 'URLRewrite',
              urlRewrite: {
                hostname: 'inside',
                path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' },
              },
            },
            {
              type: 'RequestHeaderModifier',
              requestHeaderModifier: {
                set: [{ name: 'X-Set', value: 'a "quoted" 100% $value' }],
                remove: ['X-Gone'],
              },
            },
          ],
          backendRefs: [{ name: 'api', port: 80 }],
        },
        {
          matches: [
            { headers: [{ name: 'x-canary', value: 'yes' }] },
            { queryParams: [{ name: 'canary', value: '1' }] },
            { method: 'POST' },
          ],
          backendRefs: [{ name: 'new', port: 80 }],
        },
        {
          matches: [{ path: { value: '/split' } }],
          backendRefs: [
            { name: 'web', port: 80, weight: 75 },
            { name: 'new', port: 80, weight: 25 },
          ],
        },
        { matches: [{ path: { value: '/broken' } }], backendRefs: [{ name: 'nobody', port: 80 }] },
        { backendRefs: [{ name: 'web', port: 80 }] },
      ],
    }),
  );
  expect(await apply()).toEqual([]);
}, 60_000);

afterAll(async () => {
  await proxy.stop('SIGTERM');
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, force: true });
});

it.each([
  ['web.test', '/', 'root'],
  ['web.test', '/shop', 'web'],
  ['web.test', '/shop/cart?x=1', 'web'],
  ['web.test', '/shopping', 'root'],
  ['web.test', '/shop/exact', 'api'],
  ['web.test', '/shop/exact/', 'web'],
  ['WEB.test:8080', '/shop', 'web'],
  ['a.wild.test', '/', 'api'],
  ['route.test', '/', 'web'],
])('%s%s is answered by %s', async (host, path, name) => {
  expect(await get(host, path)).toMatchObject({ status: 200, name });
});

it('a host without a route is not found, a service without pods is away, and one that is not there is an error', async () => {
  expect((await get('other.test', '/')).status).toBe(404);
  expect((await get('wild.test', '/')).status).toBe(404);
  expect((await get('web.test', '/gone')).status).toBe(503);
  expect((await get('route.test', '/broken')).status).toBe(500);
});

it('the client is told on, and cannot say that it is someone else', async () => {
  const { headers } = await get('web.test', '/', { headers: { 'x-forwarded-for': '192.0.2.1' } });
  expect(headers).toMatchObject({
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'web.test',
  });
});

it('TLS ends with the certificate of the host, and plain requests are sent there', async () => {
  expect(await get('safe.test', '/x', { tls: true })).toMatchObject({
    status: 200,
    name: 'web',
    headers: { 'x-forwarded-proto': 'https' },
  });
  expect(await get('safe.test', '/x?y=1')).toMatchObject({
    status: 308,
    location: 'https://safe.test/x?y=1',
  });
});

it('redirects, rewrites and headers are as the route says', async () => {
  expect(await get('route.test', '/old/a?b=c')).toMatchObject({
    status: 301,
    location: 'https://new.test/fresh/a?b=c',
  });
  const got = await get('route.test', '/v1/items?x=1', { headers: { 'x-gone': '1' } });
  expect(got).toMatchObject({
    name: 'api',
    path: '/items?x=1',
    headers: { host: 'inside', 'x-set': 'a "quoted" 100% $value' },
  });
  expect(got.headers).not.toHaveProperty('x-gone');
  expect((await get('route.test', '/v1')).path).toBe('/');
});

it('headers, parameters and methods choose', async () => {
  expect((await get('route.test', '/', { headers: { 'x-canary': 'yes' } })).name).toBe('new');
  expect((await get('route.test', '/?canary=1')).name).toBe('new');
  expect((await get('route.test', '/', { method: 'POST' })).name).toBe('new');
  expect((await get('route.test', '/?canary=2')).name).toBe('web');
});

it('services get their shares', async () => {
  const names = await Promise.all(Array.from({ length: 400 }, () => get('route.test', '/split')));
  const share = names.filter(({ name }) => name === 'new').length / 400;
  // Five standard deviations.
  expect(Math.abs(share - 0.25)).toBeLessThan(0.11);
});

it('no request is lost while routes and endpoints change', async () => {
  let going = true;
  const results: number[] = [];
  const load = async (): Promise<void> => {
    while (going) results.push((await get('web.test', '/shop').catch(() => ({ status: 0 }))).status);
  };
  const loads = Array.from({ length: 4 }, load);
  for (let round = 0; round < 5; round += 1) {
    await backend('web');
    put(
      ingress(`more-${String(round)}`, {
        rules: [
          {
            host: `more${String(round)}.test`,
            http: { paths: [{ path: '/', pathType: 'Prefix', backend: to('api') }] },
          },
        ],
      }),
    );
    await apply();
    expect((await get(`more${String(round)}.test`, '/')).name).toBe('api');
  }
  going = false;
  await Promise.all(loads);
  expect(results.length).toBeGreaterThan(100);
  expect(results.filter((status) => status !== 200)).toEqual([]);
});

it('what HAProxy refuses is left out with the reason, and everything else goes on', async () => {
  put(
    route('wrong', {
      hostnames: ['wrong.test'],
      rules: [
        {
          matches: [{ path: { type: 'RegularExpression', value: '(?<=a+)b' } }],
          backendRefs: [{ name: 'web', port: 80 }],
        },
      ],
    }),
  );
  const refusals = await apply();
  expect(refusals.map(({ owner }) => owner)).toEqual(['HTTPRoute shop/wrong']);
  expect(refusals[0]!.message).toMatch(/regex/i);
  expect((await get('route.test', '/')).name).toBe('web');
});

it('another process takes the running proxy over', async () => {
  const pid = await readFile(join(folder, 'proxy/haproxy.pid'), 'utf8');
  const next = new Haproxy({
    folder: join(folder, 'proxy'),
    configOf: (routing) =>
      proxyConfig(routing, { folder: join(folder, 'proxy'), httpPort: ports.http, httpsPort: ports.https }),
    log: silent,
  });
  await next.apply(routingOf({ view } as unknown as Informers), signal);
  expect(await readFile(join(folder, 'proxy/haproxy.pid'), 'utf8')).toBe(pid);
  expect((await get('web.test', '/')).name).toBe('root');
});
