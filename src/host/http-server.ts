// HTTPS for the API server and the agents: HTTP/2 and HTTP/1.1 on one port, with client certificates.
import { createSecureServer } from 'node:http2';
import type { Http2SecureServer, Http2ServerRequest, Http2Session, ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ClusterError, messageOf } from '../base/errors.js';
import type { HttpHandler, UpgradeHandler } from '../base/http.js';
import type { Logger } from '../base/log.js';
import { ServerRequest } from './http-server-request.js';
import type { IncomingRequest, PeerCertificate } from './http-server-request.js';
import { writeResponse } from './http-server-response.js';
import type { OutgoingResponse } from './http-server-response.js';
import { peerCertificate } from './peer-certificate.js';

/** PEM. */
export interface ServerCredentials {
  readonly key: string;
  readonly cert: string;
  /** Signs the certificates of clients. */
  readonly ca: string;
}

export interface HttpServerOptions {
  /** Address to listen on, such as `0.0.0.0`. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The flag that sets the port, for the error when it is taken: `--api-port`. */
  readonly portFlag: string;
  readonly tls: ServerCredentials;
  readonly handler: HttpHandler;
  readonly upgrade?: UpgradeHandler;
  readonly log: Logger;
  /** Largest request body, in bytes; 3 MiB when absent, as in Kubernetes. */
  readonly bodyLimit?: number;
}

export interface HttpServer {
  readonly port: number;
  /** New connections use the new certificate; those that are open keep the old one. */
  renew(tls: ServerCredentials): void;
  /** Takes no more requests, ends what streams, and gives the others `graceMs` before it cuts them. */
  close(graceMs: number): Promise<void>;
}

const defaultBodyLimit = 3 * 1024 * 1024;
/** A vanished peer is noticed after this long plus ten probes, one a second. */
const keepAliveMs = 15_000;
const handshakeMs = 10_000;
/** Idle HTTP/1.1 connections outlive the pauses of clients that poll. */
const idleMs = 90_000;

const listenError = (
  error: NodeJS.ErrnoException,
  { host, port, portFlag }: HttpServerOptions,
): ClusterError => {
  const fix = `choose another port with ${portFlag}`;
  if (error.code === 'EADDRINUSE')
    return new ClusterError('Conflict', `port ${port} is in use by another program: stop it, or ${fix}`, {
      cause: error,
    });
  if (error.code === 'EACCES')
    return new ClusterError('Forbidden', `this user may not listen on port ${port}: run as root, or ${fix}`, {
      cause: error,
    });
  return new ClusterError('InternalError', `cannot listen on ${host}:${port} (${error.message}): ${fix}`, {
    cause: error,
  });
};

const listen = (server: Http2SecureServer, options: HttpServerOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(listenError(error, options));
    server.once('error', failed);
    server.listen(options.port, options.host, () => {
      server.off('error', failed);
      resolve();
    });
  });

const makeServer = ({ tls }: HttpServerOptions): Http2SecureServer => {
  const server = createSecureServer({
    ...tls,
    allowHTTP1: true,
    requestCert: true,
    // A client without a certificate, or with a foreign one, gets a 401 that says so, not a broken handshake.
    rejectUnauthorized: false,
    handshakeTimeout: handshakeMs,
    settings: { maxConcurrentStreams: 1000, initialWindowSize: 256 * 1024 },
    maxSessionMemory: 64,
    ...{ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs },
  });
  Object.assign(server, { keepAliveTimeout: idleMs });
  return server;
};

/** Certificate facts, found once for each connection. */
class Peers {
  readonly #facts = new WeakMap<object, PeerCertificate>();

  add(connection: object, socket: TLSSocket): void {
    this.#facts.set(connection, peerCertificate(socket));
  }

