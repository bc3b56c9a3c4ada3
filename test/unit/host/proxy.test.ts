// `pods/…/proxy`, `services/…/proxy` and `nodes/…/proxy` over real sockets: client, API server, agent, peer.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createAuthenticator } from '../../../src/apiserver/authenticate.js';
import { createApiHandler } from '../../../src/apiserver/handler.js';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import { createStreamHandler } from '../../../src/apiserver/streams/stream-handler.js';
import { silent } from '../../../src/base/log.js';
import { startHttpServer } from '../../../src/host/http-server.js';
import type { HttpServer } from '../../../src/host/http-server.js';
import { createNodeGateway } from '../../../src/host/node-gateway.js';
import type { HttpNodeGateway } from '../../../src/host/node-gateway.js';
import { createProxyTransport } from '../../../src/host/proxy-transport.js';
import { dialTcp } from '../../../src/host/streams/dial.js';
import { createWebSocketAcceptor } from '../../../src/host/streams/web-socket.js';
import { systemClock } from '../../../src/host/system-clock.js';
import { label } from '../../../src/node/labels.js';
import type { Container, Runtime } from '../../../src/node/runtime.js';
import { createStreamServer } from '../../../src/node/streams/stream-server.js';
import { kinds } from '../../../src/resources/kinds.js';
import { endpointslices } from '../../../src/resources/kinds/endpointslices.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { services } from '../../../src/resources/kinds/services.js';
import { makeCertificates } from '../../contract/certificates.js';
import { setup } from '../apiserver/verbs-setup.js';
import type { TestRegistry } from '../apiserver/verbs-setup.js';

const { ca, server: serverPair, admin, node: nodePair } = makeCertificates();
const mebibyte = 1024 * 1024;

let under: TestRegistry;
let api: HttpServer;
let agent: HttpServer;
let gateway: HttpNodeGateway;
let peer: Server;
let securePeer: Server;
/** Bytes that the peer has written of its large answer. */
let written = 0;

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
  const url = incoming.url ?? '';
  if (url.startsWith('/redirect')) {
    outgoing.writeHead(302, { location: '/elsewhere?x=1', 'set-cookie': ['a=1', 'b=2'] }).end();
    return;
  }
  if (url === '/large') {
    const block = Buffer.alloc(64 * 1024);
    for (let n = 0; n < 1600 && !outgoing.destroyed; n += 1) {
      if (!outgoing.write(block)) await once(outgoing, 'drain').catch(() => undefined);
      written += block.length;
    }
    outgoing.end();
    return;
  }
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of incoming) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  const { method, headers } = incoming;
  outgoing.setHeader('content-type', 'application/json');
  outgoing.end(JSON.stringify({ method, url, headers, size, hash: hash.digest('hex') }));
};

const sandbox: Container = {
  id: 's',
  name: 's',
  state: 'running',
  createdAt: 1,
  labels: { [label.podNamespace]: 'default', [label.podName]: 'web', [label.kind]: 'sandbox' },
} as unknown as Container;

