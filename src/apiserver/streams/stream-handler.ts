// The API server's answer to upgrades: it says who may connect to which pod, and hands the connection to the pod's node,
// whose agent speaks the protocol of the client.
import type { Duplex } from 'node:stream';
import { ClusterError, messageOf } from '../../base/errors.js';
import type { HttpRequest, Identity, UpgradeHandler } from '../../base/http.js';
import type { Logger } from '../../base/log.js';
import { answerHead, refusal } from '../../base/upgrade-answer.js';
import type { Authenticator } from '../authenticate.js';
import { anonymous, nothingPresented } from '../authenticate.js';
import type { NodeGateway, StreamAnswer } from '../node-gateway.js';
import type { Registry } from '../registry.js';
import type { ResourceRoute } from '../routes.js';
import { routeOf } from '../routes.js';
import { asClusterError, statusOf } from '../status-error.js';
import { agentRequest, podStreamOf } from './pod-streams.js';
import { splice } from './splice.js';

export interface StreamHandlerOptions {
  readonly registry: Registry;
  readonly nodeGateway: NodeGateway;
  readonly log: Logger;
  readonly authenticator: Authenticator;
  /** Throws Forbidden; everyone who has been authenticated may connect when it is absent. */
  readonly authorize?: (
    identity: Identity,
    route: ResourceRoute,
    request: HttpRequest,
  ) => Promise<void> | void;
}

const methods: ReadonlySet<string> = new Set(['GET', 'POST']);

const open = async (options: StreamHandlerOptions, request: HttpRequest): Promise<StreamAnswer> => {
  const identity = await options.authenticator(request);
  if (identity === anonymous) throw nothingPresented();
  const route = routeOf(request.path);
  const stream = route.type === 'resource' ? podStreamOf(route) : undefined;
  if (route.type !== 'resource' || stream === undefined)
    throw new ClusterError('NotFound', 'the server could not find the requested resource');
  if (!methods.has(request.method))
    throw new ClusterError(
      'MethodNotAllowed',
      'the server does not allow this method on the requested resource',
    );
  await options.authorize?.(identity, route, request);
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

/** For the API server's HTTPS server, as its `upgrade`. */
export const createStreamHandler =
  (options: StreamHandlerOptions): UpgradeHandler =>
  async (request, socket, head) => {
    const ended = (): void => {
      socket.destroy();
    };
    // Connections may live for days: the server ends them when it closes.
    request.signal.addEventListener('abort', ended, { once: true });
    try {
      await answer(socket, head, await open(options, request));
    } catch (error) {
      if (socket.destroyed) return;
      const clusterError = asClusterError(error);
      if (!(error instanceof ClusterError))
        options.log.error({ path: request.path, error: messageOf(error) }, 'a connection to a pod failed');
      const status = statusOf(clusterError);
      end(socket, refusal(status.code, status));
    }
  };
