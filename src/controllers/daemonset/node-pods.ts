// A DaemonSet's pods, node by node: what is missing, what is too much, and what goes next in a rolling update.
// Follows `pkg/controller/daemon/daemon_controller.go` and `update.go`.
import { fromTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import type { Pod } from '../../resources/generated/types.js';
import { isPodAvailable, isPodReady, isPodTerminated } from '../../resources/pod-status.js';
import { isDeleting } from '../../resources/resource.js';
import { revisionHashLabel } from '../controller-revisions.js';
import type { Bounds } from './bounds.js';
import type { Eligibility } from './eligibility.js';

export interface NodePods extends Eligibility {
  readonly node: string;
  /** All that the DaemonSet manages there, those that end included. */
  readonly pods: readonly Pod[];
}

export interface Turn {
  readonly hash: string;
  readonly bounds: Bounds;
  readonly minReadySeconds: number;
  readonly now: Instant;
}

export interface Changes {
  /** Nodes that get a pod. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  /** When a pod that failed may be replaced. */
  readonly wakeAt?: Instant | undefined;
}

/** A pod that its node refused would otherwise be made and refused without end. */
const failedPauseMs = 10_000;

const isNew = (pod: Pod, { hash }: Turn): boolean => pod.metadata.labels?.[revisionHashLabel] === hash;

const isAvailable = (pod: Pod, { minReadySeconds, now }: Turn): boolean =>
  isPodAvailable(pod, minReadySeconds, now);

const createdAt = ({ metadata }: Pod): Instant => fromTimestamp(metadata.creationTimestamp) ?? 0;

/** Bound ones before those that wait, then by age: the first is the one that counts. */
export const oldestFirst = (pods: readonly Pod[]): readonly Pod[] => {
  const bound = ({ spec }: Pod): number => (spec.nodeName === undefined || spec.nodeName === '' ? 1 : 0);
  return [...pods].sort(
    (a, b) =>
      bound(a) - bound(b) || createdAt(a) - createdAt(b) || (a.metadata.name < b.metadata.name ? -1 : 1),
  );
};

/** One old and one new pod may share the node; of each the oldest stays, and the old one until the new one is available. */
const surplusWithSurge = (running: readonly Pod[], turn: Turn): readonly Pod[] => {
  const [fresh, ...moreFresh] = running.filter((pod) => isNew(pod, turn));
  const [old, ...moreOld] = running.filter((pod) => !isNew(pod, turn));
  const replaced =
    fresh !== undefined && old !== undefined && (!isPodReady(old) || isAvailable(fresh, turn)) ? [old] : [];
  return [...moreFresh, ...moreOld, ...replaced];
};

const surplus = ({ pods, starts, stays }: NodePods, turn: Turn): Changes => {
  const present = pods.filter((pod) => !isDeleting(pod));
  if (!stays && !starts) return { create: [], remove: present };
  const ended = present.filter(isPodTerminated);
  const due = ended.filter((pod) => createdAt(pod) + failedPauseMs <= turn.now);
  const running = oldestFirst(present.filter((pod) => !isPodTerminated(pod)));
  const wakeAt = Math.min(...ended.filter((pod) => !due.includes(pod)).map(createdAt)) + failedPauseMs;
  return {
    create: [],
    remove: [...due, ...(turn.bounds.surge > 0 ? surplusWithSurge(running, turn) : running.slice(1))],
    ...(Number.isFinite(wakeAt) ? { wakeAt } : {}),
  };
};

const earliest = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);

/** Every node that should have a pod has one, and no node has what it should not. */
export const settled = (nodes: readonly NodePods[], turn: Turn): Changes => {
  const create: string[] = [];
  const remove: Pod[] = [];
  let wakeAt: Instant | undefined;
  for (const entry of nodes) {
    if (entry.pods.length === 0) {
      if (entry.starts) create.push(entry.node);
      continue;
    }
    const changes = surplus(entry, turn);
    remove.push(...changes.remove);
    wakeAt = earliest(wakeAt, changes.wakeAt);
  }
  return { create, remove, wakeAt };
};

interface Pair {
  readonly node: string;
  readonly old: Pod | undefined;
  readonly fresh: Pod | undefined;
}

const pairOf = ({ node, pods }: NodePods, turn: Turn): Pair => {
  const present = pods.filter((pod) => !isDeleting(pod) && !isPodTerminated(pod));
  return {
    node,
    old: present.find((pod) => !isNew(pod, turn)),
    fresh: present.find((pod) => isNew(pod, turn)),
  };
};

/** Old pods that are not available go at once; of the others as many as may be missing. */
const replaceInPlace = (pairs: readonly Pair[], turn: Turn): Changes => {
  const broken: Pod[] = [];
  const candidates: Pod[] = [];
  let missing = 0;
  for (const { old, fresh } of pairs) {
    const only = old === undefined || fresh === undefined ? (old ?? fresh) : undefined;
    if (only === undefined || !isAvailable(only, turn)) missing += 1;
    if (only === undefined || only !== old) continue;
    if (isAvailable(only, turn)) candidates.push(only);
    else broken.push(only);
  }
  const allowed = Math.max(0, turn.bounds.unavailable - missing);
  return { create: [], remove: [...broken, ...candidates.slice(0, allowed)] };
};

/** A new pod starts beside the old one; where the old one is not available, it does not count as surge. */
const replaceBeside = (pairs: readonly Pair[], turn: Turn): Changes => {
  const broken: string[] = [];
  const candidates: string[] = [];
  let surging = 0;
  for (const { node, old, fresh } of pairs) {
    if (old === undefined) continue;
    if (fresh !== undefined) surging += 1;
    else if (isAvailable(old, turn)) candidates.push(node);
    else broken.push(node);
  }
  const allowed = Math.max(0, turn.bounds.surge - surging);
  return { create: [...broken, ...candidates.slice(0, allowed)], remove: [] };
};

export const rolled = (nodes: readonly NodePods[], turn: Turn): Changes => {
  const pairs = nodes.filter(({ starts }) => starts).map((entry) => pairOf(entry, turn));
  return turn.bounds.surge > 0 ? replaceBeside(pairs, turn) : replaceInPlace(pairs, turn);
};
