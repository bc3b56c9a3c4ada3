// What is used of every node, kept up to date pod by pod; each change is noted, so that whoever remembers something
// about nodes looks again at those only that changed.
import type { Node } from '../resources/generated/types.js';
import { amountsOf } from '../resources/pod-resources.js';
import type { Amounts } from '../resources/pod-resources.js';
import { tieBreak } from '../reconcile/hash.js';
import type { NodeView, PodClass } from './placement.js';

class NodeState implements NodeView {
  readonly name: string;
  readonly tie: number;
  /** Undefined while pods are on a node that is not known (yet, or any more). */
  current: Node | undefined;
  allocatable: Amounts = {};
  readonly used: Record<string, number> = { cpu: 0, memory: 0, pods: 0 };
  readonly weight = { cpu: 0, memory: 0 };
  readonly hostPorts = new Map<string, number>();
  readonly groups = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
    this.tie = tieBreak(name);
  }

  get node(): Node {
    if (this.current === undefined) throw new Error(`node ${this.name} is not known`);
    return this.current;
  }

  count(pod: PodClass, sign: 1 | -1): void {
    for (const [resource, amount] of pod.wants)
      this.used[resource] = (this.used[resource] ?? 0) + sign * amount;
    this.weight.cpu += sign * pod.weight.cpu;
    this.weight.memory += sign * pod.weight.memory;
    for (const port of pod.hostPorts) bump(this.hostPorts, port, sign);
    for (const group of pod.groups) bump(this.groups, group, sign);
  }
}

const bump = (counts: Map<string, number>, key: string, by: number): void => {
  const next = (counts.get(key) ?? 0) + by;
  if (next === 0) counts.delete(key);
  else counts.set(key, next);
};

export interface Tied {
  readonly tie: number;
}

/** A place in the table's history of changes. */
export type Cursor = number;

export class NodeTable {
  readonly #nodes = new Map<string, NodeState>();
  readonly #pods = new Map<string, { readonly node: NodeState; readonly pod: PodClass }>();
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

  setNode(node: Node): void {
    const state = this.#state(node.metadata.name);
    if (state.current === undefined) this.#known += 1;
    state.current = node;
    state.allocatable = amountsOf(node.status?.allocatable ?? node.status?.capacity);
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
  assign(uid: string, nodeName: string, pod: PodClass): void {
    const present = this.#pods.get(uid);
    if (present !== undefined) {
      if (present.node.name === nodeName && present.pod === pod) return;
      this.unassign(uid);
    }
    const node = this.#state(nodeName);
    node.count(pod, 1);
    this.#pods.set(uid, { node, pod });
    this.#note(node);
  }

  /** False when the pod was not counted. */
  unassign(uid: string): boolean {
    const present = this.#pods.get(uid);
    if (present === undefined) return false;
    this.#pods.delete(uid);
    present.node.count(present.pod, -1);
    this.#note(present.node);
    this.#forget(present.node);
    return true;
  }

  isKnown(state: NodeView): boolean {
    return this.#nodes.get(state.name)?.current !== undefined;
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
    if (state.current === undefined && state.used['pods'] === 0) this.#nodes.delete(state.name);
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
