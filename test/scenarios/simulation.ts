// A whole cluster in one process: memory store, API verbs, controllers, scheduler and nodes on one manual clock. Whatever
// is random comes from the seed, which is printed with every failure and replays it.
import { admissionPlugins } from '../../src/apiserver/admission/plugins.js';
import { bootstrap } from '../../src/apiserver/bootstrap.js';
import { createLocalCluster } from '../../src/apiserver/local-cluster.js';
import type { Registry } from '../../src/apiserver/registry.js';
import { createRegistry } from '../../src/apiserver/store-registry.js';
import { silent } from '../../src/base/log.js';
import type { Logger } from '../../src/base/log.js';
import { ManualClock } from '../../src/base/manual-clock.js';
import type { Cluster } from '../../src/client/cluster.js';
import { createInformers } from '../../src/client/informers.js';
import type { Informers } from '../../src/client/informers.js';
import { createControllers } from '../../src/controllers/controllers.js';
import { createClusterExecutor } from '../../src/reconcile/cluster-executor.js';
import { DecisionLog } from '../../src/reconcile/decision-log.js';
import { createEventRecorder } from '../../src/reconcile/event-recorder.js';
import { createLoop } from '../../src/reconcile/loop.js';
import { kinds } from '../../src/resources/kinds.js';
import type { SendMetricRequest } from '../../src/rollouts/analysis/metric-source.js';
import { createRolloutControllers } from '../../src/rollouts/rollouts.js';
import { createScheduler } from '../../src/scheduler/scheduler.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';
import { MvccStore } from '../../src/store/mvcc-store.js';
import { withFaults } from './faults.js';
import type { FaultOptions, FaultyCluster } from './faults.js';
import { createMachine } from './simulated-node.js';
import type { Machine } from './simulated-node.js';

export interface SimulationOptions {
  readonly seed: number;
  readonly nodes?: number;
  /** Milliseconds that a container takes to start. */
  readonly startMs?: (random: () => number) => number;
  /** Milliseconds that a container takes to end. */
  readonly stopMs?: number;
  /** Of the master's own connection: informers, controllers, scheduler. */
  readonly faults?: Omit<FaultOptions, 'clock' | 'random'>;
  /** What metric servers answer; none is there by default. */
  readonly metrics?: SendMetricRequest;
  readonly log?: Logger;
}

const noMetrics: SendMetricRequest = () => Promise.reject(new Error('nothing listens there'));

/** mulberry32: small, good enough, the same everywhere. */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Lets everything that can go on without time passing go on. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

interface Running {
  readonly end: AbortController;
  readonly done: Promise<unknown>;
}

export interface SimulatedNode {
  readonly name: string;
  readonly connection: FaultyCluster;
  readonly machine: Machine;
}

