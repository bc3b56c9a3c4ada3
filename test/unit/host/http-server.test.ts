import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '../../../src/base/log.js';
import type { HttpHandler, HttpRequest, UpgradeHandler } from '../../../src/base/http.js';
import type { ClusterError } from '../../../src/base/errors.js';
import { createHttpClient } from '../../../src/host/http-client.js';
import { startHttpServer } from '../../../src/host/http-server.js';
import type { HttpServer } from '../../../src/host/http-server.js';
import { makeCertificates } from '../../contract/certificates.js';
import type { Certificates, KeyPair } from '../../contract/certificates.js';

let certificates: Certificates;
const owned: (() => unknown)[] = [];

beforeAll(() => {
  certificates = makeCertificates();
});

afterEach(async () => {
  for (const end of owned.splice(0).reverse()) await end();
});

const serve = async (
  handler: HttpHandler,
  { bodyLimit, upgrade }: { bodyLimit?: number; upgrade?: UpgradeHandler } = {},
): Promise<HttpServer> => {
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    portFlag: '--api-port',
    tls: { ...certificates.server, ca: certificates.ca },
    handler,
    log: silent,
    ...(bodyLimit === undefined ? {} : { bodyLimit }),
    ...(upgrade === undefined ? {} : { upgrade }),
  });
  owned.push(() => server.close(100));
  return server;
};

const text = (body: string, status = 200) => ({ status, headers: {}, body: [Buffer.from(body)] });

const client = ({ port }: HttpServer, pair: KeyPair = certificates.admin) => {
  const made = createHttpClient({ server: `https://127.0.0.1:${port}`, ca: certificates.ca, ...pair });
  owned.push(() => made.close());
  return made;
};

const session = ({ port }: HttpServer): ClientHttp2Session => {
  const made = connectHttp2(`https://127.0.0.1:${port}`, { ca: certificates.ca, ...certificates.admin });
  made.on('error', () => undefined);
  owned.push(() => made.destroy());
  return made;
};

const readText = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const whoAmI: HttpHandler = (request) =>
  Promise.resolve(
    text(JSON.stringify(request.clientCertificate ?? { error: request.clientCertificateError ?? 'none' })),
  );

describe('a client certificate', () => {
  it('of the cluster names its user and groups, over HTTP/1.1 and HTTP/2', async () => {
    const server = await serve(whoAmI);
    const admin = {
      commonName: 'admin',
      organizations: ['system:masters', 'people'],
      notAfter: expect.any(Number) as number,
    };
    const { body } = await client(server).request({ method: 'GET', path: '/' });
    expect(JSON.parse(await readText(body))).toEqual(admin);
    const stream = session(server).request({ ':path': '/' });
    expect(JSON.parse(await readText(stream))).toEqual(admin);
  });

  it.each([
    ['stranger', 'it was signed by another authority'],
    ['expired', 'it has expired'],
  ] as const)('of a %s is none, and the reason is known', async (name, error) => {
    const server = await serve(whoAmI);
    const { body } = await client(server, certificates[name]).request({ method: 'GET', path: '/' });
    expect(JSON.parse(await readText(body))).toEqual({ error });
  });
});

