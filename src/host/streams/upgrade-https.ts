// One HTTPS request that asks for an upgrade, on a connection of its own.
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { StreamAnswer } from '../../apiserver/node-gateway.js';
import { ClusterError } from '../../base/errors.js';
import { connectionError } from '../https-request.js';

export interface UpgradeOptions extends Pick<
  RequestOptions,
  'ca' | 'cert' | 'key' | 'hostname' | 'port' | 'method' | 'path' | 'checkServerIdentity'
> {
  readonly headers: Readonly<Record<string, string>>;
  /** Who is meant, for errors. */
  readonly peer: string;
}

const answerMs = 30_000;
const keepAliveMs = 15_000;

const refused = (response: IncomingMessage): StreamAnswer => ({
  type: 'refused',
  response: {
    status: response.statusCode ?? 502,
    headers: { 'content-type': response.headers['content-type'] ?? 'text/plain' },
    body: response,
  },
});

/** Rejects with ServiceUnavailable that names the peer, or with the signal's reason. */
export const upgradeHttps = (
  { peer, headers, ...target }: UpgradeOptions,
  signal: AbortSignal,
): Promise<StreamAnswer> =>
  new Promise((resolve, reject) => {
    // No pool: a connection that has been upgraded is never a request's again.
    const outgoing = httpsRequest({ ...target, headers: { ...headers }, agent: false });
    const abort = (): void => {
      outgoing.destroy();
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      outgoing.destroy(
        new ClusterError('ServiceUnavailable', `${peer} did not answer within ${answerMs / 1000} s`),
      );
    }, answerMs);
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    outgoing.once('socket', (socket) => {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, keepAliveMs);
    });
    outgoing.once('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
      settle();
      socket.on('error', () => undefined);
      resolve({ type: 'upgraded', headers: response.headers, socket, head });
    });
    outgoing.once('response', (response) => {
      settle();
      resolve(refused(response));
    });
    outgoing.on('error', (error) => {
      settle();
      reject(error instanceof ClusterError ? error : connectionError(error, peer));
    });
    if (signal.aborted) {
      settle();
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    outgoing.end();
  });
