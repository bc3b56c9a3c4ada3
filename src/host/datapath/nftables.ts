// The service proxy in the kernel: one nftables table of Capstan's own. A change is one transaction of the elements that
// differ; everything is written anew only when the table is not what this process left there.
import { addressNumber, contains, parseCidr } from '../../base/ipv4.js';
import type { Logger } from '../../base/log.js';
import type { Datapath, NetworkState } from '../../network/datapath.js';
import type { Commands } from './commands.js';
import type { Conntrack } from './conntrack.js';
import type { PodBridge } from './pod-bridge.js';
import { transactionText } from './proxy-plan.js';
import { ProxyTables } from './proxy-tables.js';
import {
  everyMap,
  everySet,
  hairpinSet,
  heldCommands,
  layoutChain,
  localPart,
  newTable,
  permanentChains,
} from './ruleset.js';
import type { TableOptions } from './ruleset.js';

export interface NftablesOptions extends TableOptions {
  readonly commands: Commands;
  readonly conntrack: Conntrack;
  readonly podBridge: PodBridge;
  readonly log: Logger;
}

/** Elements that one `check` looks at; the next one goes on from there. */
const sampled = 32;

/** Names of all chains of the table; undefined when there is no table. Reads no elements. */
const chainsOf = (listing: string, table: string): readonly string[] | undefined => {
  let inside = false;
  let found: string[] | undefined;
  for (const line of listing.split('\n')) {
    const header = /^table (\S+) (\S+) \{/.exec(line);
    if (header !== null) {
      inside = header[1] === 'ip' && header[2] === table;
      if (inside) found ??= [];
    }
    const chain = /^\tchain (\S+) \{/.exec(line)?.[1];
    if (inside && chain !== undefined) found?.push(chain);
  }
  return found;
};

const inside = (cidr: string): ((address: string) => boolean) => {
  const network = parseCidr(cidr);
  return (text) => {
    const address = addressNumber(text);
    return network !== undefined && address !== undefined && contains(network, address);
  };
};

/** Chains of one backend of a service with session affinity have a set of the same name. */
const remembers = (chain: string): boolean => /-for-\d+-[\d.]+-\d+$/.test(chain);

export class NftablesDatapath implements Datapath {
  readonly #options: NftablesOptions;
  /** Undefined: what the kernel holds is not known. */
  #tables: ProxyTables | undefined;
  #subnet: string | undefined;
  #sampleFrom = 0;

  constructor(options: NftablesOptions) {
    this.#options = options;
  }

  async apply(desired: NetworkState, signal: AbortSignal): Promise<void> {
    const { table, podCidr, podBridge, conntrack } = this.#options;
    if (this.#tables === undefined) await podBridge.prepare(signal);
    const tables = this.#tables ?? new ProxyTables(inside(podCidr));
    const { operations, gone } = tables.step(desired.frontends);
    const subnet = desired.node?.subnet;
    const lines = transactionText(table, operations);
    const prepared =
      this.#tables === undefined
        ? await this.#rewrite(lines, subnet, signal)
        : [...(subnet === this.#subnet ? [] : localPart(this.#options, subnet)), ...lines];
    this.#tables = undefined; // unknown until the kernel has taken it
    if (prepared.length > 0) await this.#load(prepared, signal);
    this.#tables = tables;
    this.#subnet = subnet;
    if (operations.some((operation) => operation.do === 'add element' && operation.map === hairpinSet))
      await podBridge.ensure(signal);
    if (gone.length > 0) await conntrack.forget(gone, signal);
  }

  /** Asks the kernel, without a commit, whether rules still hold the maps and a few elements are there. */
  async check(signal: AbortSignal): Promise<boolean> {
    if (this.#tables === undefined) return false;
    const { table, podBridge, log } = this.#options;
    await podBridge.ensure(signal);
    const fault = await this.#fault(this.#nextSample(), signal);
    if (fault === undefined) return true;
    log.warn({ table, error: fault }, 'someone changed the table of services: repairing');
    this.#tables = undefined;
    return false;
  }

  /** Takes the table out of the kernel: services are no longer reached from this node. */
  async remove(signal: AbortSignal): Promise<void> {
    this.#tables = undefined;
    const { commands, table } = this.#options;
    await commands.run('nft', ['-f', '-'], {
      input: `table ip ${table} { }\ndelete table ip ${table}\n`,
      signal,
    });
  }

  /** What is missing, in the kernel's words: constant rules, or elements of the sample. */
  async #fault(sample: ReturnType<ProxyTables['sample']>, signal: AbortSignal): Promise<string | undefined> {
    const { commands, table } = this.#options;
    // nft takes a map that is named for deletion as gone, so the elements come first.
    const held = heldCommands(table);
    const present = sample.map(({ map, key }) => `delete element ip ${table} ${map} { ${key} }`);
    const input = `${[...present, ...held].join('\n')}\n`;
    const { stderr } = await commands.ask('nft', ['-c', '-f', '-'], { input, signal });
    const errors = stderr.split('\n').filter((line) => line.includes('Error:'));
    const busy = errors.filter((line) => line.includes('Device or resource busy'));
    if (busy.length === held.length && errors.length === busy.length) return undefined;
    return errors.find((line) => !busy.includes(line)) ?? 'rules are missing';
  }

  #nextSample(): ReturnType<ProxyTables['sample']> {
    const tables = this.#tables;
    if (tables === undefined) return [];
    if (this.#sampleFrom >= tables.size) this.#sampleFrom = 0;
    const sample = tables.sample(this.#sampleFrom, sampled);
    this.#sampleFrom += sampled;
    return sample;
  }

  /**
   * A whole table in one transaction. One that is there keeps its base chains, so that no packet finds the hooks empty,
   * and its clients' affinities; one of another layout is replaced.
   */
  async #rewrite(
    lines: readonly string[],
    subnet: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const options = this.#options;
    const { table, commands, log } = options;
    const chains = chainsOf(await commands.run('nft', ['list', 'chains'], { signal }), table);
    const intact =
      chains?.includes(layoutChain(options)) === true && (await this.#fault([], signal)) === undefined;
    const rules = [...localPart(options, subnet), ...lines];
    log.info({ table, found: chains?.length ?? 0, intact }, 'writing the table of services');
    if (!intact)
      return [...(chains === undefined ? [] : [`delete table ip ${table}`]), ...newTable(options), ...rules];
    const permanent = permanentChains(options);
    const others = chains.filter((chain) => !permanent.has(chain));
    const used = new Set(rules.flatMap((rule) => /^add chain ip \S+ (\S+)$/.exec(rule)?.[1] ?? []));
    const stale = others.filter((chain) => !used.has(chain));
    return [
      ...everyMap.map((map) => `flush map ip ${table} ${map}`),
      ...everySet.map((set) => `flush set ip ${table} ${set}`),
      ...others.map((chain) => `flush chain ip ${table} ${chain}`),
      ...rules,
      ...stale.map((chain) => `delete chain ip ${table} ${chain}`),
      ...stale.filter(remembers).map((set) => `delete set ip ${table} ${set}`),
    ];
  }

  async #load(lines: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#options.commands.run('nft', ['-f', '-'], { input: `${lines.join('\n')}\n`, signal });
  }
}
