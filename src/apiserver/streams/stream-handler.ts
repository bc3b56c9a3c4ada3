// The API server's answer to upgrades: it says who may connect to which pod, and hands the connection to the pod's node,
// whose agent speaks the protocol of the client.
import type { Duplex } from 'node:stream';
import { ClusterError, messageOf } from '../../base/errors.js';
import type { HttpRequest, Identity, UpgradeHandler } from '../../base/http.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import { answerHead, refusal } from '../../base/upgrade-answer.js';
import type { Authenticator } from '../authenticate.js';
import { anonymous, nothingPresented } from '../authenticate.js';
import { resourceAttributes } from '../authorize/attributes.js';
import type { Surroundings } from '../handler.js';
import type { NodeGateway, StreamAnswer } from '../node-gateway.js';
import { isProxy, proxyUpgrade } from '../proxy/proxy.js';
import type { Proxy } from '../proxy/proxy.js';
import type { Registry } from '../registry.js';
import type { ResourceRoute } from '../routes.js';
import { routeOf } from '../routes.js';
import { asClusterError, statusOf } from '../status-error.js';
import { auditIdOf, tell } from '../trace.js';
import type { Trace } from '../trace.js';
import { agentRequest, podStreamOf } from './pod-streams.js';
import { splice } from '../../base/splice.js';

export interface StreamHandlerOptions {
  readonly registry: Registry;
  readonly nodeGateway: NodeGateway;
  readonly log: Logger;
  readonly authenticator: Authenticator;
  readonly clock?: Clock | undefined;
  /** Gives as whom the request is judged; throws Forbidden. Everyone who has been authenticated may connect when it is absent. */
  readonly authorize?: (
    identity: Identity,
    route: ResourceRoute,
    request: HttpRequest,
  ) => Promise<Identity> | Identity;
  /** Without one nobody is proxied to. */
  readonly proxy?: Proxy | undefined;
  readonly surroundings?: Surroundings | undefined;
}

const methods: ReadonlySet<string> = new Set(['GET', 'POST']);

const notFound = (): ClusterError =>
  new ClusterError('NotFound', 'the server could not find the requested resource');

const open = async (options: StreamHandlerOptions, trace: Trace): Promise<StreamAnswer> => {
  const { request, route } = trace;
  if (route.type === 'resource') trace.wanted = resourceAttributes(request, route);
  const identity = await options.authenticator(request);
  if (identity === anonymous) throw nothingPresented();
  trace.identity = identity;
  const { proxy, surroundings } = options;
  const stream = route.type === 'resource' ? podStreamOf(route) : undefined;
  const proxied = route.type === 'resource' && isProxy(route) && proxy !== undefined;
  if (route.type !== 'resource' || (stream === undefined && !proxied)) throw notFound();
  if (stream !== undefined && !methods.has(request.method))
    throw new ClusterError(
      'MethodNotAllowed',
      'the server does not allow this method on the requested resource',
    );
  trace.allowed = false;
  const actor = (await options.authorize?.(identity, route, request)) ?? identity;
  trace.actor = actor;
  trace.allowed = true;
  surroundings?.audit.received(trace);
  if (trace.wanted !== undefined) surroundings?.fairness.hold(actor, trace.wanted, trace);
  if (stream === undefined)
    return proxy === undefined
      ? Promise.reject(notFound())
      : proxyUpgrade(proxy, { registry: options.registry, route, request });
  const asked = await agentRequest(options.registry, stream, route, request);
  return options.nodeGateway.connect(asked, request.signal);
};

const bodyOf = async (body: AsyncIterable<Uint8Array> | readonly Uint8Array[]): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const end = (socket: Duplex, text: string | Uint8Array): void => {
  socket.on('error', () => undefined);
  socket.end(text, () => socket.destroy());
};

const answer = async (client: Duplex, head: Uint8Array, found: StreamAnswer): Promise<void> => {
  if (found.type === 'refused') {
    const { status, headers, body } = found.response;
    const bytes = await bodyOf(body);
    const length = { 'content-length': String(bytes.length), connection: 'close' };
    end(client, Buffer.concat([Buffer.from(answerHead(status, { ...headers, ...length })), bytes]));
    return;
  }
  if (client.destroyed) {
    found.socket.destroy();
    return;
  }
  client.write(answerHead(101, found.headers));
  if (head.length > 0) client.unshift(head);
  if (found.head.length > 0) found.socket.unshift(found.head);
  await splice(client, found.socket);
};

/** What the audit log and the metrics know of an upgrade: its status, and when its connection is over. */
const tellOf = (options: StreamHandlerOptions, trace: Trace, status: number): void => {
  const { surroundings } = options;
  if (surroundings === undefined) return;
  const body = status === 101 ? nothing() : [];
  tell(surroundings.observers, trace, { status, headers: {}, body }, surroundings.ticks);
};

// eslint-disable-next-line @typescript-eslint/require-await -- stands for bytes that pass by outside of it
async function* nothing(): AsyncGenerator<Uint8Array, void> {
  yield new Uint8Array();
}

const traceOf = ({ clock, surroundings }: StreamHandlerOptions, request: HttpRequest): Trace => ({
  request,
  route: routeOf(request.path),
  id: surroundings === undefined ? '' : auditIdOf(request, surroundings.uid),
  receivedAt: clock?.now() ?? 0,
  startedAt: surroundings?.ticks() ?? 0,
});

/** For the API server's HTTPS server, as its `upgrade`. */
export const createStreamHandler =
  (options: StreamHandlerOptions): UpgradeHandler =>
  async (request, socket, head) => {
    const ended = (): void => {
      socket.destroy();
    };
    // Connections may live for days: the server ends them when it closes.
    request.signal.addEventListener('abort', ended, { once: true });
    const trace = traceOf(options, request);
    try {
      const found = await open(options, trace);
      tellOf(options, trace, found.type === 'refused' ? found.response.status : 101);
      await answer(socket, head, found);
    } catch (error) {
      const clusterError = asClusterError(error);
      const status = statusOf(clusterError);
      tellOf(options, trace, status.code);
      if (socket.destroyed) return;
      if (!(error instanceof ClusterError))
        options.log.error({ path: request.path, error: messageOf(error) }, 'a connection to a pod failed');
      end(socket, refusal(status.code, status));
    }
  };
