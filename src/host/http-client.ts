// The Transport of remote clients: HTTPS with a client certificate over connections that are kept.
import { Agent } from 'node:https';
import type { Transport } from '../client/transport.js';
import { sendHttps } from './https-request.js';

/** PEM. */
export interface ClientCredentials {
  /** Signs the certificate of the server. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface HttpClientOptions extends ClientCredentials {
  /** `https://10.0.0.1:6443`. */
  readonly server: string;
}

const targetOf = (server: string) => {
  const url = new URL(server);
  return {
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 443 : Number(url.port),
    peer: `the API server at ${url.origin}`,
  };
};

/** Without credentials: to the server that `ca` has signed, or, when it is undefined, to whoever answers. */
export const createAnonymousClient = (server: string, ca: string | undefined): Transport => {
  const agent = new Agent({ ...(ca === undefined ? {} : { ca }), rejectUnauthorized: ca !== undefined });
  const target = { ...targetOf(server), agent };
  return { request: (request, signal) => sendHttps(target, request, signal) };
};

export interface HttpClient extends Transport {
  /** New connections use the new certificate; requests under way end on the connections that they have. */
  renew(credentials: ClientCredentials): void;
  /** Closes all connections; requests under way fail. */
  close(): void;
}

/** A vanished server is noticed after this long plus ten probes, one a second: watches are silent for long. */
export const keepAliveMs = 10_000;

/** Lets go of connections: those that rest at once, the others when their request has ended. */
export const retire = (agent: Agent): void => {
  (agent as { keepAlive?: boolean }).keepAlive = false;
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
};

export const createHttpClient = ({ server, ca, cert, key }: HttpClientOptions): HttpClient => {
  const make = (credentials: ClientCredentials): Agent =>
    new Agent({ ...credentials, keepAlive: true, keepAliveMsecs: keepAliveMs, maxFreeSockets: 8 });
  const retired = new Set<Agent>();
  let agent = make({ ca, cert, key });
  const target = targetOf(server);
  return {
    request: (request, signal) => sendHttps({ ...target, agent }, request, signal),
    renew: (credentials) => {
      // Those that have served to the end need not be held.
      for (const old of retired) if (Object.keys(old.sockets).length === 0) retired.delete(old);
      retire(agent);
      retired.add(agent);
      agent = make(credentials);
    },
    close: () => {
      for (const old of retired) old.destroy();
      agent.destroy();
    },
  };
};