beforeAll(async () => {
  under = await setup();
  peer = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  securePeer = createTlsServer(serverPair, (incoming, outgoing) => void answer(incoming, outgoing));
  const sockets = new WebSocketServer({ server: peer });
  sockets.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(data)));
  for (const server of [peer, securePeer])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const listen = { host: '127.0.0.1', port: 0, portFlag: '--port', log: silent };
  agent = await startHttpServer({
    ...listen,
    tls: { ...nodePair, ca },
    handler: ({ path, method }) =>
      Promise.resolve({ status: 200, headers: {}, body: [Buffer.from(`agent ${method} ${path}`)] }),
    upgrade: createStreamServer({
      runtime: { list: () => Promise.resolve([sandbox]) } as unknown as Runtime,
      clock: systemClock,
      log: silent,
      acceptWebSocket: createWebSocketAcceptor(),
      dial: dialTcp,
      authorize: () => undefined,
    }),
  });
  gateway = createNodeGateway(() => ({ ca, ...admin }));
  const proxy = { transport: createProxyTransport(gateway), random: () => 0 };
  const { registry } = under;
  api = await startHttpServer({
    ...listen,
    tls: { ...serverPair, ca },
    handler: createApiHandler({
      registry,
      kinds,
      clock: systemClock,
      log: silent,
      version: '1',
      nodeGateway: gateway,
      proxy,
    }),
    upgrade: createStreamHandler({
      registry,
      authenticator: createAuthenticator({ tokens: [], clock: systemClock, log: silent }),
      nodeGateway: gateway,
      log: silent,
      proxy,
    }),
  });

  const cluster = createLocalCluster(registry, { user: 'test', groups: ['system:masters'] });
  const node = await cluster.create(nodes, { metadata: { name: 'n1' }, spec: {} });
  await cluster.updateStatus(nodes, {
    ...node,
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: agent.port } },
    },
  });
  const pod = await cluster.create(pods, {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'app', image: 'x', ports: [{ name: 'http', containerPort: portOf(peer) }] }],
    },
  });
  await cluster.updateStatus(pods, { ...pod, status: { phase: 'Running', podIP: '10.244.0.7' } });
  const service = { namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } };
  await cluster.create(services, {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      ports: [
        { name: 'main', port: 80, targetPort: 'http' },
        { name: 'tls', port: 443 },
      ],
    },
  });
  await cluster.create(endpointslices, {
    metadata: { name: 'web-1', ...service },
    addressType: 'IPv4',
    ports: [{ name: 'main', port: portOf(peer) }],
    endpoints: [
      {
        addresses: ['10.244.0.9'],
        conditions: { ready: false },
        targetRef: { kind: 'Pod', name: 'gone', namespace: 'default' },
      },
      {
        addresses: ['10.244.0.7'],
        conditions: { ready: true },
        targetRef: { kind: 'Pod', name: 'web', namespace: 'default' },
      },
    ],
  });
  await cluster.create(endpointslices, {
    metadata: { name: 'web-2', ...service },
    addressType: 'IPv4',
    ports: [{ name: 'tls', port: portOf(securePeer) }],
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
  });
});

afterAll(async () => {
  gateway.close();
  await api.close(500);
  await agent.close(500);
  peer.closeAllConnections();
  peer.close();
  securePeer.close();
  await under.close();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

const open = (
  path: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: Buffer } = {},
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        host: '127.0.0.1',
        port: api.port,
        path,
        method,
        ca,
        ...admin,
        headers,
        checkServerIdentity: () => undefined,
      },
      resolve,
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });

const ask = async (...args: Parameters<typeof open>): Promise<Answer> => {
  const response = await open(...args);
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, text };
};

const seen = async (
  ...args: Parameters<typeof open>
): Promise<Record<string, unknown> & { headers: Record<string, string> }> => {
  const { status, text } = await ask(...args);
  expect(status, text).toBe(200);
  return JSON.parse(text) as Record<string, unknown> & { headers: Record<string, string> };
};

const pod = '/api/v1/namespaces/default/pods/web';

