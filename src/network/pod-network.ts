// How packets get from the pods of one node to those of another: one contract, one file for each way.
import type { LocalNode } from './datapath.js';

/** Another node and the pods behind it. */
export interface Peer {
  readonly name: string;
  /** IPv4 by which this node reaches it. */
  readonly address: string;
  /** Its part of the pod network, such as `10.244.2.0/24`. */
  readonly subnet: string;
}

export interface PodNetworkBackend {
  readonly name: string;
  /** Makes exactly these peers reachable, and removes what an earlier process left behind. */
  apply(node: LocalNode, peers: readonly Peer[], signal: AbortSignal): Promise<void>;
  /** Whether the kernel still holds what was applied; false: the next `apply` writes everything again. Cheap. */
  check(signal: AbortSignal): Promise<boolean>;
  /** Largest packet of a pod, in bytes, that reaches other nodes in one piece, given the node's own address. */
  mtu(address: string, signal: AbortSignal): Promise<number>;
  /** Takes everything of this backend out of the kernel. */
  remove(signal: AbortSignal): Promise<void>;
}
