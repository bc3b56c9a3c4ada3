// One HTTPS request with a client certificate; what goes wrong on the way becomes a ClusterError that names the address.
import { setMaxListeners } from 'node:events';
import { request as httpsRequest } from 'node:https';
import type { Agent, RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { ClusterError } from '../base/errors.js';
import type { TransportRequest, TransportResponse } from '../client/transport.js';

export interface HttpsTarget {
  readonly agent: Agent;
  readonly hostname: string;
  readonly port: number;
  /** Who is meant, for errors: `the API server at https://127.0.0.1:6443`. */
  readonly peer: string;
}

/** Codes of certificates that do not fit: waiting will not change them. */
const distrust =
  /^(SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)|CERT_|ERR_TLS_CERT_ALTNAME)/;

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was lost',
  EPIPE: 'the connection was lost',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ENOTFOUND: 'its name does not resolve',
};

export const connectionError = (error: NodeJS.ErrnoException, peer: string): ClusterError => {
  const code = error.code ?? '';
  if (distrust.test(code))
    return new ClusterError(
      'ServiceUnavailable',
      `${peer} is not the server that was expected: its certificate was not accepted (${error.message})`,
      { cause: error, retry: false },
    );
  return new ClusterError(
    'ServiceUnavailable',
    `${peer} cannot be reached: ${reasons[code] ?? error.message}`,
    {
      cause: error,
    },
  );
};

async function* bodyOf(
  response: IncomingMessage,
  peer: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk as Uint8Array;
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if (error instanceof ClusterError) throw error;
    throw connectionError(error as NodeJS.ErrnoException, peer);
  }
}

const send = (
  target: HttpsTarget,
  { method, path, headers, body, idleMs }: TransportRequest,
  signal: AbortSignal | undefined,
): Promise<{ response: IncomingMessage } | { error: unknown; stale: boolean }> =>
  new Promise((resolve) => {
    const options: RequestOptions = {
      method,
      path,
      agent: target.agent,
      hostname: target.hostname,
      port: target.port,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-length': body.byteLength }) },
      ...(signal === undefined ? {} : { signal }),
    };
    const outgoing = httpsRequest(options, (response) => resolve({ response }));
    if (idleMs !== undefined)
      outgoing.setTimeout(idleMs, () => {
        outgoing.destroy(
          new ClusterError('ServiceUnavailable', `${target.peer} did not answer within ${idleMs / 1000} s`),
        );
      });
    outgoing.once('error', (error) => {
      const { code } = error as NodeJS.ErrnoException;
      const stale = outgoing.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
      resolve({ error, stale });
    });
    outgoing.end(body);
  });

/** As the Transport contract says. A GET whose kept connection turns out to be closed is sent once more. */
export const sendHttps = async (
  target: HttpsTarget,
  request: TransportRequest,
  signal?: AbortSignal,
): Promise<TransportResponse> => {
  signal?.throwIfAborted();
  // One signal ends all requests of a process: many listeners are no leak.
  if (signal !== undefined) setMaxListeners(0, signal);
  const result = await send(target, request, signal);
  if ('error' in result) {
    signal?.throwIfAborted();
    if (result.stale && request.method === 'GET') return sendHttps(target, request, signal);
    if (result.error instanceof ClusterError) throw result.error;
    throw connectionError(result.error as NodeJS.ErrnoException, target.peer);
  }
  const { response } = result;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers as TransportResponse['headers'],
    body: bodyOf(response, target.peer, signal),
  };
};