describe('the HTTP server', () => {
  it('names the port and the flag when the port is taken', async () => {
    const { port } = await serve(whoAmI);
    const second = startHttpServer({
      host: '127.0.0.1',
      port,
      portFlag: '--api-port',
      tls: { ...certificates.server, ca: certificates.ca },
      handler: whoAmI,
      log: silent,
    });
    await expect(second).rejects.toThrow(
      `port ${port} is in use by another program: stop it, or choose another port with --api-port`,
    );
  });

  it('hands over path, query and body', async () => {
    const server = await serve(async (request) =>
      text(
        `${request.method} ${request.path} ${request.query.get('q')} ${Buffer.from(await request.body()).toString()}`,
      ),
    );
    const { body } = await client(server).request({
      method: 'POST',
      path: '/a%20b?q=%C3%BC',
      body: Buffer.from('hello'),
    });
    expect(await readText(body)).toBe('POST /a b ü hello');
  });

  it('refuses a body beyond the limit, over both versions of HTTP', async () => {
    const codes: string[] = [];
    const server = await serve(
      async (request) => {
        try {
          await request.body();
          return text('taken');
        } catch (error) {
          codes.push((error as ClusterError).code);
          return text('refused', 413);
        }
      },
      { bodyLimit: 1000 },
    );
    const large = Buffer.alloc(5000);
    expect((await client(server).request({ method: 'POST', path: '/', body: large })).status).toBe(413);
    const stream = session(server).request({ ':path': '/', ':method': 'POST' });
    stream.end(large);
    expect(await readText(stream)).toBe('refused');
    expect(codes).toEqual(['RequestEntityTooLarge', 'RequestEntityTooLarge']);
    const small = await client(server).request({ method: 'POST', path: '/', body: Buffer.alloc(1000) });
    expect(await readText(small.body)).toBe('taken');
  });

  it('writes many small chunks as the same bytes', async () => {
    const chunks = Array.from({ length: 50_000 }, (_, index) => Buffer.from(`${index},`));
    const server = await serve(() => Promise.resolve({ status: 200, headers: {}, body: chunks }));
    const expected = Buffer.concat(chunks).toString();
    const { body, headers } = await client(server).request({ method: 'GET', path: '/' });
    expect(headers['content-length']).toBe(String(expected.length));
    expect((await readText(body)) === expected).toBe(true);
    expect((await readText(session(server).request({ ':path': '/' }))) === expected).toBe(true);
  });

  it.each(['HTTP/1.1', 'HTTP/2'])('tells a stream that its client has gone (%s)', async (version) => {
    const requests: HttpRequest[] = [];
    const server = await serve((request) => {
      requests.push(request);
      return Promise.resolve({ status: 200, headers: {}, body: untilAborted(request.signal) });
    });
    if (version === 'HTTP/2') {
      const stream = session(server).request({ ':path': '/' });
      stream.on('error', () => undefined);
      await new Promise((resolve) => stream.once('data', resolve));
      stream.close();
    } else {
      const controller = new AbortController();
      const { body } = await client(server).request({ method: 'GET', path: '/' }, controller.signal);
      await body[Symbol.asyncIterator]().next();
      controller.abort();
    }
    await expect.poll(() => requests[0]?.signal.aborted).toBe(true);
  });

  it('reads no further ahead of a slow client than the sockets hold', async () => {
    let produced = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const server = await serve(() =>
      Promise.resolve({
        status: 200,
        headers: {},
        body: (async function* () {
          for (; produced < 2000; produced++) yield await Promise.resolve(chunk);
        })(),
      }),
    );
    const stream = session(server).request({ ':path': '/' });
    await new Promise((resolve) => stream.once('response', resolve));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(produced).toBeLessThan(200);
    let received = 0;
    for await (const part of stream) received += (part as Buffer).length;
    expect(received).toBe(2000 * chunk.length);
  });

  it('ends its streams when it closes, and takes no more requests', async () => {
    const server = await serve((request) =>
      Promise.resolve({ status: 200, headers: {}, body: untilAborted(request.signal) }),
    );
    const first = await client(server).request({ method: 'GET', path: '/' });
    const second = session(server).request({ ':path': '/' });
    const bodies = Promise.all([readText(first.body), readText(second)]);
    await new Promise((resolve) => second.once('response', resolve));
    const begun = Date.now();
    await server.close(5000);
    expect(Date.now() - begun).toBeLessThan(2000);
    expect(await bodies).toEqual(['begun end', 'begun end']);
    await expect(client(server).request({ method: 'GET', path: '/' })).rejects.toThrow(
      `the API server at https://127.0.0.1:${server.port} cannot be reached: nothing listens there`,
    );
  });

  it('cuts what does not end within the grace when it closes', async () => {
    const server = await serve(() => new Promise(() => undefined));
    const pending = client(server).request({ method: 'GET', path: '/' });
    const failure = expect(pending).rejects.toMatchObject({ code: 'ServiceUnavailable', retry: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await server.close(100);
    await failure;
  });

  it('hands upgrades to their handler, with the certificate', async () => {
    const server = await serve(whoAmI, {
      upgrade: (request, socket) => {
        socket.end(
          `HTTP/1.1 101 Switching Protocols\r\nupgrade: test\r\nconnection: upgrade\r\n\r\n${request.clientCertificate?.commonName ?? ''}`,
        );
        return Promise.resolve();
      },
    });
    const answer = await new Promise<string>((resolve, reject) => {
      const outgoing = httpsRequest({
        host: '127.0.0.1',
        port: server.port,
        ca: certificates.ca,
        ...certificates.admin,
        headers: { connection: 'upgrade', upgrade: 'test' },
      });
      outgoing.once('upgrade', (response: IncomingMessage, socket, head) => {
        let received = head.toString();
        socket.on('data', (data) => (received += data.toString()));
        socket.once('end', () => resolve(`${response.statusCode} ${received}`));
      });
      outgoing.once('error', reject);
      outgoing.end();
    });
    expect(answer).toBe('101 admin');
  });
});

describe('the HTTP client', () => {
  it('does not talk to a server that another authority signed', async () => {
    const server = await serve(whoAmI);
    const other = makeCertificates();
    const made = createHttpClient({
      server: `https://127.0.0.1:${server.port}`,
      ca: other.ca,
      ...other.admin,
    });
    owned.push(() => made.close());
    await expect(made.request({ method: 'GET', path: '/' })).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      retry: false,
      message: expect.stringContaining('is not the server that was expected') as string,
    });
  });

  it('rejects with the reason of the signal', async () => {
    const server = await serve(() => new Promise(() => undefined));
    const controller = new AbortController();
    const reason = new Error('enough');
    const pending = client(server).request({ method: 'GET', path: '/' }, controller.signal);
    setTimeout(() => controller.abort(reason), 20);
    await expect(pending).rejects.toBe(reason);
  });

  it('gives up a server that stays silent', async () => {
    const server = await serve(() => new Promise(() => undefined));
    await expect(client(server).request({ method: 'GET', path: '/', idleMs: 50 })).rejects.toThrow(
      'did not answer within 0.05 s',
    );
  });
});

async function* untilAborted(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield Buffer.from('begun ');
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  yield Buffer.from('end');
}
