// The agent's answers to upgrades: `/exec/NAMESPACE/POD/CONTAINER`, `/attach/…` and `/portForward/NAMESPACE/POD`.
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.js';
import { ClusterError, messageOf } from '../../base/errors.js';
import type { HttpRequest, UpgradeHandler } from '../../base/http.js';
import type { Logger } from '../../base/log.js';
import { splice } from '../../base/splice.js';
import { answerHead, listed, refusal } from '../../base/upgrade-answer.js';
import type { Runtime } from '../runtime.js';
import { chosen, execProtocols, forwardProtocols, isText } from './channels.js';
import { commandRequest } from './command-client.js';
import type { CommandRequest } from './command-client.js';
import { refusedUpgrade } from './command-status.js';
import { linkOf } from './link.js';
import type { Link } from './link.js';
import { podAddress, runningContainer } from './pod-target.js';
import type { Dial, ForwardTarget } from './port-forward.js';
import { runCommand } from './run-command.js';
import type { CommandTarget } from './run-command.js';
import { commandProtocols, spdyClient } from './spdy-client.js';
import { forwardOverSpdy, forwardProtocol, portOf, tunnelProtocol } from './spdy-forward.js';
import { forwardOverWebSocket } from './web-socket-forward.js';
import { webSocketClient } from './web-socket-client.js';

export interface WebSocketAnswer {
  /** Subprotocol that the answer names. */
  readonly protocol: string;
  /** Messages go out as text. */
  readonly text: boolean;
}

/** Answers the handshake. Rejects with BadRequest, having written nothing, when it is not one. */
export type AcceptWebSocket = (
  connection: { readonly request: HttpRequest; readonly socket: Duplex; readonly head: Uint8Array },
  answer: WebSocketAnswer,
) => Promise<Link>;

export interface StreamServerOptions {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly acceptWebSocket: AcceptWebSocket;
  readonly dial: Dial;
  /** Throws Unauthorized or Forbidden for who may not ask this agent. */
  readonly authorize: (request: HttpRequest) => void;
}

interface Upgrade {
  readonly options: StreamServerOptions;
  readonly request: HttpRequest;
  readonly socket: Duplex;
  readonly head: Uint8Array;
  /** The upgrade has been answered with 101: a refusal would be noise in the stream. */
  answered: boolean;
}

const bad = (message: string): ClusterError => new ClusterError('BadRequest', message);

const isWebSocket = ({ headers }: HttpRequest): boolean =>
  listed(headers['upgrade']?.toLowerCase()).includes('websocket');

const isSpdy = ({ headers }: HttpRequest): boolean =>
  listed(headers['upgrade']?.toLowerCase()).includes('spdy/3.1');

const noProtocol = (wishes: readonly string[], served: readonly string[]): ClusterError =>
  bad(
    `unable to upgrade: unable to negotiate protocol: client supports [${wishes.join(' ')}], server accepts [${served.join(' ')}]`,
  );

const webSocketWishes = ({ headers }: HttpRequest): readonly string[] =>
  listed(headers['sec-websocket-protocol']);

/** Answers with 101; throws BadRequest, having written nothing, when the client speaks none of `served`. */
const acceptSpdy = (upgrade: Upgrade, served: readonly string[]): Link => {
  const { request, socket, head } = upgrade;
  const wishes = listed(request.headers['x-stream-protocol-version']);
  const protocol = chosen(wishes, served);
  if (protocol === undefined) throw noProtocol(wishes, served);
  const link = linkOf(socket, head);
  upgrade.answered = true;
  socket.write(
    answerHead(101, {
      Connection: 'Upgrade',
      Upgrade: 'SPDY/3.1',
      'X-Stream-Protocol-Version': protocol,
    }),
  );
  return link;
};

const acceptWebSocket = async (upgrade: Upgrade, answer: WebSocketAnswer): Promise<Link> => {
  const link = await upgrade.options.acceptWebSocket(upgrade, answer);
  upgrade.answered = true;
  return link;
};

const serveWebSocketCommand = async (
  upgrade: Upgrade,
  request: CommandRequest,
  target: CommandTarget,
): Promise<void> => {
  const wishes = webSocketWishes(upgrade.request);
  const protocol = chosen(wishes, execProtocols);
  if (protocol === undefined) throw noProtocol(wishes, execProtocols);
  const link = await acceptWebSocket(upgrade, { protocol, text: isText(protocol) });
  const client = webSocketClient(link, protocol, request, upgrade.request.signal);
  const received = client.receive();
  received.catch(() => link.destroy());
  await runCommand(target, client);
  await received;
};

const serveSpdyCommand = async (
  upgrade: Upgrade,
  request: CommandRequest,
  target: CommandTarget,
): Promise<void> => {
  const link = acceptSpdy(upgrade, commandProtocols);
  const { opened, served } = spdyClient(
    { link, clock: upgrade.options.clock, request },
    upgrade.request.signal,
  );
  try {
    await runCommand(target, await opened);
  } catch (error) {
    link.destroy();
    throw error;
  }
  await served;
};

