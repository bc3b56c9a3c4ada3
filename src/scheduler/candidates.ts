// The nodes that a class of pods fits, best first. After a placement only the nodes that changed are looked at again.
import { Heap } from '../base/heap.js';
import type { Coupling, CouplingRule, Surroundings } from './couplings/coupling.js';
import type { Cursor, NodeTable, Tied } from './node-table.js';
import type { Filter, NodeView, PodClass, Score } from './placement.js';

export interface Rules {
  readonly filters: readonly Filter[];
  readonly scores: readonly Score[];
  readonly couplings: readonly CouplingRule[];
}

export interface Candidate {
  readonly node: NodeView;
  readonly score: number;
  readonly tie: number;
}

const isBetter = (a: Candidate, b: Candidate): boolean =>
  a.score > b.score || (a.score === b.score && a.tie > b.tie);

export interface Rejection {
  readonly reason: string;
  /** Other pods' leaving the node could help. */
  readonly preemptible: boolean;
  /** Absent when other pods are the reason. */
  readonly filter?: Filter;
}

export const rejection = ({ filters }: Rules, pod: PodClass, node: NodeView): Rejection | undefined => {
  for (const filter of filters) {
    const reason = filter.reject(pod, node);
    if (reason !== undefined) return { reason, preemptible: filter.preemptible === true, filter };
  }
  return undefined;
};

export interface CandidatesOptions {
  readonly table: NodeTable;
  readonly rules: Rules;
  readonly surroundings: Surroundings;
}

/** Differences of scores below a thousandth are noise of the arithmetic: the tie decides. */
const precision = 1000;

export class Candidates {
  readonly #table: NodeTable;
  readonly #rules: Rules;
  readonly #surroundings: Surroundings;
  readonly #pod: PodClass;
  #couplings: readonly Coupling[] = [];
  /** The valid candidate of each node that fits, other pods aside. */
  readonly #valid = new Map<string, Candidate>();
  /** Best first; candidates that are no longer valid are dropped when they come up. */
  readonly #heap = new Heap<Candidate>(isBetter);
  #cursor: Cursor = -1;
  #size = 0;

  constructor({ table, rules, surroundings }: CandidatesOptions, pod: PodClass) {
    this.#table = table;
    this.#rules = rules;
    this.#surroundings = surroundings;
    this.#pod = pod;
  }

  /** Undefined when the pod fits nowhere. */
  best(): Candidate | undefined {
    this.#catchUp();
    const active = this.#couplings.filter((coupling) => coupling.isActive());
    if (active.length > 0) return this.#bestCoupled(active);
    this.#size = this.#valid.size;
    for (let top = this.#heap.first; top !== undefined; top = this.#heap.first) {
      if (this.#valid.get(top.node.name) === top) return top;
      this.#heap.pop();
    }
    return undefined;
  }

  /** Names of the claims of the pods. */
  get claims(): readonly string[] {
    return this.#pod.claims;
  }

  /** Nodes that fitted when `best` was asked. */
  get size(): number {
    return this.#size;
  }

  /** Why the pod cannot be on the node; undefined when it can. */
  rejection(node: NodeView): Rejection | undefined {
    this.#catchUp();
    const own = rejection(this.#rules, this.#pod, node);
    if (own !== undefined) return own;
    for (const coupling of this.#couplings) {
      const reason = coupling.isActive() ? coupling.reject?.(node) : undefined;
      if (reason !== undefined) return { reason, preemptible: coupling.preemptible ?? true };
    }
    return undefined;
  }

  /** Other pods decide with, so every node that fits is looked at. */
  #bestCoupled(active: readonly Coupling[]): Candidate | undefined {
    const fitting: Candidate[] = [];
    const nodes: NodeView[] = [];
    for (const candidate of this.#valid.values()) {
      if (active.some((coupling) => coupling.reject?.(candidate.node) !== undefined)) continue;
      fitting.push(candidate);
      nodes.push(candidate.node);
    }
    this.#size = fitting.length;
    const scored = active.flatMap((coupling) => {
      const scores = coupling.score?.(nodes);
      return scores === undefined ? [] : [{ weight: coupling.weight ?? 1, scores }];
    });
    let best: Candidate | undefined;
    for (const [index, { node, score, tie }] of fitting.entries()) {
      let total = score;
      for (const { weight, scores } of scored) total += weight * (scores[index] ?? 0) * precision;
      const candidate = { node, tie, score: Math.round(total) };
      if (best === undefined || isBetter(candidate, best)) best = candidate;
    }
    return best;
  }

  #catchUp(): void {
    const cursor = this.#table.cursor;
    if (cursor === this.#cursor) return;
    const changed = this.#cursor < 0 ? undefined : this.#table.changedSince(this.#cursor);
    this.#cursor = cursor;
    if (changed === undefined) {
      this.#valid.clear();
      this.#heap.reset([]);
      this.#couplings = this.#rules.couplings.flatMap((rule) => rule(this.#pod, this.#surroundings) ?? []);
      for (const node of this.#table.nodes()) this.#evaluate(node);
      return;
    }
    for (const node of changed.length > 1 ? new Set(changed) : changed) this.#evaluate(node);
    if (this.#heap.size > 64 + 4 * this.#valid.size) this.#heap.reset(this.#valid.values());
  }

  #evaluate(node: NodeView & Tied): void {
    const present = this.#table.isKnown(node);
    for (const coupling of this.#couplings) coupling.count(node, present);
    if (!present || rejection(this.#rules, this.#pod, node) !== undefined) {
      this.#valid.delete(node.name);
      return;
    }
    let score = 0;
    for (const { weight, score: of } of this.#rules.scores) score += weight * of(this.#pod, node);
    const candidate = { node, score: Math.round(score * precision), tie: (node.tie ^ this.#pod.tie) >>> 0 };
    this.#valid.set(node.name, candidate);
    this.#heap.push(candidate);
  }
}
