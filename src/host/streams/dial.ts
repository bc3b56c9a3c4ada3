// TCP connections to pods, for port-forward.
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';

const patienceMs = 10_000;

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
};

/** Rejects with a sentence that names the address, or with the signal's reason. */
export const dialTcp = (
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Socket> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const socket = createConnection({ host, port, noDelay: true, allowHalfOpen: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('error', failed);
    };
    const fail = (error: Error): void => {
      settle();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const failed = (error: NodeJS.ErrnoException): void =>
      fail(new Error(`dial tcp ${host}:${port}: connect: ${reasons[error.code ?? ''] ?? error.message}`));
    const abort = (): void => fail(signal.reason as Error);
    const timer = setTimeout(
      () => fail(new Error(`dial tcp ${host}:${port}: connect: connection timed out`)),
      patienceMs,
    );
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', failed);
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
  });
