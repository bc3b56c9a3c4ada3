// The nodes that a class of pods fits, best first. After a placement only the nodes that changed are looked at again.
import type { Cursor, NodeTable, Tied } from './node-table.js';
import type { Filter, NodeView, PodClass, Score } from './placement.js';

export interface Rules {
  readonly filters: readonly Filter[];
  readonly scores: readonly Score[];
}

export interface Candidate {
  readonly node: NodeView;
  readonly score: number;
  readonly tie: number;
}

const isBetter = (a: Candidate, b: Candidate): boolean =>
  a.score > b.score || (a.score === b.score && a.tie > b.tie);

export const rejection = (
  { filters }: Rules,
  pod: PodClass,
  node: NodeView,
): { readonly filter: Filter; readonly reason: string } | undefined => {
  for (const filter of filters) {
    const reason = filter.reject(pod, node);
    if (reason !== undefined) return { filter, reason };
  }
  return undefined;
};

export class Candidates {
  readonly #table: NodeTable;
  readonly #rules: Rules;
  readonly #pod: PodClass;
  /** The valid candidate of each node that fits. */
  readonly #valid = new Map<string, Candidate>();
  /** A binary heap, best first; candidates that are no longer valid are dropped when they come up. */
  #heap: Candidate[] = [];
  #cursor: Cursor = -1;

  constructor(table: NodeTable, rules: Rules, pod: PodClass) {
    this.#table = table;
    this.#rules = rules;
    this.#pod = pod;
  }

  /** Undefined when the pod fits nowhere. */
  best(): Candidate | undefined {
    this.#catchUp();
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#valid.get(top.node.name) === top) return top;
      this.#pop();
    }
    return undefined;
  }

  /** Nodes that fit. */
  get size(): number {
    return this.#valid.size;
  }

  #catchUp(): void {
    const cursor = this.#table.cursor;
    if (cursor === this.#cursor) return;
    const changed = this.#cursor < 0 ? undefined : this.#table.changedSince(this.#cursor);
    this.#cursor = cursor;
    if (changed === undefined) {
      this.#valid.clear();
      this.#heap = [];
      for (const node of this.#table.nodes()) this.#evaluate(node);
      return;
    }
    for (const node of changed.length > 1 ? new Set(changed) : changed) this.#evaluate(node);
    if (this.#heap.length > 64 + 4 * this.#valid.size) this.#rebuild();
  }

  #evaluate(node: NodeView & Tied): void {
    if (!this.#table.isKnown(node) || rejection(this.#rules, this.#pod, node) !== undefined) {
      this.#valid.delete(node.name);
      return;
    }
    let score = 0;
    for (const { weight, score: of } of this.#rules.scores) score += weight * of(this.#pod, node);
    // Differences below a thousandth are noise of the arithmetic: the tie decides.
    const candidate = { node, score: Math.round(score * 1000), tie: (node.tie ^ this.#pod.tie) >>> 0 };
    this.#valid.set(node.name, candidate);
    this.#push(candidate);
  }

  #rebuild(): void {
    this.#heap = [];
    for (const candidate of this.#valid.values()) this.#push(candidate);
  }

  #push(candidate: Candidate): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(candidate);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBetter(candidate, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = candidate;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      let better = heap[child];
      const right = heap[child + 1];
      if (better === undefined) break;
      if (right !== undefined && isBetter(right, better)) {
        child += 1;
        better = right;
      }
      if (!isBetter(better, last)) break;
      heap[index] = better;
      index = child;
    }
    heap[index] = last;
  }
}
