// Required affinity between pods: the node's domains must hold pods that every term means.
import type { NodeView, PodClass } from '../placement.js';
import { meansAll, podsOn, type Coupling, type CouplingRule } from './coupling.js';
import { DomainCounts } from './domain-counts.js';
import type { TermMatcher } from './term.js';

const reason = "node(s) didn't match pod affinity rules";

class PodAffinity implements Coupling {
  readonly name = 'pod affinity';
  readonly #counts: readonly DomainCounts[];
  readonly #means: (pod: PodClass) => boolean;
  /** The first pod of a group has nobody to go to but itself. */
  readonly #meansItself: boolean;

  constructor(pod: PodClass, matcher: TermMatcher) {
    this.#means = meansAll(pod.terms.affinity, matcher);
    this.#meansItself = this.#means(pod);
    const keys = new Set(pod.terms.affinity.map(({ topologyKey }) => topologyKey));
    this.#counts = [...keys].map((key) => new DomainCounts(key));
  }

  isActive(): boolean {
    return true;
  }

  count(node: NodeView, present: boolean): void {
    const amount = present ? podsOn(node, this.#means, true) : undefined;
    for (const counts of this.#counts) counts.set(node, amount);
  }

  reject(node: NodeView): string | undefined {
    if (this.#counts.some((counts) => counts.domainOf(node) === undefined)) return reason;
    if (this.#counts.every((counts) => counts.of(node) > 0)) return undefined;
    const nobody = this.#counts.every(({ total }) => total === 0);
    return nobody && this.#meansItself ? undefined : reason;
  }
}

export const podAffinity: CouplingRule = (pod, { matcher }) =>
  pod.terms.affinity.length === 0 ? undefined : new PodAffinity(pod, matcher);
