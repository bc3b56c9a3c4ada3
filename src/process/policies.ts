// Network policies of one node.
import type { Logger } from '../base/log.js';
import type { Clock } from '../base/clock.js';
import type { Informers, WatchedKind } from '../client/informers.js';
import type { Commands } from '../host/datapath/commands.js';
import { createConnections } from '../host/datapath/connections.js';
import { NftablesPolicies } from '../host/datapath/nftables-policies.js';
import { forbids } from '../network/policy/policy-state.js';
import { createPolicyAgent, policySubjectKinds } from '../network/policy/policy-agent.js';

export interface PoliciesOptions {
  /** Watches NetworkPolicies. */
  readonly informers: Informers;
  /** Informers that watch these kinds until the signal aborts. */
  watch(kinds: readonly WatchedKind[], signal: AbortSignal): Informers;
  readonly table: string;
  readonly commands: Commands;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export const runPolicies = async (options: PoliciesOptions, signal: AbortSignal): Promise<void> => {
  const { informers, watch, table, commands, nodeName, clock, log } = options;
  const connections = createConnections(commands, log);
  const agent = createPolicyAgent({
    informers,
    watchPods: (inner) => watch(policySubjectKinds, inner),
    datapath: new NftablesPolicies({ table, commands, connections, forbids, log }),
    nodeName,
    clock,
    log,
  });
  await agent.run(signal);
};