  of(request: IncomingRequest): PeerCertificate {
    const connection: object | undefined =
      request.httpVersionMajor === 2 ? (request as Http2ServerRequest).stream.session : request.socket;
    return (connection === undefined ? undefined : this.#facts.get(connection)) ?? {};
  }
}

/** Requests that stream, so that closing the server can end them; sockets, so that it can cut them. */
class Connections {
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<Http2Session>();
  readonly #requests = new Set<ServerRequest>();
  #closing = false;

  addSocket(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  addSession(session: Http2Session): void {
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
  }

  addRequest(request: ServerRequest): void {
    this.#requests.add(request);
  }

  /** A connection that HTTP/1.1 would keep for the next request ends when there is to be none. */
  endRequest(request: ServerRequest, socket: Socket | undefined): void {
    this.#requests.delete(request);
    request.abort('the client went away');
    if (this.#closing) socket?.destroySoon();
  }

  endStreams(): void {
    this.#closing = true;
    for (const request of this.#requests) request.abort('the server is closing');
    for (const session of this.#sessions) session.close();
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

const closeServer = async (
  server: Http2SecureServer,
  connections: Connections,
  graceMs: number,
): Promise<void> => {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  connections.endStreams();
  const timer = setTimeout(() => connections.cut(), graceMs);
  await closed;
  clearTimeout(timer);
};

/** What has gone out cannot be taken back: the client must see that the answer is not whole. */
const cut = (outgoing: OutgoingResponse): void => {
  if ('stream' in outgoing) outgoing.stream.destroy();
  else outgoing.destroy();
};

/** Resolves when it listens; rejects with a ClusterError that names the port and its flag. */
export const startHttpServer = async (options: HttpServerOptions): Promise<HttpServer> => {
  const { handler, upgrade, log, bodyLimit = defaultBodyLimit } = options;
  const server = makeServer(options);
  const peers = new Peers();
  const connections = new Connections();
  const accept = (incoming: IncomingRequest): ServerRequest => {
    const request = new ServerRequest(incoming, peers.of(incoming), bodyLimit);
    connections.addRequest(request);
    return request;
  };

  server.on('connection', (socket: Socket) => connections.addSocket(socket));
  server.on('secureConnection', (socket: TLSSocket) => {
    peers.add(socket, socket);
    socket.on('error', (error: Error) => log.debug({ error: error.message }, 'a connection broke'));
  });
  server.on('session', (session: ServerHttp2Session) => {
    peers.add(session, session.socket as TLSSocket);
    connections.addSession(session);
    session.on('error', (error: Error) => log.debug({ error: error.message }, 'an HTTP/2 session broke'));
  });
  server.on('tlsClientError', (error: Error) =>
    log.debug({ error: error.message }, 'a TLS handshake failed'),
  );
  server.on('sessionError', (error: Error) =>
    log.debug({ error: error.message }, 'an HTTP/2 session failed'),
  );
  server.on('request', (incoming: IncomingRequest, outgoing: OutgoingResponse) => {
    const request = accept(incoming);
    outgoing.once('close', () => {
      connections.endRequest(request, 'stream' in outgoing ? undefined : outgoing.req.socket);
    });
    void (async () => {
      try {
        await writeResponse(request, outgoing, await handler(request));
      } catch (error) {
        if (!request.aborted)
          log.error({ path: request.path, error: messageOf(error) }, 'an answer could not be given');
        cut(outgoing);
      }
    })();
  });
  if (upgrade !== undefined)
    server.on('upgrade', (incoming: IncomingRequest, socket: TLSSocket, head: Buffer) => {
      const request = accept(incoming);
      socket.once('close', () => {
        connections.endRequest(request, undefined);
      });
      upgrade(request, socket, head).catch((error: unknown) => {
        log.error({ path: request.path, error: messageOf(error) }, 'an upgraded connection failed');
        socket.destroy();
      });
    });

  await listen(server, options);
  server.on('error', (error: Error) => log.error({ error: error.message }, 'the HTTP server failed'));
  return {
    port: (server.address() as AddressInfo).port,
    renew: (tls) => server.setSecureContext({ ...tls }),
    close: (graceMs) => closeServer(server, connections, graceMs),
  };
};
