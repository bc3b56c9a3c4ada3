// Topology spread constraints: how uneven the pods of a group may be over the domains of a topology.
// Follows the PodTopologySpread plugin of kube-scheduler.
import { nodeAffinity } from '../filters/node-affinity.js';
import { taints } from '../filters/taints.js';
import type { NodeView, PodClass } from '../placement.js';
import { podsOn, type Coupling, type CouplingRule } from './coupling.js';
import { DomainCounts } from './domain-counts.js';
import type { SpreadTerm, TermMatcher } from './term.js';

const missing = "node(s) didn't match pod topology spread constraints (missing required label)";
const skewed = "node(s) didn't match pod topology spread constraints";

interface Counted {
  readonly term: SpreadTerm;
  readonly counts: DomainCounts;
  readonly means: (pod: PodClass) => boolean;
  /** 1 when the pod counts itself. */
  readonly own: number;
}

/** Constraints of one sort, hard or soft: nodes that lack a label of any of them count for none. */
class Spread {
  readonly constraints: readonly Counted[];
  readonly #pod: PodClass;

  constructor(pod: PodClass, matcher: TermMatcher, hard: boolean) {
    this.#pod = pod;
    this.constraints = pod.terms.spread
      .filter((term) => term.hard === hard)
      .map((term) => ({
        term,
        counts: new DomainCounts(term.topologyKey),
        means: (other) => matcher.matches(term, other),
        own: matcher.matches(term, pod) ? 1 : 0,
      }));
  }

  isInAll(node: NodeView): boolean {
    return this.constraints.every(({ counts }) => counts.domainOf(node) !== undefined);
  }

  count(node: NodeView, present: boolean): void {
    const counted = present && this.isInAll(node);
    for (const { term, counts, means } of this.constraints)
      counts.set(node, counted && this.#isEligible(term, node) ? podsOn(node, means, false) : undefined);
  }

  #isEligible({ honorsAffinity, honorsTaints }: SpreadTerm, node: NodeView): boolean {
    if (honorsAffinity && nodeAffinity.reject(this.#pod, node) !== undefined) return false;
    return !honorsTaints || taints.reject(this.#pod, node) === undefined;
  }
}

class HardSpread implements Coupling {
  readonly name = 'topology spread';
  readonly #spread: Spread;

  constructor(pod: PodClass, matcher: TermMatcher) {
    this.#spread = new Spread(pod, matcher, true);
  }

  isActive(): boolean {
    return true;
  }

  count(node: NodeView, present: boolean): void {
    this.#spread.count(node, present);
  }

  reject(node: NodeView): string | undefined {
    if (!this.#spread.isInAll(node)) return missing;
    for (const { term, counts, own } of this.#spread.constraints) {
      const least = counts.size < term.minDomains ? 0 : counts.least;
      if (counts.of(node) + own - least > term.maxSkew) return skewed;
    }
    return undefined;
  }
}

class SoftSpread implements Coupling {
  readonly name = 'preferred topology spread';
  readonly weight = 2;
  readonly #spread: Spread;

  constructor(pod: PodClass, matcher: TermMatcher) {
    this.#spread = new Spread(pod, matcher, false);
  }

  isActive(): boolean {
    return true;
  }

  count(node: NodeView, present: boolean): void {
    this.#spread.count(node, present);
  }

  score(nodes: readonly NodeView[]): readonly number[] {
    const costs = nodes.map((node) => (this.#spread.isInAll(node) ? this.#cost(node) : undefined));
    const known = costs.filter((cost) => cost !== undefined);
    let most = 0;
    let least = Infinity;
    for (const cost of known) {
      if (cost > most) most = cost;
      if (cost < least) least = cost;
    }
    return costs.map((cost) => {
      if (cost === undefined) return 0;
      return most === 0 ? 100 : (100 * (most + least - cost)) / most;
    });
  }

  /** Few domains weigh less, or the skew over many nodes would drown that over a few zones. */
  #cost(node: NodeView): number {
    let cost = 0;
    for (const { term, counts } of this.#spread.constraints)
      cost += counts.of(node) * Math.log(counts.size + 2) + (term.maxSkew - 1);
    return cost;
  }
}

export const topologySpread: CouplingRule = (pod, { matcher }) =>
  pod.terms.spread.some(({ hard }) => hard) ? new HardSpread(pod, matcher) : undefined;

export const preferredSpread: CouplingRule = (pod, { matcher }) =>
  pod.terms.spread.some(({ hard }) => !hard) ? new SoftSpread(pod, matcher) : undefined;