describe('a request to pods/proxy', () => {
  it('arrives with its path and query as they were sent, and without what proves who sent it', async () => {
    const { url, headers } = await seen(`${pod}/proxy/a%2Fb/c%20d?q=%26&q=2`, {
      headers: { authorization: 'Bearer x', 'x-mine': 'yes', 'x-forwarded-for': '10.0.0.1' },
    });
    expect(url).toBe('/a%2Fb/c%20d?q=%26&q=2');
    expect(headers).toMatchObject({
      host: `10.244.0.7:${String(portOf(peer))}`,
      'x-mine': 'yes',
      'x-forwarded-for': '10.0.0.1, 127.0.0.1',
      'x-forwarded-uri': `${pod}/proxy/a%2Fb/c%20d`,
    });
    expect(headers).not.toHaveProperty('authorization');
  });

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('may be a %s', async (method) => {
    expect(await seen(`${pod}/proxy/x`, { method })).toMatchObject({ method, url: '/x' });
  });

  it('may name a port by number or name, and the scheme', async () => {
    expect(await seen(`${pod}:${String(portOf(peer))}/proxy/n`)).toMatchObject({ url: '/n' });
    expect(await seen(`${pod}:http/proxy/n`)).toMatchObject({ url: '/n' });
    const secure = `/api/v1/namespaces/default/pods/https:web:${String(portOf(securePeer))}/proxy/s`;
    expect(await seen(secure)).toMatchObject({ url: '/s' });
    expect(await ask(`${pod}:none/proxy/`)).toMatchObject({ status: 400 });
  });

  it('carries a body larger than any object, unchanged', async () => {
    const body = randomBytes(20 * mebibyte);
    const { size, hash } = await seen(`${pod}/proxy/upload`, { method: 'POST', body });
    expect([size, hash]).toEqual([body.length, createHash('sha256').update(body).digest('hex')]);
  });

  it('reads no more of an answer than its client takes', async () => {
    const response = await open(`${pod}/proxy/large`);
    response.pause();
    await new Promise((resolve) => setTimeout(resolve, 700));
    const before = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(written, 'nothing moves while nobody reads').toBe(before);
    expect(written).toBeLessThan(60 * mebibyte);
    let size = 0;
    for await (const chunk of response) size += (chunk as Buffer).length;
    expect(size).toBe(100 * mebibyte);
  });

  it('keeps redirects within the proxy, and cookies apart', async () => {
    const moved = await ask(`${pod}/proxy/redirect`);
    expect(moved.headers).toMatchObject({
      location: `${pod}/proxy/elsewhere?x=1`,
      'set-cookie': ['a=1', 'b=2'],
    });
    const bare = await ask(`${pod}/proxy?a=1`);
    expect([bare.status, bare.headers.location]).toEqual([301, `${pod}/proxy/?a=1`]);
  });

  it('carries a WebSocket', async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${String(api.port)}${pod}/proxy/echo`, {
      ca,
      ...admin,
      checkServerIdentity: () => undefined,
    } as ConstructorParameters<typeof WebSocket>[2]);
    const echoed = new Promise<string>((resolve, reject) => {
      socket.on('message', (data: Buffer) => resolve(data.toString()));
      socket.on('error', reject);
    });
    socket.on('open', () => socket.send('round and round'));
    expect(await echoed).toBe('round and round');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.close();
    await closed;
  });

  it('says why a pod cannot be reached', async () => {
    const { status, text } = await ask(`${pod}:1/proxy/`);
    expect(status).toBe(503);
    expect(text).toContain(
      'pod default/web at port 1 cannot be reached: dial tcp 127.0.0.1:1: connect: connection refused',
    );
    expect(await ask('/api/v1/namespaces/default/pods/none/proxy/')).toMatchObject({ status: 404 });
  });
});

describe('a request to services/proxy', () => {
  const service = '/api/v1/namespaces/default/services';

  it('goes to a pod that is ready, by the name or number of the port', async () => {
    expect(await seen(`${service}/web:main/proxy/by-name`)).toMatchObject({ url: '/by-name' });
    expect(await seen(`${service}/web:80/proxy/by-number`)).toMatchObject({ url: '/by-number' });
  });

  it('goes over TLS to an endpoint that is no pod', async () => {
    expect(await seen(`${service}/https:web:tls/proxy/tls`)).toMatchObject({ url: '/tls' });
  });

  it('says what is missing', async () => {
    expect((await ask(`${service}/web/proxy/`)).text).toContain('service web has 2 ports: say which one');
    expect(await ask(`${service}/web:none/proxy/`)).toMatchObject({ status: 503 });
    expect(await ask(`${service}/none/proxy/`)).toMatchObject({ status: 404 });
  });
});

describe('a request to nodes/proxy', () => {
  it("gets the agent's own answers", async () => {
    expect((await ask('/api/v1/nodes/n1/proxy/pods')).text).toBe('agent GET /pods');
    expect((await ask(`/api/v1/nodes/n1:${String(agent.port)}/proxy/metrics`)).text).toBe(
      'agent GET /metrics',
    );
  });

  it('reaches nothing else on the machine', async () => {
    const { status, text } = await ask(`/api/v1/nodes/n1:${String(portOf(peer))}/proxy/`);
    expect([status, text]).toEqual([
      400,
      expect.stringContaining('only the agent of node n1 can be reached'),
    ]);
  });
});

it('discovery lists the proxies, with the verbs of Kubernetes', async () => {
  const { resources } = JSON.parse((await ask('/api/v1')).text) as {
    resources: { name: string; kind: string; verbs: string[] }[];
  };
  const proxies = resources.filter(({ name }) => name.endsWith('/proxy'));
  expect(proxies.map(({ name, kind }) => [name, kind])).toEqual(
    expect.arrayContaining([
      ['nodes/proxy', 'NodeProxyOptions'],
      ['pods/proxy', 'PodProxyOptions'],
      ['services/proxy', 'ServiceProxyOptions'],
    ]),
  );
  for (const { verbs } of proxies)
    expect([...verbs].sort()).toEqual(['create', 'delete', 'get', 'patch', 'update']);
});
