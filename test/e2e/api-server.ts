// An API server in this process, over a store in memory, as kubectl meets it: HTTPS, certificates, one node's agent.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { admissionPlugins } from '../../src/apiserver/admission/plugins.js';
import { createAuthorizer } from '../../src/apiserver/authorize/authorizer.js';
import { bootstrap } from '../../src/apiserver/bootstrap.js';
import { createApiHandler } from '../../src/apiserver/handler.js';
import type { Registry } from '../../src/apiserver/registry.js';
import { KindCatalog } from '../../src/apiserver/custom/kind-catalog.js';
import { createLocalCluster } from '../../src/apiserver/local-cluster.js';
import { conversionWebhook } from '../../src/apiserver/webhooks/conversion.js';
import { createRegistry, readsOf } from '../../src/apiserver/store-registry.js';
import type { HttpHandler } from '../../src/base/http.js';
import { silent } from '../../src/base/log.js';
import type { Cluster } from '../../src/client/cluster.js';
import { createInformers } from '../../src/client/informers.js';
import { renderKubeconfig } from '../../src/client/kubeconfig.js';
import { createCustomDefinitionController } from '../../src/controllers/custom-definitions.js';
import { createGarbageCollector } from '../../src/controllers/garbage-collector.js';
import { createGuardedExecutor } from '../../src/controllers/guarded-executor.js';
import { createNamespaceController } from '../../src/controllers/namespace.js';
import { startHttpServer } from '../../src/host/http-server.js';
import { createNodeGateway } from '../../src/host/node-gateway.js';
import { systemClock } from '../../src/host/system-clock.js';
import { createWebhookTransport } from '../../src/host/webhook-transport.js';
import { createClusterExecutor } from '../../src/reconcile/cluster-executor.js';
import { createLoop } from '../../src/reconcile/loop.js';
import { runnable } from '../../src/reconcile/runnable.js';
import { storedKinds } from '../../src/resources/kind-source.js';
import { kinds } from '../../src/resources/kinds.js';
import { nodes } from '../../src/resources/kinds/nodes.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';
import { MvccStore } from '../../src/store/mvcc-store.js';
import { makeCertificates } from '../contract/certificates.js';
import type { KeyPair } from '../contract/certificates.js';

const serviceCidr = '10.96.0.0/16';

export interface TestApiServer {
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly port: number;
  /** PEM. */
  readonly authority: string;
  /** For servers on loopback, and for `hook.default.svc`. */
  readonly certificate: KeyPair;
  /** Paths of kubeconfig files. */
  readonly kubeconfig: string;
  readonly strangersKubeconfig: string;
  readonly directory: string;
  close(): Promise<void>;
}

/** Answers a log request with the path and query that arrived. */
const agent: HttpHandler = (request) =>
  Promise.resolve({
    status: request.clientCertificate === undefined ? 401 : 200,
    headers: {},
    body: [Buffer.from(`${request.path}?${request.query.toString()}\n`)],
  });

/** What happens to objects by themselves when others go. */
const runControllers = async (cluster: Cluster, catalog: KindCatalog, signal: AbortSignal): Promise<void> => {
  const options = { cluster, clock: systemClock, log: silent, random: Math.random };
  const informers = createInformers({ ...options, kinds: storedKinds(kinds), follow: catalog });
  const plain = createClusterExecutor({ cluster, events: { record: () => undefined }, fieldManager: 'test' });
  const guarded = createGuardedExecutor(cluster, plain);
  const controllers = [
    runnable(createGarbageCollector(catalog), guarded),
    runnable(createNamespaceController(catalog), guarded),
    runnable(createCustomDefinitionController(kinds), guarded),
  ];
  const loop = createLoop({ controllers, informers, clock: systemClock, log: silent });
  const running = loop.run(signal).catch((error: unknown) => {
    // The signal ends it also before it has begun.
    if (!signal.aborted) throw error;
  });
  await Promise.all([informers.run(signal), running]);
};

export const startApiServer = async (): Promise<TestApiServer> => {
  const directory = mkdtempSync(join(tmpdir(), 'api-server-'));
  const { ca, server: pair, admin, node, stranger } = makeCertificates();
  const lifetime = new AbortController();
  const store = new MvccStore(new MemoryEngine());
  const authorizer = createAuthorizer({ store, lifetime: lifetime.signal });
  const ids = { uid: randomUUID, random: Math.random };
  const transport = createWebhookTransport();
  const client = { transport, clock: systemClock, lifetime: lifetime.signal, ids };
  const convert = conversionWebhook({ ...client, reads: readsOf(store) });
  const catalog = new KindCatalog({ store, builtIn: kinds, lifetime: lifetime.signal, convert });
  const registry = createRegistry({
    store,
    kinds: catalog,
    clock: systemClock,
    ids,
    admission: admissionPlugins({
      store,
      serviceCidr,
      lifetime: lifetime.signal,
      authorizer,
      webhooks: { ...client, kinds: catalog },
      definitions: { builtIn: kinds, clock: systemClock, refresh: (name) => catalog.refresh(name) },
    }),
    log: silent,
  });
  await bootstrap(registry, { serviceCidr, apiPort: 6443 });
  const nodeGateway = createNodeGateway(() => ({ ca, ...admin }));
  const listen = (tls: KeyPair, handler: HttpHandler) =>
    startHttpServer({
      host: '127.0.0.1',
      port: 0,
      portFlag: '--api-port',
      tls: { ...tls, ca },
      handler,
      log: silent,
    });
  const handler = createApiHandler({
    registry,
    kinds: catalog,
    clock: systemClock,
    log: silent,
    version: '0.1.0',
    nodeGateway,
    authorizer,
  });
  const server = await listen(pair, handler);
  const agentServer = await listen(node, agent);
  const cluster = createLocalCluster(registry, { user: 'test', groups: ['system:masters'] });
  const n1 = await cluster.create(nodes, { metadata: { name: 'n1' }, spec: {} });
  await cluster.updateStatus(nodes, {
    ...n1,
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: agentServer.port } },
      allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
    },
  });
  const running = runControllers(cluster, catalog, lifetime.signal);
  const write = (name: string, { cert, key }: KeyPair): string => {
    const path = join(directory, name);
    writeFileSync(
      path,
      renderKubeconfig({ name: 'capstan', server: `https://127.0.0.1:${server.port}`, ca, cert, key }),
    );
    return path;
  };
  return {
    cluster,
    registry,
    authority: ca,
    certificate: pair,
    port: server.port,
    directory,
    kubeconfig: write('admin.kubeconfig', admin),
    strangersKubeconfig: write('stranger.kubeconfig', stranger),
    close: async () => {
      nodeGateway.close();
      await server.close(1000);
      await agentServer.close(1000);
      lifetime.abort();
      await running;
      transport.close();
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
};
