// The port of probes over the network; commands in containers go through the Runtime.

export interface NetworkProbe {
  /** The container that is probed: a simulated engine answers for it. */
  readonly containerId: string;
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** Asks the standard health service of gRPC for this service; '' for the server as a whole. */
  readonly grpc?: { readonly service: string } | undefined;
  /** Neither: a TCP connection is enough. */
  readonly http?:
    | {
        readonly scheme: 'HTTP' | 'HTTPS';
        readonly path: string;
        readonly headers: readonly { readonly name: string; readonly value: string }[];
      }
    | undefined;
}

export interface ProbeAnswer {
  readonly success: boolean;
  /** As the kubelet words it: `HTTP probe failed with statuscode: 500`. */
  readonly message: string;
}

export interface Prober {
  /** Never rejects for what the target does; only when the signal aborts. */
  check(probe: NetworkProbe, signal: AbortSignal): Promise<ProbeAnswer>;
}
