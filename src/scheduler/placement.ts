// What filters and scores see: a pod reduced to what placement depends on, and a node with what is used of it.
import type { Amounts } from '../resources/pod-resources.js';
import type { Node, Pod } from '../resources/generated/types.js';
import type { Terms } from './couplings/term.js';

/**
 * Pods that are equal in everything that placement looks at share one of these, with all that was found out about nodes
 * for them. Whatever a filter or score reads of a pod must be part of `id`.
 */
export interface PodClass {
  readonly id: string;
  /** One of the pods, for what filters read of its spec; its name and status are not the others'. */
  readonly pod: Pod;
  readonly requests: Amounts;
  /** `[resource, amount]` of what is requested, `pods` included. */
  readonly wants: readonly (readonly [string, number])[];
  /** Requests for scoring: a pod that asks for nothing still uses something. Millicores and bytes. */
  readonly weight: { readonly cpu: number; readonly memory: number };
  /** `protocol/address/port`, as host ports collide. */
  readonly hostPorts: readonly string[];
  /** Pods of the same controller, and of the same application, are spread: the controller comes first. */
  readonly groups: readonly string[];
  /** What it asks about other pods. */
  readonly terms: Terms;
  /** Names of its claims, in its namespace. */
  readonly claims: readonly string[];
  readonly priority: number;
  /** Pods of lower priority may have to leave for it. */
  readonly preempts: boolean;
  /** Part of every tie break, so that not all pods prefer the same node. */
  readonly tie: number;
}

/** How many pods of one class are on a node. */
export interface ClassCount {
  readonly staying: number;
  /** Being deleted. */
  readonly leaving: number;
}

/** One pod on a node. */
export interface PlacedPod {
  readonly pod: Pod;
  readonly podClass: PodClass;
}

export interface NodeView {
  readonly name: string;
  readonly node: Node;
  readonly allocatable: Amounts;
  /** What the pods on it request, `pods` included. */
  readonly used: Amounts;
  readonly weight: { readonly cpu: number; readonly memory: number };
  /** Host ports in use, with how many pods use them. */
  readonly hostPorts: ReadonlyMap<string, number>;
  /** Pods of each group. */
  readonly groups: ReadonlyMap<string, number>;
  readonly classes: ReadonlyMap<PodClass, ClassCount>;
  /** Pods on it that ask about other pods. */
  readonly holders: number;
  /** By uid. */
  readonly pods: ReadonlyMap<string, PlacedPod>;
  /** Bytes of each image that it has, by each of the image's names. */
  readonly images: ReadonlyMap<string, number>;
}

export interface Filter {
  readonly name: string;
  /** What it rejects could be had if other pods left the node. */
  readonly preemptible?: boolean;
  /** Why the pod cannot be on the node, the same words for the same reason: it is counted over nodes. */
  reject(pod: PodClass, node: NodeView): string | undefined;
  /** What more there is to say about nodes that were rejected for one reason. */
  detail?(pod: PodClass, reason: string, rejected: readonly NodeView[]): string | undefined;
}

export interface Score {
  readonly name: string;
  readonly weight: number;
  /** From 0 (worst) to 100; of this node alone, so that a placement changes one node's score only. */
  score(pod: PodClass, node: NodeView): number;
}
