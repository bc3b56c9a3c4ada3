// How the API server reaches the agent of a node: for logs, exec, attach and port-forward.
import type { Duplex } from 'node:stream';
import type { HttpResponse } from '../base/http.js';
import type { NetworkPath } from '../resources/network-path.js';
import type { UsageSummary } from '../resources/usage-summary.js';

/** Where a node's agent listens. */
export interface AgentAddress {
  /** Name of the Node: the agent's certificate must be in date and its own. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export interface ContainerLogRequest {
  readonly node: AgentAddress;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** follow, previous, tailLines, sinceSeconds, sinceTime, timestamps, limitBytes: as the client sent them, checked. */
  readonly query: URLSearchParams;
}

/** A client's upgrade, to be repeated to the agent. */
export interface StreamRequest {
  readonly node: AgentAddress;
  readonly method: string;
  /** On the agent, encoded, with the query: `/exec/default/web/app?command=ls`. */
  readonly path: string;
  /** Lower-case names; those of the upgrade itself. */
  readonly headers: Readonly<Record<string, string>>;
}

export type StreamAnswer =
  | {
      readonly type: 'upgraded';
      readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
      /** The caller owns it; `head` is what arrived behind the answer already. */
      readonly socket: Duplex;
      readonly head: Uint8Array;
    }
  | { readonly type: 'refused'; readonly response: HttpResponse };

/** How the API server learns what a node and its pods consume. */
export interface NodeMeter {
  /** Throws ServiceUnavailable, naming the node, when the agent cannot be reached or gives no sensible answer. */
  usage(node: AgentAddress, signal: AbortSignal): Promise<UsageSummary>;
}

/** How the API server has a node try its paths through the cluster's network. */
export interface NodeProbe {
  /** Throws ServiceUnavailable, naming the node, when the agent cannot be reached or gives no sensible answer. */
  paths(node: AgentAddress, signal: AbortSignal): Promise<readonly NetworkPath[]>;
}

export interface NodeGateway {
  /**
   * The agent's own answer, whatever its status; ends with the signal. Throws ServiceUnavailable, naming the node and
   * the address, when the agent cannot be reached.
   */
  logs(request: ContainerLogRequest, signal: AbortSignal): Promise<HttpResponse>;
  /** As for `logs`; the signal ends the wait for the answer, not the connection. */
  connect(request: StreamRequest, signal: AbortSignal): Promise<StreamAnswer>;
}
