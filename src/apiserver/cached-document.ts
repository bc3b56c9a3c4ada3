// Documents that do not change while the server runs: made once, and not sent again to a client that has them.
import { createHash } from 'node:crypto';
import type { HttpRequest, HttpResponse } from '../base/http.js';

export interface CachedDocument {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

export const cacheDocument = (bytes: Uint8Array): CachedDocument => ({
  bytes,
  etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`,
});

/** 304 when the client names the document's own ETag. */
export const showDocument = (
  request: HttpRequest,
  type: string,
  { bytes, etag }: CachedDocument,
): HttpResponse => {
  const headers = { 'content-type': type, etag, vary: 'accept', 'cache-control': 'no-cache, private' };
  if (request.headers['if-none-match'] === etag) return { status: 304, headers, body: [] };
  return { status: 200, headers, body: [bytes] };
};
