// What of a placement depends on more than one node: where other pods are, counted over topology domains.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../resources/generated/types.js';
import type { ObjectName } from '../../resources/resource.js';
import type { NodeView, PodClass } from '../placement.js';
import type { Term, TermMatcher } from './term.js';

/** One question of one class of pods; it follows the nodes as they change, and is then asked for each of them. */
export interface Coupling {
  readonly name: string;
  /** False while it has nothing to say about any node. */
  isActive(): boolean;
  /** Counts the node as it is now; `present` is false when it has gone. */
  count(node: NodeView, present: boolean): void;
  /** False when it would not help that other pods left the node; true unless given. */
  readonly preemptible?: boolean;
  /** Why the pod cannot be on the node, in Kubernetes' words. */
  reject?(node: NodeView): string | undefined;
  readonly weight?: number;
  /** From 0 to 100 for each of the nodes that fit. */
  score?(nodes: readonly NodeView[]): readonly number[];
}

export interface VolumeFacts {
  claim(name: ObjectName): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumes(): readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
}

/** What there is beside nodes and pods. */
export interface Surroundings {
  readonly matcher: TermMatcher;
  readonly volumes: VolumeFacts;
}

/** Undefined when the class does not ask the question. */
export type CouplingRule = (pod: PodClass, surroundings: Surroundings) => Coupling | undefined;

/** Pods on the node that the predicate means; `leaving` counts those too that are being deleted. */
export const podsOn = (
  { classes }: NodeView,
  means: (pod: PodClass) => boolean,
  leaving: boolean,
): number => {
  let count = 0;
  for (const [podClass, { staying, leaving: going }] of classes)
    if (means(podClass)) count += leaving ? staying + going : staying;
  return count;
};

export const meansAll =
  (terms: readonly Term[], matcher: TermMatcher) =>
  (pod: PodClass): boolean =>
    terms.every((term) => matcher.matches(term, pod));

/** Stretches what was counted to 0..100, the largest being the best. */
export const stretched = (raw: readonly number[]): readonly number[] => {
  let least = Infinity;
  let most = -Infinity;
  for (const value of raw) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return raw.map((value) => (most === least ? 0 : (100 * (value - least)) / (most - least)));
};
