// The sockets of DNS, on loopback: a server of ours asked by our own way to other servers.
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { silent } from '../../../src/base/log.js';
import { createDnsListen } from '../../../src/host/dns/listener.js';
import { upstream } from '../../../src/host/dns/upstream.js';
import type { DnsListener } from '../../../src/network/dns/dns-agent.js';
import { freePort } from '../../e2e/free-port.js';
import { ask } from '../network/dns/zone-fixtures.js';

const signal = new AbortController().signal;
const listen = createDnsListen(silent);
const open: DnsListener[] = [];

afterEach(async () => {
  for (const listener of open.splice(0)) await listener.close();
});

type Handle = Parameters<typeof listen>[0]['handle'];

const serve = async (handle: Handle): Promise<number> => {
  const port = await freePort();
  open.push(await listen({ address: '127.0.0.1', port, handle }));
  return port;
};

const exchange = (port: number, transport: 'udp' | 'tcp', timeoutMs = 3_000, address = '127.0.0.1') =>
  upstream.exchange(
    {
      server: { address, port },
      transport,
      packet: ask('www.example.com', 'A'),
      timeoutMs,
      accepts: (response) => response.subarray(-1).toString() !== 'x',
    },
    signal,
  );

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  it('a question gets the answer of the server, which knows who asks and how', async () => {
    const clients: string[] = [];
    const port = await serve((packet, client) => {
      clients.push(`${client.address} ${client.transport}`);
      return Promise.resolve(Buffer.concat([packet, Buffer.from('!')]));
    });
    const response = await exchange(port, transport);
    expect(response.subarray(2, -1)).toEqual(ask('www.example.com', 'A').subarray(2));
    expect(clients).toEqual([`127.0.0.1 ${transport}`]);
  });

  it('ids differ from question to question', async () => {
    const ids = new Set<number>();
    const port = await serve((packet) => {
      ids.add(packet.readUInt16BE(0));
      return packet;
    });
    for (let count = 0; count < 8; count += 1) await exchange(port, transport);
    expect(ids.size).toBeGreaterThan(5);
  });

  it('a server to which there is no way fails as any other does', async () => {
    // The kernel refuses to connect to the broadcast address, as it does where no route leads.
    await expect(exchange(53, transport, 3_000, '255.255.255.255')).rejects.toThrow(/EACCES|ENETUNREACH/);
  });

  it('a server that is not there fails at once, one that says nothing when the time is over', async () => {
    const started = performance.now();
    await expect(exchange(await freePort(), transport)).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(2_000);
    const port = await serve(() => undefined);
    await expect(exchange(port, transport, 200)).rejects.toThrow('did not answer within 200 ms');
  });
});

it('a packet with another id or for another question is no answer', async () => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (packet, from) => {
    const send = (bytes: Buffer): void => socket.send(bytes, from.port, from.address);
    const forged = Buffer.from(packet);
    forged.writeUInt16BE((packet.readUInt16BE(0) + 1) % 65_536, 0);
    send(forged);
    send(Buffer.concat([packet, Buffer.from('x')]));
    send(Buffer.concat([packet, Buffer.from('!')]));
  });
  try {
    expect((await exchange(socket.address().port, 'udp')).subarray(-1).toString()).toBe('!');
  } finally {
    socket.close();
  }
});

it('a connection may hold many questions, in pieces of any size', async () => {
  const port = await serve((packet) => packet);
  const question = ask('www.example.com', 'A');
  const framed = Buffer.concat([Buffer.from([0, question.length]), question]);
  const socket = connect(port, '127.0.0.1');
  let received = 0;
  socket.on('data', (data) => (received += data.length));
  const all = Buffer.concat(Array.from({ length: 200 }, () => framed));
  for (let at = 0; at < all.length; at += 1_000) socket.write(all.subarray(at, at + 1_000));
  await expect.poll(() => received).toBe(all.length);
  socket.destroy();
});

it('an address that no device has, and a port that is taken, are told apart', async () => {
  const handle: Handle = () => undefined;
  await expect(listen({ address: '192.0.2.1', port: await freePort(), handle })).rejects.toMatchObject({
    code: 'ServiceUnavailable',
  });
  const port = await serve(handle);
  await expect(listen({ address: '127.0.0.1', port, handle })).rejects.toMatchObject({
    code: 'Conflict',
    message: expect.stringContaining('another DNS server') as string,
  });
});
