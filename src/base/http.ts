// HTTP as data: the host's server turns sockets into these and back, so the API server itself never sees a socket.
import type { Duplex } from 'node:stream';

/** Who asks, as authentication found it. */
export interface Identity {
  readonly user: string;
  readonly groups: readonly string[];
  /** Tells apart those who have had the same name at different times. */
  readonly uid?: string | undefined;
  /** What else is known, such as the pod that a token is bound to. */
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

export interface HttpRequest {
  readonly method: string;
  /** Decoded path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Path and query as they were sent; absent where nobody sent them. */
  readonly target?: string | undefined;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Reads the whole body; rejects with RequestEntityTooLarge beyond the limit. */
  body(): Promise<Uint8Array>;
  /** The body as it arrives, without a limit, in place of `body`; absent where nobody sent one. */
  stream?(): AsyncIterable<Uint8Array>;
  /** PEM-less facts of the client certificate that the TLS layer has verified against the cluster's CA. */
  readonly clientCertificate:
    | {
        readonly commonName: string;
        readonly organizations: readonly string[];
        /** End of its life: a connection may outlive the certificate that opened it. */
        readonly notAfter?: number | undefined;
      }
    | undefined;
  /** Why a certificate that the client did present counts as none, in the TLS layer's words. */
  readonly clientCertificateError?: string | undefined;
  readonly remoteAddress: string;
  /** Aborts when the client goes away, and when the server closes: what streams then ends. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `Set-Cookie` is the one header that may not be joined. */
  readonly cookies?: readonly string[] | undefined;
  /** Chunks to be written one after the other, or a stream that lives until either side ends it. */
  readonly body: readonly Uint8Array[] | AsyncIterable<Uint8Array>;
}

export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>;

/**
 * Takes over the connection of an `Upgrade:` request (HTTP/1.1): it answers with the 101 itself, or with an error, and
 * ends the socket. `head` is what arrived behind the request already.
 */
export type UpgradeHandler = (request: HttpRequest, socket: Duplex, head: Uint8Array) => Promise<void>;

/** Endpoints beside the Kubernetes API, such as `/capstan/v1/plan`; mounted by the process under a path prefix. */
export interface Extension {
  /** Starts with a slash, ends without one. */
  readonly prefix: string;
  handle(request: HttpRequest, identity: Identity): Promise<HttpResponse>;
}
