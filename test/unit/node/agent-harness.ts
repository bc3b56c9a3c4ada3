// A cluster in memory with one agent on it: its runtime, clock and disk are the test's choice.
import { randomUUID } from 'node:crypto';
import { admissionPlugins } from '../../../src/apiserver/admission/plugins.js';
import { bootstrap } from '../../../src/apiserver/bootstrap.js';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import { createRegistry } from '../../../src/apiserver/store-registry.js';
import type { Clock } from '../../../src/base/clock.js';
import { hasCode } from '../../../src/base/errors.js';
import { silent } from '../../../src/base/log.js';
import type { Cluster } from '../../../src/client/cluster.js';
import { createInformers } from '../../../src/client/informers.js';
import { createAgent } from '../../../src/node/agent.js';
import type { Agent } from '../../../src/node/agent.js';
import type { Machine } from '../../../src/node/machine.js';
import type { NodeFiles } from '../../../src/node/node-files.js';
import type { PodSource } from '../../../src/node/pod-source.js';
import type { ImageStore } from '../../../src/node/pressure/image-collection.js';
import type { NodeSensor } from '../../../src/node/pressure/pressure-watch.js';
import type { Prober } from '../../../src/node/prober.js';
import { remotePodSource } from '../../../src/node/remote-pod-source.js';
import type { Runtime } from '../../../src/node/runtime.js';
import { viewPodSources } from '../../../src/node/view-pod-source.js';
import type { EventDraft } from '../../../src/reconcile/cluster-action.js';
import type { ConfigMap, Container, Pod, PodSpec } from '../../../src/resources/generated/types.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { persistentvolumeclaims } from '../../../src/resources/kinds/persistentvolumeclaims.js';
import { persistentvolumes } from '../../../src/resources/kinds/persistentvolumes.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { secrets } from '../../../src/resources/kinds/secrets.js';
import type { DraftMeta } from '../../../src/resources/resource.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import { MvccStore } from '../../../src/store/mvcc-store.js';

export const machine: Machine = {
  hostname: 'n1',
  operatingSystem: 'linux',
  architecture: 'amd64',
  osImage: 'Debian GNU/Linux 12 (bookworm)',
  kernelVersion: '6.1.0',
  machineID: 'machine',
  systemUUID: 'system',
  bootID: 'boot',
  cpus: 4,
  memoryBytes: 8 * 2 ** 30,
  ephemeralStorageBytes: 100 * 2 ** 30,
};

export interface HarnessOptions {
  readonly clock: Clock;
  readonly runtime: Runtime;
  readonly files: NodeFiles;
  readonly prober: Prober;
  readonly engine: string;
  readonly podCIDR: string;
  readonly sensor?: NodeSensor;
  readonly images?: ImageStore;
  /** Of the node; by default one that nobody has. */
  readonly address?: string;
  /** How the agent learns of its pods. */
  readonly source?: 'view' | 'remote';
}

export class AgentHarness {
  readonly cluster: Cluster;
  readonly events: EventDraft[] = [];
  agent!: Agent;
  readonly #options: HarnessOptions;
  readonly #store: MvccStore;
  readonly #lifetime = new AbortController();
  #source!: () => PodSource;
  #running: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  #informing: Promise<void> = Promise.resolve();

  private constructor(options: HarnessOptions) {
    this.#options = options;
    this.#store = new MvccStore(new MemoryEngine(), {});
    const registry = createRegistry({
      store: this.#store,
      clock: options.clock,
      ids: { uid: () => randomUUID(), random: () => 0.5 },
      admission: admissionPlugins({
        store: this.#store,
        serviceCidr: '10.96.0.0/16',
        lifetime: this.#lifetime.signal,
      }),
      log: silent,
    });
    this.cluster = createLocalCluster(registry, { user: 'test', groups: ['system:masters'] });
    this.#registry = registry;
  }

  readonly #registry: Parameters<typeof bootstrap>[0];

  static async open(options: HarnessOptions): Promise<AgentHarness> {
    const harness = new AgentHarness(options);
    await bootstrap(harness.#registry, { serviceCidr: '10.96.0.0/16', apiPort: 6443 });
    await harness.cluster.create(nodes, { metadata: { name: 'n1' }, spec: { podCIDR: options.podCIDR } });
    const { clock } = options;
    const common = { cluster: harness.cluster, clock, log: silent, random: () => 0.5 };
    if (options.source === 'remote') harness.#source = () => remotePodSource({ ...common, nodeName: 'n1' });
    else {
      const informers = createInformers({
        ...common,
        kinds: [pods, nodes, configmaps, secrets, persistentvolumeclaims, persistentvolumes],
      });
      harness.#informing = informers.run(harness.#lifetime.signal);
      const sources = viewPodSources(informers);
      harness.#source = () => sources('n1');
    }
    harness.startAgent();
    return harness;
  }

  startAgent(): void {
    const { clock, runtime, files, prober, engine, address = '192.0.2.10' } = this.#options;
    const { sensor, images } = this.#options;
    this.agent = createAgent({
      cluster: this.cluster,
      source: this.#source(),
      runtime,
      files,
      prober,
      clock,
      log: silent,
      events: { record: (event) => this.events.push(event) },
      nodeName: 'n1',
      machine,
      address,
      agentPort: 10250,
      engine: { name: engine, version: '1' },
      version: 'v0.1.0',
      sensor,
      images,
    });
    const abort = new AbortController();
    this.#running = { abort, done: this.agent.run(abort.signal) };
  }

  async stopAgent(): Promise<void> {
    this.#running?.abort.abort();
    await this.#running?.done;
    this.#running = undefined;
  }

  async close(): Promise<void> {
    await this.stopAgent();
    this.#lifetime.abort();
    await this.#informing;
    await this.#store.close();
  }

  createPod(
    name: string,
    spec: Omit<PodSpec, 'containers'> & { containers: readonly Container[] },
    metadata: DraftMeta = {},
  ): Promise<Pod> {
    return this.cluster.create(pods, {
      metadata: { name, namespace: 'default', ...metadata },
      spec: { nodeName: 'n1', terminationGracePeriodSeconds: 2, ...spec },
    });
  }

  pod(name: string): Promise<Pod> {
    return this.cluster.get(pods, { name, namespace: 'default' });
  }

  async podOrNothing(name: string): Promise<Pod | undefined> {
    try {
      return await this.pod(name);
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  deletePod(name: string, gracePeriodSeconds?: number): Promise<void> {
    return this.cluster.delete(
      pods,
      { name, namespace: 'default' },
      gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds },
    );
  }

  createConfigMap(name: string, data: Record<string, string>): Promise<ConfigMap> {
    return this.cluster.create(configmaps, { metadata: { name, namespace: 'default' }, data });
  }

  reasons(name: string): string[] {
    return this.events
      .filter(({ regarding }) => regarding.metadata.name === name)
      .map(({ reason }) => reason);
  }

  messages(name: string): string[] {
    return this.events
      .filter(({ regarding }) => regarding.metadata.name === name)
      .map(({ message }) => message);
  }
}

export const condition = (pod: Pod, type: string): string | undefined =>
  pod.status?.conditions?.find((candidate) => candidate.type === type)?.status;
