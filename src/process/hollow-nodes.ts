// Simulated nodes: real agents on simulated engines and disks, all in one process and behind one port.
import type { Clock } from '../base/clock.js';
import type { HttpHandler } from '../base/http.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { Informers } from '../client/informers.js';
import { HollowEngine } from '../host/hollow/hollow-engine.js';
import { createHollowFiles } from '../host/hollow/hollow-files.js';
import { createFleet } from '../node/fleet.js';
import type { Machine } from '../node/machine.js';
import { viewPodSources } from '../node/view-pod-source.js';
import type { EventRecorder } from '../reconcile/cluster-action.js';
import type { Tasks } from './tasks.js';
import { version } from './version.js';

export interface HollowOptions {
  readonly count: number;
  readonly address: string;
  readonly agentPort: number;
  /** With the rights of that node. */
  clusterOf(nodeName: string): Cluster;
  readonly informers: Informers;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
}

const gibibyte = 1024 ** 3;

/** A node of medium size. */
const machine: Machine = {
  hostname: 'hollow',
  operatingSystem: 'linux',
  architecture: 'amd64',
  osImage: 'Simulated',
  kernelVersion: 'simulated',
  machineID: 'hollow',
  systemUUID: 'hollow',
  bootID: 'hollow',
  cpus: 8,
  memoryBytes: 32 * gibibyte,
  ephemeralStorageBytes: 100 * gibibyte,
};

/** Starts the agents; the handler is that of their common port. */
export const startHollowNodes = (
  { informers, clusterOf, ...options }: HollowOptions,
  tasks: Tasks,
): HttpHandler => {
  const fleet = createFleet({
    ...options,
    prefix: 'hollow',
    sources: viewPodSources(informers),
    member: (nodeName) => {
      const { runtime, prober } = new HollowEngine({ clock: options.clock });
      return { runtime, prober, files: createHollowFiles(), cluster: clusterOf(nodeName) };
    },
    machine,
    engine: { name: 'hollow', version },
    version: `v${version}`,
    labels: { type: 'hollow' },
  });
  tasks.start('simulated nodes', (signal) => fleet.run(signal));
  return fleet.handler;
};
