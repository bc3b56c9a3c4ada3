// Probes over real sockets, worded as the kubelet words them.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { NetworkProbe, ProbeAnswer, Prober } from '../node/prober.js';
import { grpcProbe } from './grpc-probe.js';

const failed = (message: string): ProbeAnswer => ({ success: false, message });

const tcpProbe = ({ host, port, timeoutMs }: NetworkProbe, signal: AbortSignal): Promise<ProbeAnswer> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const finish = (answer: ProbeAnswer): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(answer);
    };
    const onAbort = (): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => finish(failed(`dial tcp ${host}:${port}: i/o timeout`)), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => finish({ success: true, message: '' }));
    socket.once('error', (error: NodeJS.ErrnoException) => finish(failed(dialError(error, host, port))));
  });

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ECONNRESET: 'read: connection reset by peer',
  ETIMEDOUT: 'i/o timeout',
};

const dialError = (error: NodeJS.ErrnoException, host: string, port: number): string =>
  `dial tcp ${host}:${port}: ${words[error.code ?? ''] ?? error.message}`;

const httpProbe = (
  { host, port, timeoutMs, http }: NetworkProbe & { readonly http: NonNullable<NetworkProbe['http']> },
  signal: AbortSignal,
): Promise<ProbeAnswer> =>
  new Promise((resolve, reject) => {
    const url = `${http.scheme.toLowerCase()}://${host}:${port}${http.path}`;
    const headers: Record<string, string> = {
      'user-agent': 'kube-probe/1.34',
      accept: '*/*',
      connection: 'close',
    };
    for (const { name, value } of http.headers) headers[name.toLowerCase()] = value;
    const options = {
      host,
      port,
      path: http.path,
      method: 'GET',
      headers,
      agent: false,
      rejectUnauthorized: false,
    };
    const request = (http.scheme === 'HTTPS' ? httpsRequest : httpRequest)(options, (response) => {
      const status = response.statusCode ?? 0;
      response.resume();
      const success = status >= 200 && status < 400;
      finish(success ? { success, message: '' } : failed(`HTTP probe failed with statuscode: ${status}`));
    });
    const finish = (answer: ProbeAnswer): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      request.destroy();
      resolve(answer);
    };
    const onAbort = (): void => {
      clearTimeout(timer);
      request.destroy();
      reject(signal.reason as Error);
    };
    const timer = setTimeout(
      () =>
        finish(
          failed(`Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`),
        ),
      timeoutMs,
    );
    signal.addEventListener('abort', onAbort, { once: true });
    request.on('error', (error: NodeJS.ErrnoException) =>
      finish(failed(`Get "${url}": ${dialError(error, host, port)}`)),
    );
    request.end();
  });

export const networkProber: Prober = {
  check: (probe, signal) => {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const { http, grpc } = probe;
    if (grpc !== undefined) return grpcProbe({ ...probe, grpc }, signal);
    return http === undefined ? tcpProbe(probe, signal) : httpProbe({ ...probe, http }, signal);
  },
};
