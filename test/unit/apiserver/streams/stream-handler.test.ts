// Upgrades at the API server: who may connect to what, and that two connections become one.
import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NodeGateway, StreamAnswer, StreamRequest } from '../../../../src/apiserver/node-gateway.js';
import { createStreamHandler } from '../../../../src/apiserver/streams/stream-handler.js';
import { ClusterError } from '../../../../src/base/errors.js';
import { silent } from '../../../../src/base/log.js';
import { nodes } from '../../../../src/resources/kinds/nodes.js';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { createAuthenticator } from '../../../../src/apiserver/authenticate.js';
import { systemClock } from '../../../../src/host/system-clock.js';
import { createLocalCluster } from '../../../../src/apiserver/local-cluster.js';
import { makeRequest } from '../front-request.js';
import type { RequestParts } from '../front-request.js';
import { setup } from '../verbs-setup.js';
import type { TestRegistry } from '../verbs-setup.js';

/** The two ends of a connection over loopback. */
const socketPair = async (): Promise<readonly [Socket, Socket, Server]> => {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [near, far, server];
};

const textOf = async (socket: Socket): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

let test: TestRegistry;

beforeEach(async () => {
  test = await setup();
  const cluster = createLocalCluster(test.registry, { user: 'test', groups: ['system:masters'] });
  const node = await cluster.create(nodes, { metadata: { name: 'n1' }, spec: {} });
  await cluster.updateStatus(nodes, {
    ...node,
    status: {
      addresses: [{ type: 'InternalIP', address: '10.0.0.9' }],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    },
  });
  const add = async (name: string, nodeName: string | undefined, phase: string): Promise<void> => {
    const pod = await cluster.create(pods, {
      metadata: { name, namespace: 'default' },
      spec: {
        containers: ['app', 'proxy'].map((container) => ({ name: container, image: 'x' })),
        ...(nodeName === undefined ? {} : { nodeName }),
      },
    });
    await cluster.updateStatus(pods, { ...pod, status: { phase } });
  };
  await add('web', 'n1', 'Running');
  await add('waiting', undefined, 'Pending');
  await add('done', 'n1', 'Succeeded');
  await add('lost', 'n2', 'Running');
});
afterEach(() => test.close());

interface Asked {
  readonly requests: StreamRequest[];
  readonly client: Socket;
  readonly done: Promise<void>;
}

const ask = async (
  url: string,
  answer: () => Promise<StreamAnswer>,
  parts: RequestParts & { readonly authorize?: () => never } = {},
): Promise<Asked> => {
  const [client, socket] = await socketPair();
  const requests: StreamRequest[] = [];
  const nodeGateway: NodeGateway = {
    logs: () => Promise.reject(new Error('no logs are asked for')),
    connect: (request) => {
      requests.push(request);
      return answer();
    },
  };
  const handler = createStreamHandler({
    registry: test.registry,
    nodeGateway,
    log: silent,
    authenticator: createAuthenticator({ tokens: [], clock: systemClock, log: silent }),
    ...(parts.authorize === undefined ? {} : { authorize: parts.authorize }),
  });
  const headers = {
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-protocol': 'v5.channel.k8s.io',
    'sec-websocket-key': 'k',
    authorization: 'Bearer secret',
    cookie: 'secret',
  };
  return {
    requests,
    client,
    done: handler(makeRequest(url, { headers, ...parts }), socket, Buffer.from('early ')),
  };
};

const nobody = (): Promise<StreamAnswer> => Promise.reject(new Error('the agent is not to be asked'));
const podPath = '/api/v1/namespaces/default/pods';

describe('an upgrade at the API server', () => {
  it('reaches the agent of the node with nothing but what makes the upgrade, and then carries bytes both ways', async () => {
    const [near, agent] = await socketPair();
    const { requests, client, done } = await ask(
      `${podPath}/web/exec?container=app&command=sh&command=-c&command=a%20b%26c&stdout=true&other=1`,
      () =>
        Promise.resolve({
          type: 'upgraded',
          headers: { upgrade: 'websocket', 'sec-websocket-accept': 'x' },
          socket: near,
          head: Buffer.from('first '),
        }),
    );
    client.write('question');
    const heard: string[] = [];
    agent.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
    await vi.waitFor(() => {
      expect(heard.join('')).toBe('early question');
    });
    expect(requests).toEqual([
      {
        node: { name: 'n1', address: '10.0.0.9', port: 10250 },
        method: 'GET',
        path: '/exec/default/web/app?command=sh&command=-c&command=a+b%26c&stdout=true',
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-protocol': 'v5.channel.k8s.io',
          'sec-websocket-key': 'k',
        },
      },
    ]);
    agent.end('answer');
    expect(await textOf(client)).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\n\r\nfirst answer',
    );
    await done;
    expect(near.destroyed).toBe(true);
  });

  it('ends at the agent when the client goes away', async () => {
    const [near, agent] = await socketPair();
    const { client, done } = await ask(`${podPath}/web/portforward`, () =>
      Promise.resolve({ type: 'upgraded', headers: {}, socket: near, head: new Uint8Array() }),
    );
    await once(client, 'data');
    client.destroy();
    agent.resume();
    await once(agent, 'end');
    await done;
    agent.destroy();
  });

  it('hands on what the agent refuses with', async () => {
    const { client, done } = await ask(`${podPath}/web/attach?container=app`, () =>
      Promise.resolve({
        type: 'refused',
        response: {
          status: 404,
          headers: { 'content-type': 'application/json' },
          body: [Buffer.from('{"a":1}')],
        },
      }),
    );
    const text = await textOf(client);
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    expect(text).toContain('content-length: 7\r\n');
    expect(text.endsWith('\r\n\r\n{"a":1}')).toBe(true);
    await done;
  });

  it.each([
    [
      '/web/exec?command=ls',
      400,
      'a container name must be specified for pod web, choose one of: [app proxy]',
    ],
    ['/web/exec?container=no&command=ls', 400, 'container no is not valid for pod web'],
    ['/waiting/exec?container=app&command=ls', 400, 'pod waiting does not have a host assigned'],
    ['/done/exec?container=app&command=ls', 400, 'completed pod; current phase is Succeeded'],
    ['/lost/exec?container=app&command=ls', 503, 'the agent of node "n2" cannot be reached'],
    ['/absent/portforward', 404, 'pods "absent" not found'],
    ['/web/log', 404, 'the server could not find the requested resource'],
    ['', 404, 'the server could not find the requested resource'],
  ])('is refused for %s', async (path, code, message) => {
    const { client, done } = await ask(`${podPath}${path}`, nobody);
    const [head = '', body = ''] = (await textOf(client)).split('\r\n\r\n');
    await done;
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${code} `));
    const status = JSON.parse(body) as { readonly message: string; readonly code: number };
    expect(status.message).toContain(message);
    expect(status.code).toBe(code);
  });

  it('is refused for who is not known, and who may not', async () => {
    const unknown = await ask(`${podPath}/web/exec?container=app&command=ls`, nobody, {
      certificate: undefined,
    });
    expect(await textOf(unknown.client)).toMatch(/^HTTP\/1\.1 401 /);
    const forbidden = await ask(`${podPath}/web/exec?container=app&command=ls`, nobody, {
      authorize: () => {
        throw new ClusterError('Forbidden', 'pods "web" is forbidden');
      },
    });
    expect(await textOf(forbidden.client)).toMatch(/^HTTP\/1\.1 403 /);
  });
});
