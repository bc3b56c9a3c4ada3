// Writes an answer at the pace of its reader: small chunks are joined, and nothing is read ahead of a slow client.
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Writable } from 'node:stream';
import type { HttpResponse } from '../base/http.js';
import type { ServerRequest } from './http-server-request.js';

export type OutgoingResponse = ServerResponse | Http2ServerResponse;

/** Bytes that go to the socket at once. */
const blockSize = 256 * 1024;

/** Joins chunks into blocks of about `blockSize`; a large chunk is passed on as it is. */
export function* blocks(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let length = 0;
  const flush = (): Uint8Array => {
    const block = pending.length === 1 ? (pending[0] as Uint8Array) : Buffer.concat(pending, length);
    pending = [];
    length = 0;
    return block;
  };
  for (const chunk of chunks) {
    if (length > 0 && length + chunk.byteLength > blockSize) yield flush();
    pending.push(chunk);
    length += chunk.byteLength;
  }
  if (pending.length > 0) yield flush();
}

/** Resolves when the sink takes more, or will never again. */
const writable = (sink: Writable): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      sink.off('drain', done);
      sink.off('close', done);
      resolve();
    };
    sink.once('drain', done);
    sink.once('close', done);
    if (sink.destroyed) done();
  });

const pump = async (
  sink: Writable,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> => {
  for await (const chunk of body) {
    if (sink.destroyed) return;
    if (!sink.write(chunk)) await writable(sink);
  }
  sink.end();
};

const isHttp2 = (outgoing: OutgoingResponse): outgoing is Http2ServerResponse => 'stream' in outgoing;

/** Sends the head and gives what the body is written to; undefined when the client is gone. */
const begin = (
  outgoing: OutgoingResponse,
  response: HttpResponse,
  length: number | undefined,
): Writable | undefined => {
  const headers: Record<string, string | number | string[]> = { ...response.headers };
  if (response.cookies !== undefined) headers['set-cookie'] = [...response.cookies];
  if (length !== undefined) headers['content-length'] = length;
  if (!isHttp2(outgoing)) {
    if (outgoing.destroyed) return undefined;
    outgoing.writeHead(response.status, headers);
    if (length === undefined) outgoing.flushHeaders();
    return outgoing;
  }
  const { stream } = outgoing;
  if (stream.destroyed || stream.closed) return undefined;
  stream.respond({ ':status': response.status, ...headers });
  return stream;
};

const isChunks = (body: HttpResponse['body']): body is readonly Uint8Array[] => Array.isArray(body);

/** Rejects when the body does; the caller then cuts the connection, since the head has gone out. */
export const writeResponse = async (
  request: ServerRequest,
  outgoing: OutgoingResponse,
  response: HttpResponse,
): Promise<void> => {
  const { body } = response;
  if (!isChunks(body)) {
    const sink = begin(outgoing, response, undefined);
    if (sink === undefined) request.abort('the client went away');
    else await pump(sink, body);
    return;
  }
  const length = body.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const sink = begin(outgoing, response, response.status === 304 ? undefined : length);
  if (sink === undefined) return;
  if (length <= blockSize) sink.end(body.length === 1 ? body[0] : Buffer.concat(body, length));
  else await pump(sink, blocks(body));
};
