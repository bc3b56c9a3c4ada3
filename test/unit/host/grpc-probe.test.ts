// The gRPC health check against a server on loopback.
import { createServer } from 'node:http2';
import type { Http2Server, ServerHttp2Stream } from 'node:http2';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { networkProber } from '../../../src/host/prober.js';
import type { ProbeAnswer } from '../../../src/node/prober.js';

let server: Http2Server | Server | undefined;
afterEach(async () => {
  const running = server;
  server = undefined;
  if (running?.listening === true) await new Promise((resolve) => running.close(resolve));
});

const listening = async (started: Http2Server | Server): Promise<number> => {
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return (started.address() as AddressInfo).port;
};

const check = (port: number, service = '', timeoutMs = 5000): Promise<ProbeAnswer> =>
  networkProber.check(
    { containerId: 'c', host: '127.0.0.1', port, timeoutMs, grpc: { service } },
    new AbortController().signal,
  );

const answering = (
  answer: (stream: ServerHttp2Stream, request: Buffer, path: string) => void,
): Promise<number> => {
  const started = createServer();
  started.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => answer(stream, Buffer.concat(chunks), String(headers[':path'])));
  });
  return listening(started);
};

const reply = (
  stream: ServerHttp2Stream,
  message: readonly number[],
  trailers: Record<string, string>,
): void => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(Buffer.from(message));
};

describe('a gRPC probe', () => {
  it('asks for the service by name, and takes SERVING for an answer', async () => {
    let asked = '';
    const port = await answering((stream, request, path) => {
      asked = `${path} ${request.subarray(7).toString()}`;
      reply(stream, [0, 0, 0, 0, 2, 8, 1], { 'grpc-status': '0' });
    });
    expect(await check(port, 'shop.Cart')).toEqual({ success: true, message: '' });
    expect(asked).toBe('/grpc.health.v1.Health/Check shop.Cart');
  });

  it.each([
    [2, 'NOT_SERVING'],
    [3, 'SERVICE_UNKNOWN'],
  ])('fails on the status %i and names it', async (status, name) => {
    const port = await answering((stream) =>
      reply(stream, [0, 0, 0, 0, 2, 8, status], { 'grpc-status': '0' }),
    );
    expect(await check(port)).toEqual({
      success: false,
      message: `service unhealthy (responded with "${name}")`,
    });
  });

  it('says that a server has no health service', async () => {
    const port = await answering((stream) => {
      stream.respond(
        { ':status': 200, 'grpc-status': '12', 'content-type': 'application/grpc' },
        { endStream: true },
      );
    });
    expect((await check(port)).message).toContain('does not implement the grpc health protocol');
  });

  it('fails where nothing listens, and where nothing answers in time', async () => {
    const port = await listening(createTcpServer((socket) => socket.on('error', () => undefined).resume()));
    expect((await check(port, '', 200)).message).toContain('context deadline exceeded');
    const gone = server as Server;
    await new Promise((resolve) => {
      gone.close(resolve);
    });
    expect((await check(port)).success).toBe(false);
  });
});
