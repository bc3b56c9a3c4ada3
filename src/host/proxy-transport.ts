// The ProxyTransport of a real cluster: plain HTTP/1.1 over a connection that an agent opens to its pod, or HTTPS to the
// agent itself.
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { connect as connectTls } from 'node:tls';
import type { StreamAnswer } from '../apiserver/node-gateway.js';
import type {
  ProxyPeer,
  ProxyRequest,
  ProxyTarget,
  ProxyTransport,
} from '../apiserver/proxy/proxy-transport.js';
import { ClusterError, messageOf } from '../base/errors.js';
import type { HttpResponse } from '../base/http.js';
import { connectionError } from './https-request.js';
import type { HttpNodeGateway } from './node-gateway.js';
import { dialTcp } from './streams/dial.js';

const nameOf = (peer: ProxyPeer): string => {
  switch (peer.type) {
    case 'pod':
      return `pod ${peer.namespace}/${peer.pod} at port ${String(peer.port)}`;
    case 'agent':
      return `the agent of node "${peer.node.name}"`;
    case 'address':
      return `${peer.host}:${String(peer.port)}`;
  }
};

const textOf = async (response: HttpResponse): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8').trim();
};

/** The agent's own words for why there is no connection to the pod. */
const refusalOf = async (peer: ProxyPeer, response: HttpResponse): Promise<ClusterError> => {
  const text = await textOf(response);
  let message = text;
  try {
    message = (JSON.parse(text) as { readonly message?: string }).message ?? text;
  } catch {
    // Plain text: it is the message.
  }
  return new ClusterError('ServiceUnavailable', `${nameOf(peer)} cannot be reached: ${message}`);
};

const openPlain = async (
  gateway: HttpNodeGateway,
  peer: Exclude<ProxyPeer, { type: 'agent' }>,
  signal: AbortSignal,
): Promise<Duplex> => {
  if (peer.type === 'address') {
    try {
      return await dialTcp(peer, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new ClusterError('ServiceUnavailable', `${nameOf(peer)} cannot be reached: ${messageOf(error)}`);
    }
  }
  const path = ['dial', peer.namespace, peer.pod, String(peer.port)].map(encodeURIComponent).join('/');
  const headers = { connection: 'Upgrade', upgrade: 'tcp' };
  const answer = await gateway.connect({ node: peer.node, method: 'GET', path: `/${path}`, headers }, signal);
  if (answer.type === 'refused') throw await refusalOf(peer, answer.response);
  if (answer.head.length > 0) answer.socket.unshift(answer.head);
  return answer.socket;
};

/** Pods sign their certificates themselves, and the way to them is the agent's: whoever asks for https gets no more than that. */
const secured = (socket: Duplex): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const tls = connectTls({ socket, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () => {
      tls.off('error', reject);
      resolve(tls);
    });
    tls.once('error', reject);
  });

const begin = async (
  gateway: HttpNodeGateway,
  { peer, scheme }: ProxyTarget,
  { method, path, headers }: ProxyRequest,
  signal: AbortSignal,
): Promise<ClientRequest> => {
  const options: RequestOptions = { method, path, headers, setHost: false };
  if (peer.type === 'agent') return httpsRequest({ ...options, ...gateway.agentOptions(peer.node) });
  const plain = await openPlain(gateway, peer, signal);
  try {
    const socket = scheme === 'https' ? await secured(plain) : plain;
    return httpRequest({ ...options, createConnection: () => socket });
  } catch (error) {
    plain.destroy();
    throw connectionError(error as NodeJS.ErrnoException, nameOf(peer));
  }
};

type Headers = Readonly<Record<string, string>>;

const headersOf = ({ headers }: IncomingMessage): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'set-cookie')) as Headers;

const answerOf = (response: IncomingMessage): HttpResponse => ({
  status: response.statusCode ?? 502,
  headers: headersOf(response),
  ...(response.headers['set-cookie'] === undefined ? {} : { cookies: response.headers['set-cookie'] }),
  body: response,
});

type Outcome =
  | { readonly type: 'response'; readonly response: IncomingMessage }
  | { readonly type: 'upgrade'; readonly answer: StreamAnswer };

const exchange = async (
  outgoing: ClientRequest,
  peer: ProxyPeer,
  { body }: ProxyRequest,
  signal: AbortSignal,
): Promise<Outcome> => {
  const cut = (): void => {
    outgoing.destroy();
  };
  signal.addEventListener('abort', cut, { once: true });
  if (signal.aborted) cut();
  const answered = new Promise<Outcome>((resolve, reject) => {
    outgoing.once('response', (response) => resolve({ type: 'response', response }));
    outgoing.once('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
      // From here on the connection is the caller's to end.
      signal.removeEventListener('abort', cut);
      socket.on('error', () => undefined);
      resolve({ type: 'upgrade', answer: { type: 'upgraded', headers: response.headers, socket, head } });
    });
    outgoing.on('error', (error) => {
      reject(
        signal.aborted
          ? (signal.reason as Error)
          : error instanceof ClusterError
            ? error
            : connectionError(error, nameOf(peer)),
      );
    });
  });
  if (body === undefined) outgoing.end();
  // What the peer does not take any more is no failure while it answers.
  else pipeline(body, outgoing).catch(() => undefined);
  return answered;
};

export const createProxyTransport = (gateway: HttpNodeGateway): ProxyTransport => {
  const ask = async (target: ProxyTarget, request: ProxyRequest, signal: AbortSignal): Promise<Outcome> =>
    exchange(await begin(gateway, target, request, signal), target.peer, request, signal);
  return {
    send: async (target, request, signal) => {
      const outcome = await ask(target, request, signal);
      if (outcome.type === 'response') return answerOf(outcome.response);
      if (outcome.answer.type === 'upgraded') outcome.answer.socket.destroy();
      throw new ClusterError(
        'ServiceUnavailable',
        `${nameOf(target.peer)} switched protocols without being asked`,
      );
    },
    upgrade: async (target, request, signal) => {
      const outcome = await ask(target, request, signal);
      return outcome.type === 'upgrade'
        ? outcome.answer
        : { type: 'refused', response: answerOf(outcome.response) };
    },
  };
};