export class Simulation {
  readonly clock = new ManualClock();
  readonly cluster: Cluster;
  readonly decisions = new DecisionLog();
  readonly nodes: SimulatedNode[] = [];
  /** What is, as the server has it: for assertions, never for the cluster's own parts. */
  readonly truth: Informers;
  readonly random: () => number;
  readonly #options: SimulationOptions;
  readonly #lifetime = new AbortController();
  readonly #store = new MvccStore(new MemoryEngine());
  readonly #nodesRunning = new Map<string, Running>();
  #master: Running | undefined;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.random = randomFrom(options.seed);
    let count = 0;
    this.#registry = createRegistry({
      store: this.#store,
      clock: this.clock,
      ids: {
        uid: () => `00000000-0000-4000-8000-${(count += 1).toString(16).padStart(12, '0')}`,
        random: this.random,
      },
      admission: admissionPlugins({
        store: this.#store,
        serviceCidr: '10.96.0.0/16',
        lifetime: this.#lifetime.signal,
      }),
      log: options.log ?? silent,
    });
    this.cluster = createLocalCluster(this.#registry, { user: 'simulation', groups: ['system:masters'] });
    const { clock, cluster, random } = this;
    this.truth = createInformers({ cluster, kinds, clock, log: silent, random });
  }

  readonly #registry: Registry;

  static async start(options: SimulationOptions): Promise<Simulation> {
    const simulation = new Simulation(options);
    await bootstrap(simulation.#registry, { serviceCidr: '10.96.0.0/16', apiPort: 6443 });
    void simulation.truth.run(simulation.#lifetime.signal);
    await simulation.truth.ready(simulation.#lifetime.signal);
    simulation.startMaster();
    for (let index = 1; index <= (options.nodes ?? 3); index += 1) simulation.addNode(`n${String(index)}`);
    await simulation.advance(3000);
    return simulation;
  }

  startMaster(): void {
    const { faults = {}, log = silent } = this.#options;
    const { clock, random, decisions } = this;
    const end = new AbortController();
    const cluster = withFaults(this.cluster, { ...faults, clock, random });
    const informers = createInformers({ cluster, kinds, clock, log, random });
    const events = createEventRecorder({ cluster, clock, log, component: 'capstan' });
    const executor = createClusterExecutor({ cluster, events, fieldManager: 'capstan-controllers' });
    const controllers = [
      ...createControllers({ cluster, informers, executor, clock, kinds, podCidr: '10.244.0.0/16' }),
      ...createRolloutControllers({ cluster, executor, clock, send: this.#options.metrics ?? noMetrics }),
    ];
    const loop = createLoop({ controllers, informers, clock, log, decisions });
    const scheduler = createScheduler({ informers, executor, clock, log, decisions });
    const done = Promise.allSettled([informers, events, loop, scheduler].map((part) => part.run(end.signal)));
    this.#master = { end, done };
  }

  /** As `kill -9` does: what is in flight may or may not have happened. */
  async stopMaster(): Promise<void> {
    this.#master?.end.abort(new Error('the master was stopped'));
    await this.#master?.done;
    this.#master = undefined;
  }

  addNode(name: string): SimulatedNode {
    const { startMs = () => 1000, stopMs = 500 } = this.#options;
    const { clock, random } = this;
    const connection = withFaults(this.cluster, { clock, random });
    const machine = createMachine({ name, clock, random, startMs, stopMs });
    const node = { name, connection, machine };
    this.nodes.push(node);
    this.startNode(node);
    return node;
  }

  startNode({ name, connection, machine }: SimulatedNode): void {
    const end = new AbortController();
    this.#nodesRunning.set(name, { end, done: Promise.allSettled([machine.run(connection, end.signal)]) });
  }

  async stopNode(name: string): Promise<void> {
    const running = this.#nodesRunning.get(name);
    running?.end.abort(new Error('the node was stopped'));
    await running?.done;
    this.#nodesRunning.delete(name);
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms, settle);
  }

  /** The clock moves and nobody notices: the machine slept. */
  jump(ms: number): void {
    this.clock.jump(ms);
  }

  /** Lets time pass until the condition holds; the milliseconds that it took. Throws, with the seed, when it never does. */
  async until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 120_000): Promise<number> {
    const start = this.clock.now();
    while (this.clock.now() - start <= limitMs) {
      if (await holds()) return this.clock.now() - start;
      await this.advance(250);
    }
    throw new Error(
      `after ${String(limitMs / 1000)} simulated seconds still not: ${what} (seed ${String(this.#options.seed)})`,
    );
  }

  async end(): Promise<void> {
    await this.stopMaster();
    for (const { name } of this.nodes) await this.stopNode(name);
    this.#lifetime.abort();
    await this.#store.close();
  }
}

/** Runs a scenario and names the seed when it fails. */
export const simulate = async (
  options: SimulationOptions,
  scenario: (simulation: Simulation) => Promise<void>,
): Promise<void> => {
  const simulation = await Simulation.start(options);
  try {
    await scenario(simulation);
  } catch (error) {
    throw new Error(`seed ${String(options.seed)}: ${String(error)}`, { cause: error });
  } finally {
    await simulation.end();
  }
};