const serveCommand = async (upgrade: Upgrade, path: readonly string[], attach: boolean): Promise<void> => {
  const [namespace = '', pod = '', container = ''] = path;
  const { options, request: asked } = upgrade;
  const request = commandRequest(asked.query);
  if (!request.stdin && !request.stdout && !request.stderr)
    throw bad('you must specify at least 1 of stdin, stdout, stderr');
  if (!attach && request.command.length === 0)
    throw bad('you must specify a command to run in the container');
  const { id } = await runningContainer(options.runtime, { namespace, pod, container }, asked.signal);
  const target: CommandTarget = {
    runtime: options.runtime,
    containerId: id,
    request,
    attach,
    log: options.log.child({ namespace, pod, container }),
  };
  await (isWebSocket(asked) ? serveWebSocketCommand : serveSpdyCommand)(upgrade, request, target);
};

const mostPorts = 64;

const serveForward = async (upgrade: Upgrade, path: readonly string[]): Promise<void> => {
  const [namespace = '', pod = ''] = path;
  const { options, request } = upgrade;
  const { runtime, clock, log, dial } = options;
  const { host, uid } = await podAddress(runtime, { namespace, pod }, request.signal);
  const target: ForwardTarget = { dial, host, pod: `${pod}_${namespace}`, uid, log };
  if (!isWebSocket(request)) {
    const link = acceptSpdy(upgrade, [forwardProtocol]);
    return forwardOverSpdy({ link, clock, target }, request.signal);
  }
  const wishes = webSocketWishes(request);
  if (wishes.includes(tunnelProtocol)) {
    const link = await acceptWebSocket(upgrade, { protocol: tunnelProtocol, text: false });
    return forwardOverSpdy({ link, clock, target }, request.signal);
  }
  const protocol = chosen(wishes, forwardProtocols);
  if (protocol === undefined) throw noProtocol(wishes, [tunnelProtocol, ...forwardProtocols]);
  const ports = request.query
    .getAll('ports')
    .flatMap((value) => value.split(','))
    .map((text) => {
      const port = portOf(text);
      if (port === undefined)
        throw bad(`query parameter "ports" must hold ports, not ${JSON.stringify(text)}`);
      return port;
    });
  if (ports.length === 0 || ports.length > mostPorts)
    throw bad(`query parameter "ports" must name 1 to ${mostPorts} ports`);
  const link = await acceptWebSocket(upgrade, { protocol, text: isText(protocol) });
  return forwardOverWebSocket({ link, protocol, ports, target }, request.signal);
};

/** `/dial/NAMESPACE/POD/PORT`, upgraded to plain TCP: the connection becomes one to the pod. */
const serveDial = async (upgrade: Upgrade, path: readonly string[]): Promise<void> => {
  const [namespace = '', pod = '', text = ''] = path;
  const { options, request, socket, head } = upgrade;
  const port = portOf(text);
  if (
    port === undefined ||
    path.length !== 3 ||
    !listed(request.headers['upgrade']?.toLowerCase()).includes('tcp')
  )
    throw bad('a connection to a pod is asked for as /dial/NAMESPACE/POD/PORT, with an upgrade to tcp');
  const { host } = await podAddress(options.runtime, { namespace, pod }, request.signal);
  const connection = await options.dial({ host, port }, request.signal);
  upgrade.answered = true;
  const cut = (): void => {
    socket.destroy();
  };
  request.signal.addEventListener('abort', cut, { once: true });
  socket.write(answerHead(101, { Connection: 'Upgrade', Upgrade: 'tcp' }));
  if (head.length > 0) socket.unshift(head);
  await splice(socket, connection);
};

const serve = async (upgrade: Upgrade): Promise<void> => {
  const { options, request } = upgrade;
  options.authorize(request);
  if (request.path.startsWith('/dial/')) return serveDial(upgrade, request.path.split('/').slice(2));
  if (!isWebSocket(request) && !isSpdy(request)) throw bad('Upgrade request required');
  const [, verb, ...path] = request.path.split('/');
  if (verb === 'exec' && path.length === 3) return serveCommand(upgrade, path, false);
  if (verb === 'attach' && path.length === 3) return serveCommand(upgrade, path, true);
  if (verb === 'portForward' && path.length === 2) return serveForward(upgrade, path);
  throw new ClusterError('NotFound', `this agent serves no upgrade of ${request.path}`);
};

/** For the agent's HTTPS server. Each upgrade ends with its client, and when the server closes. */
export const createStreamServer =
  (options: StreamServerOptions): UpgradeHandler =>
  async (request, socket, head) => {
    const upgrade: Upgrade = { options, request, socket, head, answered: false };
    try {
      await serve(upgrade);
    } catch (error) {
      options.log.debug({ path: request.path, error: messageOf(error) }, 'a stream failed');
      if (upgrade.answered || socket.destroyed) {
        socket.destroy();
        return;
      }
      const { code, body } = refusedUpgrade(error);
      socket.end(refusal(code, body), () => socket.destroy());
    }
  };
