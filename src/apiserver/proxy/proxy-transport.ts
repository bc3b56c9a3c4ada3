// How the API server carries a client's request on to a pod, an agent or an address: the port that the host fulfils.
import type { HttpResponse } from '../../base/http.js';
import type { AgentAddress, StreamAnswer } from '../node-gateway.js';

export type ProxyPeer =
  /** Through the agent of the pod's node, which connects to the pod: nobody else need have a way to it. */
  | {
      readonly type: 'pod';
      readonly node: AgentAddress;
      readonly namespace: string;
      readonly pod: string;
      readonly port: number;
    }
  /** The agent itself. */
  | { readonly type: 'agent'; readonly node: AgentAddress }
  /** An endpoint that is no pod. */
  | { readonly type: 'address'; readonly host: string; readonly port: number };

export interface ProxyTarget {
  readonly peer: ProxyPeer;
  readonly scheme: 'http' | 'https';
  /** `Host` header that the peer sees, such as `10.244.1.7:8080`. */
  readonly host: string;
}

export interface ProxyRequest {
  readonly method: string;
  /** Encoded, with the query. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Read no faster than the peer takes it; absent where there is none. */
  readonly body?: AsyncIterable<Uint8Array> | undefined;
}

/** Both throw ServiceUnavailable, naming the peer, when it cannot be reached; both end with the signal. */
export interface ProxyTransport {
  send(target: ProxyTarget, request: ProxyRequest, signal: AbortSignal): Promise<HttpResponse>;
  /** For a request that asks for an upgrade, such as that of a WebSocket; the signal ends the wait only. */
  upgrade(target: ProxyTarget, request: ProxyRequest, signal: AbortSignal): Promise<StreamAnswer>;
}
