// Required anti-affinity of the pods that run already holds against the new one too.
import type { NodeView, PodClass } from '../placement.js';
import type { Coupling, CouplingRule } from './coupling.js';
import { HeldTerms } from './held-terms.js';
import type { TermMatcher } from './term.js';

const reason = "node(s) didn't satisfy existing pods anti-affinity rules";

class ExistingAntiAffinity implements Coupling {
  readonly name = 'existing anti-affinity';
  readonly #held: HeldTerms;

  constructor(pod: PodClass, matcher: TermMatcher) {
    this.#held = new HeldTerms(({ terms }) =>
      terms.antiAffinity.filter((term) => matcher.matches(term, pod)).map((term) => ({ term, weight: 1 })),
    );
  }

  isActive(): boolean {
    return this.#held.isActive();
  }

  count(node: NodeView, present: boolean): void {
    this.#held.count(node, present);
  }

  reject(node: NodeView): string | undefined {
    return this.#held.of(node) > 0 ? reason : undefined;
  }
}

export const existingAntiAffinity: CouplingRule = (pod, { matcher }) =>
  new ExistingAntiAffinity(pod, matcher);
