// The node agent: what the kubelet is elsewhere. It runs the pods that are bound to its node, and says so.
import { isAbort } from '../base/abort.js';
import { messageOf } from '../base/errors.js';
import type { HttpHandler } from '../base/http.js';
import { Timers } from '../reconcile/timers.js';
import { AddressPool } from './address-pool.js';
import { agentHandler } from './agent-handler.js';
import { ContainerTable } from './container-table.js';
import { EngineWatch } from './engine-watch.js';
import { Heartbeat } from './heartbeat.js';
import type { Machine } from './machine.js';
import type { NodeContext } from './node-context.js';
import { capacityOf } from './node-status.js';
import type { PodSource, SourceChange } from './pod-source.js';
import { PodTokens } from './pod-tokens.js';
import { PodWorker } from './pod-worker.js';
import type { Stats } from './runtime.js';
import { UsageMeter } from './usage-meter.js';
import { VolumeJanitor } from './volume-janitor.js';
import type { ImageStore } from './pressure/image-collection.js';
import { PressureWatch } from './pressure/pressure-watch.js';
import type { NodeSensor } from './pressure/pressure-watch.js';

export interface AgentOptions extends Omit<
  NodeContext,
  'pool' | 'table' | 'allocatable' | 'nodeMemory' | 'engine' | 'hostIP'
> {
  readonly machine: Machine;
  /** Under which other nodes and the API server reach this one. */
  readonly address: string;
  /** Port of the handler, as the Node's status names it. */
  readonly agentPort: number;
  readonly engine: { readonly name: string; readonly version: string };
  /** Of Capstan, as `v0.1.0`. */
  readonly version: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Of the machine as a whole; without it the node consumes what its containers do. */
  readonly machineUsage?: (() => Promise<Stats>) | undefined;
  /** Without one, nothing is evicted and no image is removed. */
  readonly sensor?: NodeSensor | undefined;
  readonly images?: ImageStore | undefined;
  /** Milliseconds between two signs of life; default 2000. */
  readonly heartbeatMs?: number | undefined;
}

export interface Agent {
  /** Works until the signal aborts; containers go on running. */
  run(signal: AbortSignal): Promise<void>;
  readonly handler: HttpHandler;
}

const defaultHeartbeatMs = 2000;

class NodeAgent {
  readonly context: NodeContext;
  readonly usage: UsageMeter;
  readonly #workers = new Map<string, PodWorker>();
  readonly #timers: Timers<string>;
  readonly #engine: EngineWatch;
  readonly #heartbeat: Heartbeat;
  readonly #janitor: VolumeJanitor;
  readonly #pressure: PressureWatch | undefined;
  readonly #tokens: PodTokens;
  #sourceReady = false;
  /** What is left on disk of pods that ended while no agent ran is looked for once. */
  #swept = false;

