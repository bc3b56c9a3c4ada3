// Documents that do not change while the server runs: made and compressed once, and not sent again to who has them.
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { HttpRequest, HttpResponse } from '../base/http.js';
import { acceptsGzip } from './negotiate.js';

const compress = promisify(gzip);

/** Smaller documents are sent as they are. In bytes. */
const worthCompressing = 4096;

export class CachedDocument {
  readonly bytes: Uint8Array;
  /** Names these very bytes. */
  readonly hash: string;
  #compressed: Promise<Uint8Array> | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32).toUpperCase();
  }

  compressed(): Promise<Uint8Array> {
    return (this.#compressed ??= compress(this.bytes));
  }
}

/** A URL that names the document's hash may be kept for good: when the document changes, so does the URL. */
const cacheControl = (request: HttpRequest, { hash }: CachedDocument): string =>
  request.query.get('hash') === hash ? 'public, max-age=31536000, immutable' : 'no-cache, private';

/** 304 when the client names the document's own ETag. */
export const showDocument = async (
  request: HttpRequest,
  type: string,
  document: CachedDocument,
): Promise<HttpResponse> => {
  const etag = `"${document.hash}"`;
  const headers = {
    'content-type': type,
    etag,
    vary: 'accept, accept-encoding',
    'cache-control': cacheControl(request, document),
  };
  if (request.headers['if-none-match'] === etag) return { status: 304, headers, body: [] };
  if (document.bytes.byteLength < worthCompressing || !acceptsGzip(request.headers['accept-encoding']))
    return { status: 200, headers, body: [document.bytes] };
  return {
    status: 200,
    headers: { ...headers, 'content-encoding': 'gzip' },
    body: [await document.compressed()],
  };
};
