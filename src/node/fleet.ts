// Many agents in one process, such as those of simulated nodes: one shared source, staggered starts, one handler.
import { isAbort } from '../base/abort.js';
import type { HttpHandler } from '../base/http.js';
import { createAgent } from './agent.js';
import type { Agent, AgentOptions } from './agent.js';
import type { Cluster } from '../client/cluster.js';
import type { NodeFiles } from './node-files.js';
import type { PodSource } from './pod-source.js';
import type { Prober } from './prober.js';
import type { Runtime } from './runtime.js';

export interface FleetMember {
  readonly runtime: Runtime;
  readonly files: NodeFiles;
  readonly prober: Prober;
  readonly cluster: Cluster;
}

export interface FleetOptions extends Omit<
  AgentOptions,
  'runtime' | 'cluster' | 'files' | 'prober' | 'source' | 'nodeName' | 'address' | 'heartbeatMs'
> {
  readonly count: number;
  /** `hollow`: nodes are named `hollow-0`, `hollow-1`, … */
  readonly prefix: string;
  /** Over one view that all share (view-pod-source.ts). */
  readonly sources: (nodeName: string) => PodSource;
  readonly member: (nodeName: string) => FleetMember;
  /** Where the one handler of all nodes is reached. */
  readonly address: string;
}

export interface Fleet {
  readonly nodeNames: readonly string[];
  run(signal: AbortSignal): Promise<void>;
  /** Logs of any of the nodes' pods; `?node=NAME` says whose answer is wanted otherwise. */
  readonly handler: HttpHandler;
}

const smallHeartbeatMs = 2000;
/** Beyond a few hundred nodes, signs of life come slower: half the time after which a node counts as lost. */
const largeHeartbeatMs = 4000;
const large = 200;

const podOf = (path: string): { readonly namespace: string; readonly name: string } | undefined => {
  const [, root, namespace, name] = path.split('/');
  return root === 'containerLogs' && namespace !== undefined && name !== undefined
    ? { namespace, name }
    : undefined;
};

export const createFleet = (options: FleetOptions): Fleet => {
  const { count, prefix, sources, member, ...shared } = options;
  const heartbeatMs = count > large ? largeHeartbeatMs : smallHeartbeatMs;
  const agents = Array.from({ length: count }, (_, index) => {
    const nodeName = `${prefix}-${index}`;
    const source = sources(nodeName);
    const log = shared.log.child({ node: nodeName });
    const agent = createAgent({ ...shared, ...member(nodeName), source, nodeName, log, heartbeatMs });
    return { nodeName, source, agent };
  });
  const start = async (agent: Agent, index: number, signal: AbortSignal): Promise<void> => {
    try {
      // Spread over one heartbeat, so that there is no moment at which all report.
      await shared.clock.sleep((index * heartbeatMs) / Math.max(1, count), signal);
    } catch (error) {
      if (isAbort(error, signal)) return;
      throw error;
    }
    await agent.run(signal);
  };
  return {
    nodeNames: agents.map(({ nodeName }) => nodeName),
    run: async (signal) => {
      await Promise.all(agents.map(({ agent }, index) => start(agent, index, signal)));
    },
    handler: (request) => {
      const pod = podOf(request.path);
      const home = pod && agents.find(({ source }) => source.pod(pod) !== undefined);
      const named = agents.find(({ nodeName }) => nodeName === request.query.get('node'));
      const chosen = home ?? named ?? agents[0];
      return chosen === undefined
        ? Promise.resolve({ status: 404, headers: {}, body: [] })
        : chosen.agent.handler(request);
    },
  };
};
