// How a client reaches an API server: one request, one answer. The host carries it out over HTTPS.

export interface TransportRequest {
  readonly method: string;
  /** Encoded path with its query. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** Longest silence before the request counts as lost, in milliseconds; absent for streams, which may be silent. */
  readonly idleMs?: number | undefined;
}

export interface TransportResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Throws ClusterError ServiceUnavailable, naming the address, when the server cannot be reached or the connection is
 * lost, in the request or while its body is read; rejects with the signal's reason when that aborts.
 */
export interface Transport {
  request(request: TransportRequest, signal?: AbortSignal): Promise<TransportResponse>;
}
