// Where a measurement comes from: a request to a server out there, a Job, or what the cluster knows itself. The port that
// sends requests is the host's.

export interface MetricRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string | undefined;
  readonly timeoutMs: number;
  /** Any certificate will do. */
  readonly insecure: boolean;
  /** A token that is fetched first. */
  readonly oauth2?:
    | {
        readonly tokenUrl: string;
        readonly clientId: string;
        readonly clientSecret: string;
        readonly scopes: readonly string[];
      }
    | undefined;
}

export interface MetricAnswer {
  readonly status: number;
  readonly body: string;
}

/** Rejects when there is no answer in time, or none at all. Never follows redirects to another scheme; bodies are bounded. */
export type SendMetricRequest = (request: MetricRequest, signal: AbortSignal) => Promise<MetricAnswer>;

/** What a condition sees as `result`, and how the measurement shows it. */
export interface Measured {
  readonly value: unknown;
  readonly text: string;
}
