// A small model of the maps and chains that the proxy's operations make: what the kernel would do with a packet.
import type { Operation, OwnChain } from '../../../src/host/datapath/proxy-plan.js';
import { endpointMap, verdictMap, type Scope } from '../../../src/host/datapath/ruleset.js';

/** Share of new connections by `address . port`; or what happens to all of them; undefined: nothing at all. */
export type Verdict = ReadonlyMap<string, number> | 'refuse' | 'drop' | undefined;

export class NftablesModel {
  readonly maps = new Map<string, Map<string, string>>();
  readonly chains = new Map<string, OwnChain>();

  /** Fails where the kernel would: what is added must be new, what is deleted must be there. */
  commit(operations: readonly Operation[]): void {
    for (const operation of operations)
      if (operation.do === 'own chain') this.chains.set(operation.chain.name, operation.chain);
    for (const operation of operations) {
      if (operation.do !== 'delete element') continue;
      if (!this.#map(operation.map).delete(operation.key))
        throw new Error(`${operation.map} has no ${operation.key}`);
    }
    for (const operation of operations) {
      if (operation.do !== 'add element') continue;
      const map = this.#map(operation.map);
      if (map.has(operation.key)) throw new Error(`${operation.map} has ${operation.key} already`);
      map.set(operation.key, operation.value ?? '');
    }
    for (const operation of operations) {
      if (operation.do !== 'delete own chain') continue;
      if (!this.chains.delete(operation.chain.name)) throw new Error(`no chain ${operation.chain.name}`);
    }
    this.#everyJumpLands();
  }

  verdict(scope: Scope, key: string): Verdict {
    const value = this.#map(verdictMap(scope)).get(key);
    if (value === undefined || value === 'drop') return value;
    const chain = value.replace('goto ', '');
    if (chain === 'refuse') return 'refuse';
    const slots = new RegExp(`^${scope}-pick-(\\d+)$`).exec(chain)?.[1];
    if (slots === undefined) {
      const { backends } = this.chains.get(chain)!;
      const total = backends.reduce((sum, { weight }) => sum + weight, 0);
      return new Map(backends.map(({ address, port, weight }) => [`${address} . ${port}`, weight / total]));
    }
    const shares = new Map<string, number>();
    for (let slot = 0; slot < Number(slots); slot += 1) {
      const backend = this.#map(endpointMap(scope)).get(`${key} . ${slot}`);
      if (backend === undefined) throw new Error(`${key} has no slot ${slot} of ${slots}`);
      shares.set(backend, (shares.get(backend) ?? 0) + 1 / Number(slots));
    }
    return shares;
  }

  elements(map: string): readonly string[] {
    return [...this.#map(map).keys()].sort();
  }

  #everyJumpLands(): void {
    for (const values of this.maps.values())
      for (const value of values.values()) {
        const chain = /^goto (.*)$/.exec(value)?.[1];
        if (chain !== undefined && chain !== 'refuse' && !/-pick-\d+$/.test(chain) && !this.chains.has(chain))
          throw new Error(`a verdict leads to ${chain}, which is not there`);
      }
  }

  #map(name: string): Map<string, string> {
    const map = this.maps.get(name) ?? new Map<string, string>();
    this.maps.set(name, map);
    return map;
  }
}