  constructor(options: AgentOptions) {
    const { machine, address, agentPort, engine, version, labels, heartbeatMs, ...rest } = options;
    const { machineUsage, sensor, images, ...ports } = rest;
    const table = new ContainerTable((uid) => this.#look(uid));
    this.#tokens = new PodTokens({
      cluster: ports.cluster,
      clock: ports.clock,
      log: ports.log,
      changed: () => this.#lookEach(),
    });
    this.context = {
      ...ports,
      source: this.#withTokens(ports.source),
      table,
      pool: new AddressPool(),
      hostIP: address,
      engine: engine.name,
      allocatable: capacityOf(machine),
      nodeMemory: machine.memoryBytes,
    };
    const { clock, runtime, log, cluster, nodeName, source } = this.context;
    this.usage = new UsageMeter({ nodeName, runtime, table, clock, machineUsage });
    this.#timers = new Timers<string>(clock, (uid) => this.#workers.get(uid)?.wake());
    this.#engine = new EngineWatch({ runtime, table, clock, log, changed: () => this.#engineChanged() });
    this.#janitor = new VolumeJanitor({ nodeName, cluster, files: ports.files, clock, log });
    this.#pressure =
      sensor &&
      new PressureWatch({
        ...this.context,
        sensor,
        images,
        isReady: () => this.#isReady(),
        pods: () => source.pods(),
        evict: (uid, eviction) => this.#workers.get(uid)?.evict(eviction),
        changed: () => this.#heartbeat.soon(),
      });
    this.#heartbeat = new Heartbeat({
      cluster,
      clock,
      log,
      intervalMs: heartbeatMs ?? defaultHeartbeatMs,
      identity: {
        name: nodeName,
        machine,
        address,
        agentPort,
        version,
        runtimeVersion: `${engine.name}://${engine.version}`,
        labels,
        volumeRoot: ports.files.volumeRoot,
      },
      health: () => ({
        engineProblem: this.#engine.problem,
        hasSubnet: this.context.pool.subnet !== undefined,
        pressures: this.#pressure?.pressures(),
      }),
      node: () => (this.#sourceReady ? source.node() : undefined),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { source } = this.context;
    const own = new AbortController();
    const pass = (): void => own.abort(signal.reason);
    if (signal.aborted) pass();
    signal.addEventListener('abort', pass, { once: true });
    try {
      await Promise.all([
        source.run(own.signal),
        this.#timers.run(own.signal),
        this.#engine.run(own.signal),
        this.#heartbeat.run(own.signal),
        this.#janitor.run(own.signal),
        this.#pressure?.run(own.signal),
        this.#tokens.run(own.signal),
        this.#follow(own.signal),
      ]);
    } finally {
      own.abort();
      signal.removeEventListener('abort', pass);
      for (const worker of this.#workers.values()) worker.close();
      this.#workers.clear();
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { source } = this.context;
    try {
      await source.ready(signal);
    } catch (error) {
      if (isAbort(error, signal)) return;
      throw error;
    }
    this.#sourceReady = true;
    const end = source.subscribe((change) => this.#changed(change));
    try {
      this.#takeNode();
      for (const pod of source.pods()) this.#worker(pod.metadata.uid).setPod(pod);
      for (const volume of source.localVolumes()) this.#janitor.look(volume);
      this.#lookAll();
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      end();
    }
  }

  #changed(change: SourceChange): void {
    switch (change.type) {
      case 'pod': {
        const { uid } = change.pod.metadata;
        if (change.gone) this.#workers.get(uid)?.setPod(undefined);
        else this.#worker(uid).setPod(change.pod);
        return;
      }
      case 'reference':
        // Which pods refer to it, they see themselves: a look that finds nothing new is cheap.
        this.#lookEach();
        return;
      case 'volume':
        this.#janitor.look(change.volume);
        return;
      case 'node':
        this.#takeNode();
    }
  }

  #lookEach(): void {
    for (const worker of this.#workers.values()) worker.look();
  }

  /** What pods refer to, with tokens of their accounts, which go when the pod wants nothing any more. */
  #withTokens(source: PodSource): PodSource {
    return {
      ...source,
      token: (query) => this.#tokens.find(query),
      want: (podUid, references) => {
        if (references.length === 0) this.#tokens.drop(podUid);
        source.want(podUid, references);
      },
    };
  }

  #takeNode(): void {
    const cidr = this.context.source.node()?.spec.podCIDR;
    if (cidr === undefined || cidr === '' || this.context.pool.subnet?.cidr === cidr) return;
    if (!this.context.pool.use(cidr)) {
      this.context.log.error({ cidr }, 'the pod CIDR of this node is no IPv4 network with room for pods');
      return;
    }
    this.#heartbeat.soon();
    this.#lookAll();
  }

  #isReady(): boolean {
    return this.#sourceReady && this.#engine.listed && this.#engine.problem === undefined;
  }

  #engineChanged(): void {
    this.#heartbeat.soon();
    this.#lookAll();
  }

  #worker(uid: string): PodWorker {
    const known = this.#workers.get(uid);
    if (known !== undefined) return known;
    const worker = new PodWorker({
      node: this.context,
      uid,
      timers: this.#timers,
      isReady: () => this.#isReady(),
      done: () => this.#workers.delete(uid),
    });
    this.#workers.set(uid, worker);
    return worker;
  }

  #look(uid: string): void {
    // A container of a pod that nobody knows gets a worker too, which ends it; not before all pods are known.
    if (this.#isReady()) this.#worker(uid).look();
  }

  #lookAll(): void {
    if (!this.#isReady()) return;
    for (const uid of this.context.table.pods()) this.#worker(uid);
    for (const worker of this.#workers.values()) worker.look();
    if (!this.#swept) void this.#sweep();
  }

  async #sweep(): Promise<void> {
    this.#swept = true;
    try {
      for (const uid of await this.context.files.pods())
        if (!this.#workers.has(uid)) this.#worker(uid).look();
    } catch (error) {
      this.context.log.warn({ error: messageOf(error) }, 'files of ended pods were not looked for');
    }
  }
}

export const createAgent = (options: AgentOptions): Agent => {
  const agent = new NodeAgent(options);
  return {
    run: (signal) => agent.run(signal),
    handler: agentHandler({ ...agent.context, usage: agent.usage }),
  };
};
