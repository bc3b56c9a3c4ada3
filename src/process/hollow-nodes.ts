// Simulated nodes: real agents on a simulated engine and disk, all in one process and behind one port.
import type { HttpHandler } from '../base/http.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { Informers } from '../client/informers.js';
import { createHollowFiles } from '../host/hollow/hollow-files.js';
import { HollowEngine } from '../host/hollow/hollow-engine.js';
import { createAgent, type Agent } from '../node/agent.js';
import type { Machine } from '../node/machine.js';
import { viewPodSources } from '../node/view-pod-source.js';
import type { EventRecorder } from '../reconcile/cluster-action.js';
import { pods } from '../resources/kinds/pods.js';
import type { Tasks } from './tasks.js';
import { version } from './version.js';

export interface HollowOptions {
  readonly count: number;
  readonly address: string;
  readonly agentPort: number;
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
}

const gibibyte = 1024 ** 3;

/** A node of medium size. */
const machine = (name: string): Machine => ({
  hostname: name,
  operatingSystem: 'linux',
  architecture: 'amd64',
  osImage: 'Simulated',
  kernelVersion: 'simulated',
  machineID: name,
  systemUUID: name,
  bootID: name,
  cpus: 8,
  memoryBytes: 32 * gibibyte,
  ephemeralStorageBytes: 100 * gibibyte,
});

/** Two seconds between heartbeats, and longer where so many nodes would do nothing but beat. */
const heartbeatMs = (count: number): number => Math.max(2000, count * 5);

const makeAgent = (
  name: string,
  options: HollowOptions,
  source: ReturnType<typeof viewPodSources>,
): Agent => {
  const { count, address, agentPort, cluster, events, clock, log } = options;
  const engine = new HollowEngine({ clock });
  return createAgent({
    cluster,
    source: source(name),
    runtime: engine.runtime,
    prober: engine.prober,
    files: createHollowFiles(),
    clock,
    events,
    log,
    nodeName: name,
    machine: machine(name),
    address,
    agentPort,
    engine: { name: 'hollow', version },
    version: `v${version}`,
    labels: { type: 'hollow' },
    heartbeatMs: heartbeatMs(count),
  });
};

/** Requests name a pod: the agent of its node answers. */
const dispatch =
  (agents: ReadonlyMap<string, Agent>, { informers }: HollowOptions): HttpHandler =>
  (request) => {
    const [, , namespace = '', name = ''] = request.path.split('/');
    const node = informers.view.get(pods, { namespace, name })?.spec.nodeName ?? '';
    const [first] = agents.values();
    const agent = agents.get(node) ?? first;
    if (agent === undefined) return Promise.resolve({ status: 404, headers: {}, body: [] });
    return agent.handler(request);
  };

/** Starts the agents; the handler is that of their common port. */
export const startHollowNodes = (options: HollowOptions, tasks: Tasks): HttpHandler => {
  const sources = viewPodSources(options.informers);
  const agents = new Map<string, Agent>();
  for (let number = 1; number <= options.count; number += 1) {
    const name = `hollow-${number}`;
    const agent = makeAgent(name, options, sources);
    agents.set(name, agent);
    tasks.start(name, (signal) => agent.run(signal));
  }
  return dispatch(agents, options);
};
