// Required anti-affinity between pods: no pod that a term means may be in the node's domain.
import type { NodeView, PodClass } from '../placement.js';
import { podsOn, type Coupling, type CouplingRule } from './coupling.js';
import { DomainCounts } from './domain-counts.js';
import type { TermMatcher } from './term.js';

const reason = "node(s) didn't match pod anti-affinity rules";

class PodAntiAffinity implements Coupling {
  readonly name = 'pod anti-affinity';
  readonly #terms: readonly { readonly counts: DomainCounts; readonly means: (pod: PodClass) => boolean }[];

  constructor(pod: PodClass, matcher: TermMatcher) {
    this.#terms = pod.terms.antiAffinity.map((term) => ({
      counts: new DomainCounts(term.topologyKey),
      means: (other) => matcher.matches(term, other),
    }));
  }

  isActive(): boolean {
    return this.#terms.some(({ counts }) => counts.total > 0);
  }

  count(node: NodeView, present: boolean): void {
    for (const { counts, means } of this.#terms)
      counts.set(node, present ? podsOn(node, means, true) : undefined);
  }

  reject(node: NodeView): string | undefined {
    return this.#terms.some(({ counts }) => counts.of(node) > 0) ? reason : undefined;
  }
}

export const podAntiAffinity: CouplingRule = (pod, { matcher }) =>
  pod.terms.antiAffinity.length === 0 ? undefined : new PodAntiAffinity(pod, matcher);
