// DNS over UDP and TCP at one address and port.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { ClusterError, messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/log.js';
import type { DnsListener, DnsListen } from '../../network/dns/dns-agent.js';

const idleMs = 10_000;
const mostConnections = 256;
/** Questions of one connection that wait at one time; more are read when some are answered. */
const mostWaiting = 64;
const receiveBufferBytes = 1 << 20;

type Handle = Parameters<DnsListen>[0]['handle'];

const listenUdp = (
  address: string,
  port: number,
  handle: Handle,
  log: Logger,
): Promise<() => Promise<void>> =>
  new Promise((resolve, reject) => {
    const socket = createSocket({
      type: address.includes(':') ? 'udp6' : 'udp4',
      recvBufferSize: receiveBufferBytes,
    });
    const send = (
      response: Buffer | undefined,
      to: { readonly address: string; readonly port: number },
    ): void => {
      // A client that is gone is nobody's fault.
      if (response !== undefined) socket.send(response, to.port, to.address, () => undefined);
    };
    socket.on('message', (packet, from) => {
      const response = handle(packet, { address: from.address, transport: 'udp' });
      if (!(response instanceof Promise)) send(response, from);
      else
        response.then(
          (late) => send(late, from),
          (error: unknown) => log.debug({ error: messageOf(error) }, 'a DNS question was not answered'),
        );
    });
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject);
      socket.on('error', (error) => log.warn({ address, error: messageOf(error) }, 'DNS over UDP failed'));
      resolve(() => new Promise((closed) => socket.close(() => closed())));
    });
  });

const serveConnection = (socket: Socket, handle: Handle): void => {
  const client = { address: (socket.remoteAddress ?? '').replace('::ffff:', ''), transport: 'tcp' as const };
  let rest: Buffer = Buffer.alloc(0);
  let waiting = 0;
  const reply = (response: Buffer | undefined): void => {
    if (response === undefined || socket.destroyed) return;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(response.length);
    socket.write(Buffer.concat([length, response]));
  };
  const answer = async (packet: Buffer): Promise<void> => {
    waiting += 1;
    if (waiting >= mostWaiting) socket.pause();
    try {
      reply(await handle(packet, client));
    } catch {
      socket.destroy(); // the client asks again, or someone else
    } finally {
      waiting -= 1;
      if (waiting < mostWaiting) socket.resume();
    }
  };
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (data: Buffer) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
    while (rest.length >= 2) {
      const end = 2 + rest.readUInt16BE(0);
      if (rest.length < end) break;
      void answer(rest.subarray(2, end));
      rest = rest.subarray(end);
    }
  });
};

const listenTcp = (address: string, port: number, handle: Handle): Promise<() => Promise<void>> =>
  new Promise((resolve, reject) => {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      serveConnection(socket, handle);
    });
    server.maxConnections = mostConnections;
    server.once('error', reject);
    server.listen({ host: address, port, exclusive: true }, () => {
      server.off('error', reject);
      resolve(
        () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroy();
          }),
      );
    });
  });

const refusal = (address: string, port: number, error: unknown): Error => {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new ClusterError(
      'Conflict',
      `port ${port} of ${address} is taken: another DNS server on this node listens on all addresses; let it listen on its own only`,
      { cause: error },
    );
  if (code === 'EADDRNOTAVAIL')
    return new ClusterError('ServiceUnavailable', `the node has no device with the address ${address} yet`, {
      cause: error,
    });
  return error as Error;
};

/** Rejects with Conflict when the port is taken, ServiceUnavailable while the address is not there. */
export const createDnsListen =
  (log: Logger): DnsListen =>
  async ({ address, port, handle }): Promise<DnsListener> => {
    const closers: (() => Promise<void>)[] = [];
    const close = async (): Promise<void> => {
      await Promise.all(closers.map((one) => one()));
    };
    try {
      closers.push(await listenUdp(address, port, handle, log));
      closers.push(await listenTcp(address, port, handle));
      return { close };
    } catch (error) {
      await close();
      throw refusal(address, port, error);
    }
  };
