// The agent's upgrades over connections in memory, with commands of the simulated engine.
import { Duplex } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { ClusterError } from '../../../../src/base/errors.js';
import type { HttpRequest } from '../../../../src/base/http.js';
import { silent } from '../../../../src/base/log.js';
import { ManualClock } from '../../../../src/base/manual-clock.js';
import { HollowEngine } from '../../../../src/host/hollow/hollow-engine.js';
import { label } from '../../../../src/node/labels.js';
import { linkOf } from '../../../../src/node/streams/link.js';
import { createStreamServer } from '../../../../src/node/streams/stream-server.js';
import type { StreamServerOptions, WebSocketAnswer } from '../../../../src/node/streams/stream-server.js';
import { makeRequest } from '../../apiserver/front-request.js';
import type { RequestParts } from '../../apiserver/front-request.js';
import { linkPair, settle } from './memory-link.js';
import { SpdyPeer } from './spdy-peer.js';

const signal = new AbortController().signal;

const engine = async (): Promise<HollowEngine> => {
  const hollow = new HollowEngine({ clock: new ManualClock() });
  const labels = { [label.podNamespace]: 'default', [label.podName]: 'web', [label.podUid]: 'uid-1' };
  const common = { environment: {}, mounts: [], network: { type: 'host' } as const };
  for (const [name, more] of [
    ['sandbox', { [label.kind]: 'sandbox', [label.address]: '10.1.2.3' }],
    ['app', { [label.kind]: 'container', [label.container]: 'app' }],
    ['ended', { [label.kind]: 'container', [label.container]: 'ended' }],
  ] as const) {
    const { id } = await hollow.runtime.create(
      { name, image: 'x', labels: { ...labels, ...more }, ...common },
      signal,
    );
    await hollow.runtime.start(id, signal);
  }
  hollow.container('ended').end(0);
  return hollow;
};

/** Both ends of a socket in memory. */
const socketPair = (): readonly [Duplex, Duplex] => {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        other().push(chunk);
        done();
      },
      final: (done) => {
        other().push(null);
        done();
      },
      destroy: (error, done) => {
        if (!other().readableEnded) other().push(null);
        done(error);
      },
    });
  const one: Duplex = make(() => two);
  const two: Duplex = make(() => one);
  return [one, two];
};

const ask = async (url: string, parts: RequestParts, options: Partial<StreamServerOptions> = {}) => {
  const [socket, far] = socketPair();
  const { server, client } = linkPair();
  const accepted: WebSocketAnswer[] = [];
  const hollow = await engine();
  const upgrade = createStreamServer({
    runtime: hollow.runtime,
    clock: new ManualClock(),
    log: silent,
    acceptWebSocket: (_connection, answer) => {
      accepted.push(answer);
      return Promise.resolve(server);
    },
    dial: () => Promise.reject(new Error('dial tcp 10.1.2.3:80: connect: connection refused')),
    authorize: () => undefined,
    ...options,
  });
  const request: HttpRequest = makeRequest(url, parts);
  const done = upgrade(request, socket, new Uint8Array());
  return { done, far, client, accepted };
};

const refused = async (url: string, parts: RequestParts, options?: Partial<StreamServerOptions>) => {
  const { done, far } = await ask(url, parts, options);
  await done;
  const chunks: Buffer[] = [];
  for await (const chunk of far) chunks.push(chunk as Buffer);
  const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  return { line: head.split('\r\n')[0], status: JSON.parse(body) as Record<string, unknown> };
};

