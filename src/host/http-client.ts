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

export interface HttpClient extends Transport {
  /** Closes all connections; requests under way fail. */
  close(): void;
}

/** A vanished server is noticed after this long plus ten probes, one a second: watches are silent for long. */
export const keepAliveMs = 10_000;

export const createHttpClient = ({ server, ca, cert, key }: HttpClientOptions): HttpClient => {
  const url = new URL(server);
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: keepAliveMs, ca, cert, key, maxFreeSockets: 8 });
  const target = {
    agent,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 443 : Number(url.port),
    peer: `the API server at ${url.origin}`,
  };
  return {
    request: (request, signal) => sendHttps(target, request, signal),
    close: () => agent.destroy(),
  };
};
