// One request as the handlers see it. Only what is asked for is computed: most requests need no query, body or signal.
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { ClusterError } from '../base/errors.js';
import type { HttpRequest } from '../base/http.js';
import type { PeerCertificate } from './peer-certificate.js';

export type IncomingRequest = IncomingMessage | Http2ServerRequest;
export type { PeerCertificate } from './peer-certificate.js';

/** What a client may still send of a body that is refused before it is cut off, in multiples of the limit. */
const patience = 8;

const tooLarge = (limit: number): ClusterError =>
  new ClusterError('RequestEntityTooLarge', `Request entity too large: limit is ${limit}`);

const readAll = (incoming: IncomingRequest, limit: number): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    if (Number(incoming.headers['content-length'] ?? 0) > limit) reject(tooLarge(limit));
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limit) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge(limit));
        if (length > limit * patience) incoming.destroy();
      }
    });
    incoming.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    // An error costs its stack: it is not made for the close of a request that is whole.
    const broken = (): void => {
      if (!incoming.readableEnded)
        reject(new ClusterError('BadRequest', 'the request ended before its body did'));
    };
    incoming.once('error', broken);
    incoming.once('aborted', broken);
    incoming.once('close', broken);
  });

export class ServerRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly target: string;
  readonly headers: HttpRequest['headers'];
  readonly #incoming: IncomingRequest;
  readonly #peer: PeerCertificate;
  readonly #bodyLimit: number;
  readonly #search: string;
  #query: URLSearchParams | undefined;
  #body: Promise<Uint8Array> | undefined;
  #controller: AbortController | undefined;
  #aborted: string | undefined;

  constructor(incoming: IncomingRequest, peer: PeerCertificate, bodyLimit: number) {
    const url = incoming.url ?? '/';
    const at = url.indexOf('?');
    const path = at === -1 ? url : url.slice(0, at);
    this.method = incoming.method ?? 'GET';
    this.path = decodePath(path);
    this.target = url;
    this.#search = at === -1 ? '' : url.slice(at + 1);
    // Node joins repeated headers; the exception (set-cookie) is one of answers.
    this.headers = incoming.headers as HttpRequest['headers'];
    this.#incoming = incoming;
    this.#peer = peer;
    this.#bodyLimit = bodyLimit;
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#search));
  }

  get clientCertificate(): HttpRequest['clientCertificate'] {
    return this.#peer.certificate;
  }

  get clientCertificateError(): string | undefined {
    return this.#peer.error;
  }

  get remoteAddress(): string {
    return this.#incoming.socket.remoteAddress ?? '';
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(new Error(this.#aborted));
    }
    return this.#controller.signal;
  }

  /** The client has gone, or the server is closing: an answer that breaks off is no failure. */
  get aborted(): boolean {
    return this.#aborted !== undefined;
  }

  body(): Promise<Uint8Array> {
    return (this.#body ??= readAll(this.#incoming, this.#bodyLimit));
  }

  stream(): AsyncIterable<Uint8Array> {
    return this.#incoming;
  }

  /** Idempotent. */
  abort(reason: string): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = reason;
    this.#controller?.abort(new Error(reason));
  }
}

/** A path that is not valid percent-encoding stays as it is, and so names nothing. */
const decodePath = (path: string): string => {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};
