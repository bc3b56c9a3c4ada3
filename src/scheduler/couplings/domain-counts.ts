// Amounts per node, added up over the domains of a topology: all nodes with one value of a label are one domain.
import type { NodeView } from '../placement.js';

interface Share {
  readonly domain: string;
  readonly amount: number;
}

export class DomainCounts {
  readonly topologyKey: string;
  readonly #shares = new Map<string, Share>();
  readonly #domains = new Map<string, { amount: number; nodes: number }>();
  #total = 0;
  #least: number | undefined = 0;

  constructor(topologyKey: string) {
    this.topologyKey = topologyKey;
  }

  /** Undefined when the node is in no domain: it lacks the label. */
  domainOf({ node }: NodeView): string | undefined {
    return node.metadata.labels?.[this.topologyKey];
  }

  /** What the node adds to its domain from now on; undefined takes it out of the count. */
  set(view: NodeView, amount: number | undefined): void {
    const before = this.#shares.get(view.name);
    const domain = amount === undefined ? undefined : this.domainOf(view);
    if (before?.domain === domain && before?.amount === amount) return;
    if (before !== undefined) this.#remove(view.name, before);
    if (amount === undefined || domain === undefined) return;
    this.#shares.set(view.name, { domain, amount });
    const known = this.#domains.get(domain);
    if (known === undefined) this.#domains.set(domain, { amount, nodes: 1 });
    else {
      known.amount += amount;
      known.nodes += 1;
    }
    this.#total += amount;
    this.#least = undefined;
  }

  /** Amount in the node's domain, 0 when it is in none. */
  of(view: NodeView): number {
    const domain = this.domainOf(view);
    return domain === undefined ? 0 : (this.#domains.get(domain)?.amount ?? 0);
  }

  get total(): number {
    return this.#total;
  }

  /** Number of domains that are counted. */
  get size(): number {
    return this.#domains.size;
  }

  /** The smallest amount of any domain; 0 without domains. */
  get least(): number {
    if (this.#least === undefined) {
      let least = Infinity;
      for (const { amount } of this.#domains.values()) if (amount < least) least = amount;
      this.#least = least === Infinity ? 0 : least;
    }
    return this.#least;
  }

  #remove(name: string, { domain, amount }: Share): void {
    this.#shares.delete(name);
    const known = this.#domains.get(domain);
    if (known === undefined) return;
    known.amount -= amount;
    known.nodes -= 1;
    if (known.nodes === 0) this.#domains.delete(domain);
    this.#total -= amount;
    this.#least = undefined;
  }
}
