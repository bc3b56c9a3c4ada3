// A node of a simulated cluster: the real agent over the hollow engine, whose containers take their time. The engine
// outlives the agent, as containers do.
import type { Clock } from '../../src/base/clock.js';
import { ClusterError } from '../../src/base/errors.js';
import { silent } from '../../src/base/log.js';
import type { Cluster } from '../../src/client/cluster.js';
import { HollowEngine } from '../../src/host/hollow/hollow-engine.js';
import { createHollowFiles } from '../../src/host/hollow/hollow-files.js';
import { createAgent } from '../../src/node/agent.js';
import { remotePodSource } from '../../src/node/remote-pod-source.js';
import type { Runtime } from '../../src/node/runtime.js';
import { createEventRecorder } from '../../src/reconcile/event-recorder.js';

export interface MachineOptions {
  readonly name: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Milliseconds that each container takes to start. */
  readonly startMs: (random: () => number) => number;
  /** Milliseconds between SIGTERM and the end. */
  readonly stopMs: number;
}

/** Cannot be had anywhere. */
export const missingImage = 'web:missing';

/** What stays when the agent goes: the engine with its containers, and the disk. */
export interface Machine {
  readonly name: string;
  readonly engine: HollowEngine;
  run(cluster: Cluster, signal: AbortSignal): Promise<void>;
}

const slowed = (runtime: Runtime, { clock, random, startMs, stopMs }: MachineOptions): Runtime => ({
  ...runtime,
  pull: (request, signal) =>
    request.image === missingImage
      ? Promise.reject(new ClusterError('NotFound', `pull access denied for ${missingImage}`))
      : runtime.pull(request, signal),
  start: async (id, signal) => {
    await clock.sleep(startMs(random), signal);
    return runtime.start(id, signal);
  },
  stop: async (id, graceSeconds, signal) => {
    await clock.sleep(Math.min(stopMs, graceSeconds * 1000), signal);
    return runtime.stop(id, 0, signal);
  },
});

export const createMachine = (options: MachineOptions): Machine => {
  const { name, clock, random } = options;
  const engine = new HollowEngine({ clock });
  const files = createHollowFiles();
  const runtime = slowed(engine.runtime, options);
  return {
    name,
    engine,
    run: async (cluster, signal) => {
      const events = createEventRecorder({ cluster, clock, log: silent, component: 'kubelet', host: name });
      const agent = createAgent({
        cluster,
        source: remotePodSource({ cluster, nodeName: name, clock, log: silent, random }),
        runtime,
        files,
        prober: engine.prober,
        clock,
        log: silent,
        events,
        nodeName: name,
        machine: {
          hostname: name,
          operatingSystem: 'linux',
          architecture: 'amd64',
          osImage: 'simulated',
          kernelVersion: '6.1.0',
          machineID: name,
          systemUUID: name,
          bootID: name,
          cpus: 8,
          memoryBytes: 16 * 2 ** 30,
          ephemeralStorageBytes: 100 * 2 ** 30,
        },
        address: '192.0.2.10',
        agentPort: 10250,
        engine: { name: 'hollow', version: '1' },
        version: 'v0.1.0',
      });
      await Promise.all([agent.run(signal), events.run(signal)]);
    },
  };
};
