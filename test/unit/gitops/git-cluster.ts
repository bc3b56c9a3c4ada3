// A cluster in this process that follows a real bare repository: API server verbs over an in-memory store, and the Git loop.
import { setMaxListeners } from 'node:events';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import { admissionPlugins } from '../../../src/apiserver/admission/plugins.js';
import { KindCatalog } from '../../../src/apiserver/custom/kind-catalog.js';
import { bootstrap } from '../../../src/apiserver/bootstrap.js';
import { createRegistry } from '../../../src/apiserver/store-registry.js';
import { silent } from '../../../src/base/log.js';
import type { Cluster } from '../../../src/client/cluster.js';
import { createInformers, type Informers } from '../../../src/client/informers.js';
import { createGitOps, type GitOps } from '../../../src/gitops/create-git-ops.js';
import { openSource } from '../../../src/host/git/open-source.js';
import { toolRenderer } from '../../../src/host/git/tool-renderer.js';
import { systemClock } from '../../../src/host/system-clock.js';
import type { EventDraft } from '../../../src/reconcile/cluster-action.js';
import type { Application, Deployment, Repository } from '../../../src/resources/generated/types.js';
import { storedKinds } from '../../../src/resources/kind-source.js';
import { kinds } from '../../../src/resources/kinds.js';
import { applications } from '../../../src/resources/kinds/applications.js';
import { deployments } from '../../../src/resources/kinds/deployments.js';
import { repositories } from '../../../src/resources/kinds/repositories.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import { MvccStore } from '../../../src/store/mvcc-store.js';
import { eventually, git, temporary, TestRepository } from '../../contract/git-fixtures.js';
import { createRandom } from '../../contract/random.js';
import { idsFrom } from '../apiserver/verbs-setup.js';

export class GitCluster {
  readonly root = temporary();
  readonly repository = new TestRepository(this.root.path);
  readonly events: EventDraft[] = [];
  readonly #engine = new MemoryEngine();
  #lifetime = new AbortController();
  #store: MvccStore | undefined;
  #running: readonly Promise<void>[] = [];
  #cluster: Cluster | undefined;
  #informers: Informers | undefined;
  #gitOps: GitOps | undefined;

  get cluster(): Cluster {
    return this.#cluster!;
  }

  get gitOps(): GitOps {
    return this.#gitOps!;
  }

  get signal(): AbortSignal {
    return this.#lifetime.signal;
  }

  /** `follow: false` starts everything but the loop: plans can be made, nothing is carried out. */
  async start(
    options: { readonly own?: boolean; readonly address?: string; readonly follow?: boolean } = {},
  ): Promise<void> {
    this.#lifetime = new AbortController();
    const { signal } = this.#lifetime;
    // Every watch listens to this one signal, as in a daemon.
    setMaxListeners(0, signal);
    const store = new MvccStore(this.#engine);
    this.#store = store;
    const catalog = new KindCatalog({ store, builtIn: kinds, lifetime: signal });
    const registry = createRegistry({
      store,
      kinds: catalog,
      clock: systemClock,
      ids: idsFrom(createRandom(1)),
      admission: admissionPlugins({
        store,
        serviceCidr: '10.96.0.0/16',
        lifetime: signal,
        definitions: { builtIn: kinds, clock: systemClock, refresh: (name) => catalog.refresh(name) },
      }),
      log: silent,
    });
    await bootstrap(registry, { serviceCidr: '10.96.0.0/16', apiPort: 6443 });
    const cluster = createLocalCluster(registry, { user: 'gitops', groups: ['system:masters'] });
    const informers = createInformers({
      cluster,
      kinds: storedKinds(kinds),
      follow: catalog,
      clock: systemClock,
      log: silent,
      random: () => 0.5,
    });
    const source = await openSource(
      {
        address: options.address ?? this.repository.bare,
        branch: 'main',
        mirrors: `${this.root.path}/mirrors`,
        own: options.own ?? false,
        pollMs: 300,
      },
      signal,
    );
    this.#gitOps = createGitOps({
      cluster,
      informers,
      kinds: catalog,
      source,
      renderer: toolRenderer,
      events: { record: (event) => void this.events.push(event) },
      clock: systemClock,
      log: silent,
      clusterName: 'test',
      webhookSecret: 's3cret',
    });
    this.#cluster = cluster;
    this.#informers = informers;
    this.#running = [informers.run(signal), ...(options.follow === false ? [] : [this.#gitOps.run(signal)])];
    for (const task of this.#running) task.catch(() => undefined);
    await informers.ready(signal);
  }

