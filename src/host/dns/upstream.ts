// Questions to other name servers: a socket of its own for each, so that port and id are random and only the server that
// was asked can answer.
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { ClusterError } from '../../base/errors.js';
import type { Exchange, Upstream } from '../../network/dns/forwarder.js';

const withId = (packet: Buffer): { readonly id: number; readonly bytes: Buffer } => {
  const id = randomInt(65_536);
  const bytes = Buffer.from(packet);
  bytes.writeUInt16BE(id, 0);
  return { id, bytes };
};

const isResponse = (packet: Buffer, id: number, { accepts }: Exchange): boolean =>
  packet.length >= 12 && packet.readUInt16BE(0) === id && accepts(packet);

interface Wait {
  done(packet: Buffer): void;
  failed(error: Error): void;
}

/** One answer, one failure, the timeout or the signal; whatever comes first closes the socket. */
const waitFor = (
  { server, timeoutMs }: Exchange,
  signal: AbortSignal,
  open: (wait: Wait) => () => void,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    let over = false;
    const end = (finish: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      close();
      finish();
    };
    const failed = (error: Error): void => end(() => reject(error));
    const onAbort = (): void => failed(signal.reason as Error);
    const timer = setTimeout(
      () =>
        failed(
          new ClusterError('Timeout', `name server ${server.address} did not answer within ${timeoutMs} ms`),
        ),
      timeoutMs,
    );
    const close = open({ done: (packet) => end(() => resolve(packet)), failed });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });

const overUdp = (exchange: Exchange, signal: AbortSignal): Promise<Buffer> =>
  waitFor(exchange, signal, ({ done, failed }) => {
    const { server, packet } = exchange;
    const { id, bytes } = withId(packet);
    const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', failed);
    socket.on('message', (response) => {
      if (isResponse(response, id, exchange)) done(response);
    });
    // A connected socket takes packets from its peer only, and learns of a port that is closed.
    // Not as connect's callback: that is called as well when there is no way to the server, and then instead of `error`.
    socket.on('connect', () => socket.send(bytes));
    socket.connect(server.port, server.address);
    return () => {
      socket.removeAllListeners('error').on('error', () => undefined);
      socket.close();
    };
  });

const overTcp = (exchange: Exchange, signal: AbortSignal): Promise<Buffer> =>
  waitFor(exchange, signal, ({ done, failed }) => {
    const { server, packet } = exchange;
    const { id, bytes } = withId(packet);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    const socket = connect({ host: server.address, port: server.port });
    let received = Buffer.alloc(0);
    socket.on('error', failed);
    socket.on('close', () =>
      failed(new ClusterError('ServiceUnavailable', `name server ${server.address} hung up`)),
    );
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const response = received.subarray(2, 2 + received.readUInt16BE(0));
      if (isResponse(response, id, exchange)) done(response);
      else
        failed(
          new ClusterError('ServiceUnavailable', `name server ${server.address} answered something else`),
        );
    });
    socket.write(Buffer.concat([length, bytes]));
    return () => {
      socket.removeAllListeners('error').on('error', () => undefined);
      socket.destroy();
    };
  });

export const upstream: Upstream = {
  exchange: (exchange, signal) =>
    exchange.transport === 'udp' ? overUdp(exchange, signal) : overTcp(exchange, signal),
};
