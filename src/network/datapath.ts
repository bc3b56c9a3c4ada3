// What the kernel of one node is asked for: addresses of services with what stands behind them, and the node's subnet.
// Everything here is data; src/host/datapath makes it true.

export type Protocol = 'tcp' | 'udp';

/** Where new connections may go. */
export interface Backend {
  /** IPv4. */
  readonly address: string;
  readonly port: number;
  /** Share among the backends of the same target; at least 1. */
  readonly weight: number;
  /** Runs on this node. */
  readonly local: boolean;
}

export interface Target {
  readonly backends: readonly Backend[];
  /** What new connections meet while there is no backend: an answer at once, or silence. */
  readonly empty: 'refuse' | 'drop';
}

/** One address, protocol and port at which a service is reached. */
export interface Frontend {
  /** `10.96.0.1/tcp/80`, or `node/tcp/30080`. */
  readonly key: string;
  /** IPv4; undefined: every address of this node (a node port). */
  readonly address: string | undefined;
  readonly protocol: Protocol;
  readonly port: number;
  readonly target: Target;
  /** For clients outside of the pod network, where they get something else than pods and nodes do. */
  readonly outside?: Target | undefined;
  /** Seconds for which a client address stays with its backend; undefined: each connection for itself. */
  readonly affinitySeconds?: number | undefined;
}

/** What this node is within the pod network. */
export interface LocalNode {
  readonly name: string;
  /** IPv4 by which other nodes reach this one. */
  readonly address: string;
  /** The node's part of the pod network, such as `10.244.1.0/24`. */
  readonly subnet: string;
}

/** By `Frontend.key`. Entries keep their identity as long as nothing about them changes. */
export type Frontends = ReadonlyMap<string, Frontend>;

export interface NetworkState {
  /** Undefined until the node has an address and a subnet. */
  readonly node: LocalNode | undefined;
  readonly frontends: Frontends;
}

export interface Datapath {
  /** Makes the kernel show the state; costs what differs from the last call. Rejects when the kernel refuses. */
  apply(desired: NetworkState, signal: AbortSignal): Promise<void>;
  /** Whether the kernel still holds what was applied; false: the next `apply` writes everything again. Cheap. */
  check(signal: AbortSignal): Promise<boolean>;
}
