// A small model of nftables: takes the text of transactions, fails where the kernel would, and says what becomes of a
// packet by walking the rules.
import { addressNumber } from '../../../../src/base/ipv4.js';
import type { Flow } from '../../../../src/network/policy/policy-state.js';

interface Table {
  readonly chains: Map<string, string[]>;
  readonly maps: Map<string, Map<string, string>>;
  readonly sets: Map<string, Set<string>>;
}

const must = (condition: boolean, line: string): void => {
  if (!condition) throw new Error(`the kernel refuses: ${line}`);
};

export class PolicyModel {
  #table: Table = { chains: new Map(), maps: new Map(), sets: new Map() };

  commit(lines: readonly string[]): void {
    for (const line of lines) this.#line(line);
    const targets = new Set([...this.#table.maps.values()].flatMap((map) => [...map.values()]));
    for (const target of targets) must(this.#table.chains.has(target), `a verdict leads to ${target}`);
    for (const rule of [...this.#table.chains.values()].flat())
      for (const [, name] of rule.matchAll(/@(\S+)/g))
        must(this.#table.sets.has(name!) || this.#table.maps.has(name!), `a rule looks into ${name}`);
  }

  /** Everything that is there, for comparisons. */
  get names(): readonly string[] {
    const { chains, sets } = this.#table;
    return [...chains.keys(), ...sets.keys()].sort();
  }

  drops(flow: Flow): boolean {
    return this.#walk('forward', flow) === 'drop';
  }

  #line(line: string): void {
    const table = this.#table;
    const words = line.split(' ');
    const [verb = '', what = ''] = words;
    const name = words[4] ?? '';
    if (/^(add|delete) table/.test(line)) {
      if (verb === 'delete') this.#table = { chains: new Map(), maps: new Map(), sets: new Map() };
    } else if (verb === 'table' || verb === '}') return;
    else if (verb === 'set') table.sets.set(what, new Set());
    else if (verb === 'map') table.maps.set(what, new Map());
    else if (verb === 'chain') table.chains.set(what, []);
    else if (what === 'chain') this.#named(verb, table.chains, name, line, () => []);
    else if (what === 'set') this.#named(verb, table.sets, name, line, () => new Set());
    else if (what === 'rule') table.chains.get(name)!.push(words.slice(5).join(' '));
    else if (what === 'element') this.#elements(verb, name, line);
    else must(false, line);
  }

  #named<T>(verb: string, all: Map<string, T>, name: string, line: string, make: () => T): void {
    must(all.has(name) === (verb === 'delete'), line);
    if (verb === 'delete') all.delete(name);
    else all.set(name, make());
  }

  #elements(verb: string, name: string, line: string): void {
    const listed = /\{ (.*) \}/.exec(line)![1]!.split(', ');
    for (const element of listed) {
      const [key = '', value = ''] = element.split(' : ');
      const map = this.#table.maps.get(name);
      const place = map ?? this.#table.sets.get(name)!;
      must(place.has(key) === (verb === 'delete'), `${line}: ${key}`);
      if (verb === 'delete') place.delete(key);
      else if (map !== undefined) map.set(key, value.replace('jump ', ''));
      else this.#table.sets.get(name)!.add(key);
    }
  }

  #walk(chain: string, flow: Flow): 'accept' | 'drop' | 'return' {
    const { source, destination } = flow;
    for (const rule of this.#table.chains.get(chain)!) {
      const jump = /^ip (saddr|daddr) vmap @(\S+)$/.exec(rule);
      if (jump !== null) {
        const target = this.#table.maps.get(jump[2]!)!.get(jump[1] === 'saddr' ? source : destination);
        const verdict = target === undefined ? 'return' : this.#walk(target, flow);
        if (verdict !== 'return') return verdict;
        continue;
      }
      const words = rule.split(' ');
      const verdict = words.pop() as 'accept' | 'drop' | 'return';
      if (this.#matches(words.join(' '), flow)) return verdict;
    }
    return chain === 'forward' ? 'accept' : 'return';
  }

  #matches(text: string, { source, destination, protocol, port }: Flow): boolean {
    if (text === '') return true;
    // All packets here open a connection.
    if (text.startsWith('ct state established') || text.startsWith('tcp flags')) return false;
    const pair = /^ip saddr \. ip daddr @(\S+)$/.exec(text);
    if (pair !== null) return this.#table.sets.get(pair[1]!)!.has(`${source} . ${destination}`);
    const [, side, set, rest = ''] = /^(?:ip (saddr|daddr) @(\S+))? ?(.*)$/.exec(text)!;
    if (set !== undefined && !this.#in(set, side === 'saddr' ? source : destination)) return false;
    if (rest === '') return true;
    const numbered = /^(tcp|udp|sctp) dport (\d+)(?:-(\d+))?$/.exec(rest);
    if (numbered !== null)
      return (
        numbered[1] === protocol && port >= Number(numbered[2]) && port <= Number(numbered[3] ?? numbered[2])
      );
    const named = /^ip daddr \. meta l4proto \. th dport @(\S+)$/.exec(rest);
    must(named !== null, text);
    return this.#table.sets.get(named![1]!)!.has(`${destination} . ${protocol} . ${port}`);
  }

  #in(set: string, address: string): boolean {
    const number = addressNumber(address)!;
    return [...this.#table.sets.get(set)!].some((element) => {
      const [first = '', last = first] = element.split('-');
      return number >= addressNumber(first)! && number <= addressNumber(last)!;
    });
  }
}
