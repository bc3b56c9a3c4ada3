// Turns what a verb gave into an HttpResponse: bytes that exist already are spliced in, not serialised again.
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { HttpRequest, HttpResponse } from '../base/http.js';
import { acceptsGzip } from './negotiate.js';

const encoder = new TextEncoder();
const compress = promisify(gzip);

/** Smaller answers are not worth the time; Kubernetes has the same bound. In bytes. */
const gzipThreshold = 128 * 1024;

export const utf8 = (text: string): Uint8Array => encoder.encode(text);

export const jsonType = { 'content-type': 'application/json' } as const;

export const json = (status: number, value: unknown): HttpResponse => ({
  status,
  headers: jsonType,
  body: [utf8(JSON.stringify(value))],
});

export const jsonBytes = (status: number, ...body: readonly Uint8Array[]): HttpResponse => ({
  status,
  headers: jsonType,
  body,
});

export const text = (status: number, body: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  body: [utf8(body)],
});

/** RFC 7234 `Warning` header with one entry for each message. */
export const withWarnings = (response: HttpResponse, warnings: readonly string[]): HttpResponse => {
  if (warnings.length === 0) return response;
  const quoted = [...new Set(warnings)].map(
    (warning) => `299 - "${warning.replace(/[\r\n]+/g, ' ').replace(/[\\"]/g, '\\$&')}"`,
  );
  return { ...response, headers: { ...response.headers, warning: quoted.join(', ') } };
};

/** Compresses a large complete body when the client takes gzip; streams pass unchanged. */
export const compressed = async (request: HttpRequest, response: HttpResponse): Promise<HttpResponse> => {
  const { body } = response;
  if (!Array.isArray(body) || !acceptsGzip(request.headers['accept-encoding'])) return response;
  const chunks = body as readonly Uint8Array[];
  const length = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  if (length < gzipThreshold || response.headers['content-encoding'] !== undefined) return response;
  const packed = await compress(Buffer.concat(chunks, length), { level: 1 });
  return {
    ...response,
    headers: { ...response.headers, 'content-encoding': 'gzip', vary: 'accept-encoding' },
    body: [packed],
  };
};
