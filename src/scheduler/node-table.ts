// What is used of every node, kept up to date pod by pod; each change is noted, so that whoever remembers something
// about nodes looks again at those only that changed.
import type { Node, Pod } from '../resources/generated/types.js';
import { amountsOf } from '../resources/pod-resources.js';
import type { Amounts } from '../resources/pod-resources.js';
import { isDeleting } from '../resources/resource.js';
import { tieBreak } from '../reconcile/hash.js';
import { noTerms } from './couplings/term.js';
import type { NodeView, PlacedPod, PodClass } from './placement.js';

const bump = (counts: Map<string, number>, key: string, by: number): void => {
  const next = (counts.get(key) ?? 0) + by;
  if (next === 0) counts.delete(key);
  else counts.set(key, next);
};

class NodeState implements NodeView {
  readonly name: string;
  readonly tie: number;
  /** Undefined while pods are on a node that is not known (yet, or any more). */
  current: Node | undefined;
  allocatable: Amounts = {};
  images: ReadonlyMap<string, number> = new Map();
  readonly used: Record<string, number> = { cpu: 0, memory: 0, pods: 0 };
  readonly weight = { cpu: 0, memory: 0 };
  readonly hostPorts = new Map<string, number>();
  readonly groups = new Map<string, number>();
  readonly classes = new Map<PodClass, { staying: number; leaving: number }>();
  readonly pods = new Map<string, PlacedPod>();
  holders = 0;

  constructor(name: string) {
    this.name = name;
    this.tie = tieBreak(name);
  }

  get node(): Node {
    if (this.current === undefined) throw new Error(`node ${this.name} is not known`);
    return this.current;
  }

  count({ pod, podClass }: PlacedPod, sign: 1 | -1): void {
    for (const [resource, amount] of podClass.wants)
      this.used[resource] = (this.used[resource] ?? 0) + sign * amount;
    this.weight.cpu += sign * podClass.weight.cpu;
    this.weight.memory += sign * podClass.weight.memory;
    for (const port of podClass.hostPorts) bump(this.hostPorts, port, sign);
    for (const group of podClass.groups) bump(this.groups, group, sign);
    if (podClass.terms !== noTerms) this.holders += sign;
    const count = this.classes.get(podClass) ?? { staying: 0, leaving: 0 };
    if (isDeleting(pod)) count.leaving += sign;
    else count.staying += sign;
    if (count.staying === 0 && count.leaving === 0) this.classes.delete(podClass);
    else this.classes.set(podClass, count);
  }
}

const imagesOf = ({ status }: Node): ReadonlyMap<string, number> =>
  new Map(
    (status?.images ?? []).flatMap(({ names = [], sizeBytes = 0 }) =>
      names.map((name): [string, number] => [name, sizeBytes]),
    ),
  );

export interface Tied {
  readonly tie: number;
}

/** A place in the table's history of changes. */
export type Cursor = number;

export class NodeTable {
  readonly #nodes = new Map<string, NodeState>();
  readonly #pods = new Map<string, NodeState>();
  /** Nodes that changed, in order; `#base` is the cursor of the first. */
  #changes: NodeState[] = [];
  #base: Cursor = 0;
  #known = 0;

  /** Nodes that are known. */
  get size(): number {
    return this.#known;
  }

  *nodes(): Generator<NodeView & Tied> {
    for (const state of this.#nodes.values()) if (state.current !== undefined) yield state;
  }

  /** Undefined while the node is not known. */
  node(name: string): (NodeView & Tied) | undefined {
    const state = this.#nodes.get(name);
    return state?.current === undefined ? undefined : state;
  }

  setNode(node: Node): void {
    const state = this.#state(node.metadata.name);
    if (state.current === undefined) this.#known += 1;
    state.current = node;
    state.allocatable = amountsOf(node.status?.allocatable ?? node.status?.capacity);
    state.images = imagesOf(node);
    this.#note(state);
  }

  removeNode(name: string): void {
    const state = this.#nodes.get(name);
    if (state?.current === undefined) return;
    state.current = undefined;
    this.#known -= 1;
    this.#note(state);
    this.#forget(state);
  }

  /** Idempotent; a pod that was counted elsewhere moves. */
  assign(pod: Pod, nodeName: string, podClass: PodClass): void {
    const { uid } = pod.metadata;
    const node = this.#state(nodeName);
    const placed = { pod, podClass };
    const before = this.#pods.get(uid);
    const present = before?.pods.get(uid);
    if (before === node && present?.podClass === podClass && isDeleting(present.pod) === isDeleting(pod)) {
      node.pods.set(uid, placed);
      return;
    }
    if (before !== undefined) this.unassign(uid);
    // `unassign` may have let go of a node that nobody knows.
    this.#nodes.set(nodeName, node);
    node.count(placed, 1);
    node.pods.set(uid, placed);
    this.#pods.set(uid, node);
    this.#note(node);
  }

  /** Undefined when the pod was not counted. */
  unassign(uid: string): PlacedPod | undefined {
    const node = this.#pods.get(uid);
    const placed = node?.pods.get(uid);
    if (node === undefined || placed === undefined) return undefined;
    this.#pods.delete(uid);
    node.pods.delete(uid);
    node.count(placed, -1);
    this.#note(node);
    this.#forget(node);
    return placed;
  }

  /** Every pod that is counted, with where. */
  placed(): readonly (readonly [string, PlacedPod])[] {
    return [...this.#pods].flatMap(([uid, node]) => {
      const placed = node.pods.get(uid);
      return placed === undefined ? [] : [[node.name, placed] as const];
    });
  }

  /** False for a node that went, also when another of its name has come since. */
  isKnown(state: NodeView): boolean {
    const present = this.#nodes.get(state.name);
    return present === state && present.current !== undefined;
  }

  get cursor(): Cursor {
    return this.#base + this.#changes.length;
  }

  /** Nodes that changed since, some more than once; undefined when that is too long ago to tell. */
  changedSince(cursor: Cursor): readonly (NodeView & Tied)[] | undefined {
    return cursor < this.#base ? undefined : this.#changes.slice(cursor - this.#base);
  }

  #state(name: string): NodeState {
    const state = this.#nodes.get(name) ?? new NodeState(name);
    this.#nodes.set(name, state);
    return state;
  }

  #forget(state: NodeState): void {
    if (state.current === undefined && state.pods.size === 0) this.#nodes.delete(state.name);
  }

  #note(state: NodeState): void {
    this.#changes.push(state);
    const limit = 1024 + 4 * this.#nodes.size;
    if (this.#changes.length <= 2 * limit) return;
    const dropped = this.#changes.length - limit;
    this.#changes = this.#changes.slice(dropped);
    this.#base += dropped;
  }
}