const webSocket = (protocol: string): RequestParts => ({
  headers: { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-protocol': protocol },
});
const spdy = (protocol: string): RequestParts => ({
  method: 'POST',
  headers: { upgrade: 'SPDY/3.1', connection: 'Upgrade', 'x-stream-protocol-version': protocol },
});
const exec = (command: readonly string[], more = 'stdout=true&stderr=true'): string =>
  `/exec/default/web/app?${command.map((part) => `command=${encodeURIComponent(part)}&`).join('')}${more}`;

const messages = async (incoming: AsyncIterable<Uint8Array>): Promise<readonly string[]> => {
  const seen: string[] = [];
  for await (const message of incoming)
    seen.push(`${message[0] ?? ''} ${Buffer.from(message.subarray(1)).toString()}`);
  return seen;
};

describe('an agent that is asked for a command', () => {
  it('sends output and end as messages over WebSocket', async () => {
    const { done, client, accepted } = await ask(
      exec(['sh', '-c', 'echo hello; exit 3']),
      webSocket('v5.channel.k8s.io, v4.channel.k8s.io'),
    );
    const seen = await messages(client.incoming);
    await done;
    expect(accepted).toEqual([{ protocol: 'v5.channel.k8s.io', text: false }]);
    expect(seen.slice(0, 2)).toEqual(['1 ', '1 hello\n']);
    expect(seen[2]?.[0]).toBe('3');
    expect(JSON.parse(seen[2]?.slice(2) ?? '')).toEqual({
      metadata: {},
      status: 'Failure',
      reason: 'NonZeroExitCode',
      message:
        'command terminated with non-zero exit code: error executing command [sh -c echo hello; exit 3], exit code 3',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    });
  });

  it('sends output and end on streams over SPDY, once the client has opened them all', async () => {
    const { done, far } = await ask(
      exec(['sh', '-c', 'echo hello; echo wrong >&2']),
      spdy('v4.channel.k8s.io'),
    );
    let first = '';
    for await (const chunk of far.iterator({ destroyOnReturn: false })) {
      first += String(chunk);
      break;
    }
    expect(first).toContain('HTTP/1.1 101 Switching Protocols');
    expect(first).toContain('X-Stream-Protocol-Version: v4.channel.k8s.io');
    const peer = new SpdyPeer(linkOf(far));
    await peer.open(1, { streamtype: 'error' });
    await peer.open(3, { streamtype: 'stdout' });
    await vi.waitFor(() => {
      expect(peer.text(3)).toBe('');
    });
    await peer.open(5, { streamtype: 'stderr' });
    await done;
    await peer.ended;
    expect(peer.text(3)).toBe('hello\n');
    expect(JSON.parse(peer.text(1))).toEqual({ metadata: {}, status: 'Success' });
    expect([1, 3, 5].map((id) => peer.finished(id))).toEqual([true, true, true]);
  });

  it('refuses what cannot be, with a Status', async () => {
    const cases: readonly (readonly [string, RequestParts, number, string])[] = [
      [exec(['ls']), { headers: {} }, 400, 'Upgrade request required'],
      [exec(['ls']), webSocket('v9.channel.k8s.io'), 400, 'unable to negotiate protocol'],
      [exec(['ls']), spdy('v1.channel.k8s.io'), 400, 'unable to negotiate protocol'],
      [exec(['ls'], ''), webSocket('v5.channel.k8s.io'), 400, 'at least 1 of stdin, stdout, stderr'],
      [exec([]), webSocket('v5.channel.k8s.io'), 400, 'must specify a command'],
      [
        '/exec/default/web/none?command=ls&stdout=1',
        webSocket('v5.channel.k8s.io'),
        404,
        'container not found ("none")',
      ],
      [
        '/exec/default/web/ended?command=ls&stdout=1',
        webSocket('v5.channel.k8s.io'),
        404,
        'container not found ("ended")',
      ],
      [
        '/exec/other/web/app?command=ls&stdout=1',
        webSocket('v5.channel.k8s.io'),
        404,
        'container not found ("app")',
      ],
      [
        '/run/default/web/app',
        webSocket('v5.channel.k8s.io'),
        404,
        'serves no upgrade of /run/default/web/app',
      ],
      [
        '/portForward/default/none',
        spdy('portforward.k8s.io'),
        404,
        'pod default/none does not run on this node',
      ],
      ['/portForward/default/web?ports=x', webSocket('v4.channel.k8s.io'), 400, 'must hold ports, not "x"'],
      ['/portForward/default/web', webSocket('v4.channel.k8s.io'), 400, 'must name 1 to 64 ports'],
    ];
    for (const [url, parts, code, message] of cases) {
      const { line, status } = await refused(url, parts);
      expect(line, url).toBe(`HTTP/1.1 ${code} Refused`);
      expect(status).toMatchObject({ kind: 'Status', status: 'Failure', code });
      expect(status['message'], url).toContain(message);
    }
  });

  it('serves nobody whom it may not', async () => {
    const { line } = await refused(exec(['ls']), webSocket('v5.channel.k8s.io'), {
      authorize: () => {
        throw new ClusterError('Forbidden', 'no');
      },
    });
    expect(line).toBe('HTTP/1.1 403 Refused');
  });
});

describe('an agent that is asked to forward a port', () => {
  it('says on the error stream why a pod cannot be reached', async () => {
    const { done, client, accepted } = await ask(
      '/portForward/default/web',
      webSocket('SPDY/3.1+portforward.k8s.io'),
    );
    const peer = new SpdyPeer(client);
    await peer.open(1, { streamtype: 'error', port: '80', requestid: '0' });
    await peer.open(3, { streamtype: 'data', port: '80', requestid: '0' });
    await vi.waitFor(() => {
      expect([peer.finished(1), peer.finished(3)]).toEqual([true, true]);
    });
    expect(accepted).toEqual([{ protocol: 'SPDY/3.1+portforward.k8s.io', text: false }]);
    expect(peer.text(1)).toBe(
      'error forwarding port 80 to pod web_default, uid uid-1: dial tcp 10.1.2.3:80: connect: connection refused',
    );
    client.close();
    await done;
  });

  it('resets streams whose headers make no sense', async () => {
    const { done, client } = await ask('/portForward/default/web', webSocket('SPDY/3.1+portforward.k8s.io'));
    const peer = new SpdyPeer(client);
    await peer.open(1, { streamtype: 'other', port: '80', requestid: '0' });
    await peer.open(3, { streamtype: 'data', port: '70000', requestid: '0' });
    await peer.open(5, { streamtype: 'data', port: '80' });
    await vi.waitFor(() => {
      expect([1, 3, 5].map((id) => peer.wasReset(id))).toEqual([true, true, true]);
    });
    client.close();
    await done;
  });

  it('carries bytes both ways, with the end of each', async () => {
    const [pod, far] = socketPair();
    const { done, client } = await ask('/portForward/default/web', webSocket('SPDY/3.1+portforward.k8s.io'), {
      dial: ({ host, port }) =>
        host === '10.1.2.3' && port === 80
          ? Promise.resolve(pod)
          : Promise.reject(new Error('another address')),
    });
    const peer = new SpdyPeer(client);
    await peer.open(1, { streamtype: 'error', port: '80', requestid: '0' });
    await peer.open(3, { streamtype: 'data', port: '80', requestid: '0' });
    await peer.send(3, 'question', true);
    let question = '';
    for await (const chunk of far.iterator({ destroyOnReturn: false })) question += String(chunk);
    expect(question).toBe('question');
    far.end('answer');
    await vi.waitFor(() => {
      expect(pod.destroyed).toBe(true);
    });
    expect(peer.text(3)).toBe('answer');
    expect([peer.finished(1), peer.finished(3)]).toEqual([true, true]);
    expect(peer.text(1)).toBe('');
    client.close();
    await done;
  });

  it('lets go of the pod when the client goes away', async () => {
    const [pod] = socketPair();
    const { done, client } = await ask('/portForward/default/web?ports=80', webSocket('v4.channel.k8s.io'), {
      dial: () => Promise.resolve(pod),
    });
    await settle();
    client.close();
    await done;
    expect(pod.destroyed).toBe(true);
  });
});