  /** As if the process ended; the store stays. */
  async stop(): Promise<void> {
    this.#lifetime.abort(new DOMException('stop', 'AbortError'));
    await Promise.allSettled(this.#running);
    await this.#store?.close();
  }

  async destroy(): Promise<void> {
    await this.stop();
    this.root.remove();
  }

  /** What a command gets from `/capstan/v1`. */
  async ask<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const { body: chunks } = await this.gitOps.extension.handle(
      {
        method,
        path: `/capstan/v1/${path}`,
        query: new URLSearchParams(),
        headers: {},
        body: () => Promise.resolve(Buffer.from(body === undefined ? '' : JSON.stringify(body))),
        clientCertificate: undefined,
        remoteAddress: '',
        signal: this.signal,
      },
      { user: 'tester', groups: [] },
    );
    return JSON.parse(Buffer.concat(chunks as readonly Uint8Array[]).toString('utf8')) as T;
  }

  application(name: string): Application | undefined {
    return this.#informers!.view.get(applications, { name });
  }

  get repositoryObject(): Repository | undefined {
    return this.#informers!.view.get(repositories, { name: 'cluster' });
  }

  /** Waits until the application is in the phase, at the revision when one is given. */
  reaches(name: string, phase: string, revision?: string): Promise<Application> {
    return eventually(() => {
      const application = this.application(name);
      const status = application?.status;
      if (
        application === undefined ||
        status?.phase !== phase ||
        (revision !== undefined && status.revision !== revision)
      )
        throw new Error(
          `${name} is ${status?.phase ?? 'absent'} at ${status?.revision ?? '-'}: ${status?.message ?? ''}`,
        );
      return application;
    });
  }

  /** What the Deployment controller would write: everything is available, or the progress deadline has passed. */
  async report(name: string, namespace: string, outcome: 'available' | 'stuck'): Promise<void> {
    const deployment: Deployment = await this.cluster.get(deployments, { name, namespace });
    const replicas = deployment.spec.replicas ?? 1;
    const common = { observedGeneration: deployment.metadata.generation ?? 0 };
    const status =
      outcome === 'available'
        ? {
            ...common,
            replicas,
            updatedReplicas: replicas,
            readyReplicas: replicas,
            availableReplicas: replicas,
            conditions: [],
          }
        : {
            ...common,
            replicas,
            updatedReplicas: 1,
            conditions: [
              {
                type: 'Progressing',
                status: 'False',
                reason: 'ProgressDeadlineExceeded',
                message: 'too slow',
              },
            ],
          };
    await this.cluster.updateStatus(deployments, { ...deployment, status });
  }

  statusFile(path: string): string {
    return git(this.repository.bare, 'show', `capstan/status:${path}`);
  }
}

export const namespace = (name: string): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n`;

export const configMap = (name: string, value = '1', namespaceName?: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${namespaceName === undefined ? '' : `  namespace: ${namespaceName}\n`}data:\n  value: "${value}"\n`;

export const deployment = (name: string, image = 'web:1', replicas = 2): string =>
  `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: ${String(replicas)}
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
        - name: main
          image: ${image}
`;

export const config = (...applicationLines: readonly string[]): string =>
  `apiVersion: capstan.dev/v1
kind: ClusterConfig
spec:
  status: {minInterval: 100ms}
  applications:
${applicationLines.map((line) => `    - ${line}\n`).join('')}`;
