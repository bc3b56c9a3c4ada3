// How the API server reaches the agent of a node: for logs now, for exec and port-forward when they come.
import type { HttpResponse } from '../base/http.js';

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

export interface NodeGateway {
  /**
   * The agent's own answer, whatever its status; ends with the signal. Throws ServiceUnavailable, naming the node and
   * the address, when the agent cannot be reached.
   */
  logs(request: ContainerLogRequest, signal: AbortSignal): Promise<HttpResponse>;
}
