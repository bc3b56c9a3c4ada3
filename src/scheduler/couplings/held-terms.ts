// What the pods that run already ask about the new one: terms that they hold and that mean it, added up per domain.
import type { NodeView, PodClass } from '../placement.js';
import { DomainCounts } from './domain-counts.js';
import type { Weighted } from './term.js';

export class HeldTerms {
  readonly #weights: (holder: PodClass) => readonly Weighted[];
  readonly #counts = new Map<string, DomainCounts>();

  /** `weights`: the terms of a holder that mean the new pod. It must answer the same for the same holder. */
  constructor(weights: (holder: PodClass) => readonly Weighted[]) {
    this.#weights = weights;
  }

  isActive(): boolean {
    for (const { size } of this.#counts.values()) if (size > 0) return true;
    return false;
  }

  count(node: NodeView, present: boolean): void {
    if (node.holders === 0 && this.#counts.size === 0) return;
    const amounts = new Map<string, number>();
    if (present)
      for (const [holder, { staying, leaving }] of node.classes)
        for (const { term, weight } of this.#weights(holder)) {
          const amount = (amounts.get(term.topologyKey) ?? 0) + weight * (staying + leaving);
          amounts.set(term.topologyKey, amount);
        }
    for (const key of amounts.keys())
      if (!this.#counts.has(key)) this.#counts.set(key, new DomainCounts(key));
    for (const [key, counts] of this.#counts) counts.set(node, amounts.get(key));
  }

  of(node: NodeView): number {
    let sum = 0;
    for (const counts of this.#counts.values()) sum += counts.of(node);
    return sum;
  }
}
