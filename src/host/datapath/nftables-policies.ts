// Network policies in the kernel: one nftables table of Capstan's own, changed by transactions of what differs.
import type { Logger } from '../../base/log.js';
import type { PolicyDatapath } from '../../network/policy/policy-agent.js';
import type { Flow, PolicyState } from '../../network/policy/policy-state.js';
import type { Commands } from './commands.js';
import type { Connections } from './connections.js';
import { emptyTable, policyTransaction } from './policy-rules.js';

export interface NftablesPoliciesOptions {
  readonly table: string;
  readonly commands: Commands;
  readonly connections: Connections;
  /** Whether a connection is to end under the policies. */
  forbids(state: PolicyState, flow: Flow): boolean;
  readonly log: Logger;
}

const nothing: PolicyState = { sets: new Map(), classes: new Map(), ingress: new Map(), egress: new Map() };

export class NftablesPolicies implements PolicyDatapath {
  readonly #options: NftablesPoliciesOptions;
  /** Undefined: what the kernel holds is not known. */
  #state: PolicyState | undefined;
  /** Its rules, as nft prints them. */
  #rules = '';

  constructor(options: NftablesPoliciesOptions) {
    this.#options = options;
  }

  async apply(desired: PolicyState, signal: AbortSignal): Promise<void> {
    const { table, commands, connections, log } = this.#options;
    const before = this.#state ?? nothing;
    const lines = [
      ...(this.#state === undefined ? emptyTable(table) : []),
      ...policyTransaction(table, before, desired),
    ];
    if (lines.length === 0) return;
    this.#state = undefined; // unknown until the kernel has taken it
    await commands.run('nft', ['-f', '-'], { input: `${lines.join('\n')}\n`, signal });
    this.#rules = await this.#listRules(signal);
    this.#state = desired;
    if (desired.ingress.size + desired.egress.size === 0) return;
    const cut = await connections.cut((flow) => this.#options.forbids(desired, flow), signal);
    if (cut > 0) log.info({ connections: cut }, 'ended connections that network policies forbid now');
  }

  async check(signal: AbortSignal): Promise<boolean> {
    if (this.#state === undefined) return false;
    if ((await this.#listRules(signal)) === this.#rules && (await this.#hasPods(this.#state, signal)))
      return true;
    this.#options.log.warn(
      { table: this.#options.table },
      'someone changed the table of network policies: repairing',
    );
    this.#state = undefined;
    return false;
  }

  /** Takes the table out of the kernel: everything is let through. */
  async remove(signal: AbortSignal): Promise<void> {
    const { commands, table } = this.#options;
    this.#state = undefined;
    await commands.run('nft', ['-f', '-'], {
      input: `add table ip ${table}\ndelete table ip ${table}\n`,
      signal,
    });
  }

  /** Without the elements of sets: peers may be many. */
  async #listRules(signal: AbortSignal): Promise<string> {
    const { commands, table } = this.#options;
    return (await commands.ask('nft', ['-s', '-t', 'list', 'table', 'ip', table], { signal })).stdout;
  }

  /** Asks the kernel, without a commit, whether it could take the pods out. */
  async #hasPods(state: PolicyState, signal: AbortSignal): Promise<boolean> {
    const { commands, table } = this.#options;
    const input = policyTransaction(table, state, { ...state, ingress: new Map(), egress: new Map() });
    if (input.length === 0) return true;
    const { code } = await commands.ask('nft', ['-c', '-f', '-'], { input: `${input.join('\n')}\n`, signal });
    return code === 0;
  }
}
