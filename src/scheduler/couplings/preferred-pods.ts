// Whom the pod would rather be with or without, and who would rather be with or without it.
import type { NodeView, PodClass } from '../placement.js';
import { podsOn, stretched, type Coupling, type CouplingRule } from './coupling.js';
import { DomainCounts } from './domain-counts.js';
import { HeldTerms } from './held-terms.js';
import type { TermMatcher, Weighted } from './term.js';

/** Required affinity of a running pod draws too, if less; Kubernetes' hardPodAffinityWeight. */
const drawn = 1;

class PreferredPods implements Coupling {
  readonly name = 'preferred pods';
  readonly weight = 2;
  readonly #own: readonly {
    readonly counts: DomainCounts;
    readonly weight: number;
    readonly means: (pod: PodClass) => boolean;
  }[];
  readonly #held: HeldTerms;

  constructor(pod: PodClass, matcher: TermMatcher) {
    this.#own = pod.terms.preferred.map(({ term, weight }) => ({
      counts: new DomainCounts(term.topologyKey),
      weight,
      means: (other) => matcher.matches(term, other),
    }));
    this.#held = new HeldTerms(({ terms }): readonly Weighted[] =>
      [...terms.preferred, ...terms.affinity.map((term) => ({ term, weight: drawn }))].filter(({ term }) =>
        matcher.matches(term, pod),
      ),
    );
  }

  isActive(): boolean {
    return this.#held.isActive() || this.#own.some(({ counts }) => counts.total > 0);
  }

  count(node: NodeView, present: boolean): void {
    for (const { counts, means } of this.#own)
      counts.set(node, present ? podsOn(node, means, true) : undefined);
    this.#held.count(node, present);
  }

  score(nodes: readonly NodeView[]): readonly number[] {
    return stretched(
      nodes.map((node) => {
        let sum = this.#held.of(node);
        for (const { counts, weight } of this.#own) sum += weight * counts.of(node);
        return sum;
      }),
    );
  }
}

export const preferredPods: CouplingRule = (pod, { matcher }) => new PreferredPods(pod, matcher);
