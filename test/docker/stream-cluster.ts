// An API server and an agent in this process, over real sockets, with the streams of pods between them.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap } from '../../src/apiserver/bootstrap.js';
import { createApiHandler } from '../../src/apiserver/handler.js';
import { createAuthenticator } from '../../src/apiserver/authenticate.js';
import { createLocalCluster } from '../../src/apiserver/local-cluster.js';
import { createRegistry } from '../../src/apiserver/store-registry.js';
import { createStreamHandler } from '../../src/apiserver/streams/stream-handler.js';
import { admissionPlugins } from '../../src/apiserver/admission/plugins.js';
import type { HttpRequest, UpgradeHandler } from '../../src/base/http.js';
import { silent } from '../../src/base/log.js';
import { ClusterError } from '../../src/base/errors.js';
import { renderKubeconfig } from '../../src/client/kubeconfig.js';
import { startHttpServer } from '../../src/host/http-server.js';
import { createNodeGateway } from '../../src/host/node-gateway.js';
import { dialTcp } from '../../src/host/streams/dial.js';
import { createWebSocketAcceptor } from '../../src/host/streams/web-socket.js';
import { systemClock } from '../../src/host/system-clock.js';
import type { Runtime } from '../../src/node/runtime.js';
import { createStreamServer } from '../../src/node/streams/stream-server.js';
import { kinds } from '../../src/resources/kinds.js';
import { nodes } from '../../src/resources/kinds/nodes.js';
import { pods } from '../../src/resources/kinds/pods.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';
import { MvccStore } from '../../src/store/mvcc-store.js';
import { makeCertificates } from '../contract/certificates.js';
import type { KeyPair } from '../contract/certificates.js';

const serviceCidr = '10.96.0.0/16';

export interface StreamCluster {
  readonly port: number;
  readonly kubeconfig: string;
  readonly credentials: { readonly ca: string } & KeyPair;
  readonly directory: string;
  /** Streams that are open at the API server and at the agent. */
  open(): { readonly server: number; readonly agent: number };
  /** A pod of one container `app` (or those named), which its status calls running. */
  addPod(
    name: string,
    options?: { readonly containers?: readonly string[]; readonly bound?: boolean },
  ): Promise<void>;
  close(): Promise<void>;
}

const counted = (upgrade: UpgradeHandler): { readonly upgrade: UpgradeHandler; open: number } => {
  const counter = {
    open: 0,
    upgrade: (async (request, socket, head) => {
      counter.open += 1;
      socket.once('close', () => {
        counter.open -= 1;
      });
      await upgrade(request, socket, head);
    }) as UpgradeHandler,
  };
  return counter;
};

const authorize = ({ clientCertificate }: HttpRequest): void => {
  if (clientCertificate?.organizations.includes('system:masters') !== true)
    throw new ClusterError('Forbidden', 'only the API server may ask an agent');
};

export const startStreamCluster = async (runtime: Runtime): Promise<StreamCluster> => {
  const directory = mkdtempSync(join(tmpdir(), 'streams-'));
  const { ca, server: pair, admin, node } = makeCertificates();
  const lifetime = new AbortController();
  const store = new MvccStore(new MemoryEngine());
  const registry = createRegistry({
    store,
    clock: systemClock,
    ids: { uid: randomUUID, random: Math.random },
    admission: admissionPlugins({ store, serviceCidr, lifetime: lifetime.signal }),
    log: silent,
  });
  await bootstrap(registry, { serviceCidr, apiPort: 6443 });
  const nodeGateway = createNodeGateway(() => ({ ca, ...admin }));
  const agentStreams = counted(
    createStreamServer({
      runtime,
      clock: systemClock,
      log: silent,
      acceptWebSocket: createWebSocketAcceptor(),
      dial: dialTcp,
      authorize,
    }),
  );
  const serverStreams = counted(
    createStreamHandler({
      registry,
      nodeGateway,
      log: silent,
      authenticator: createAuthenticator({ tokens: [], clock: systemClock, log: silent }),
    }),
  );
  const options = { host: '127.0.0.1', port: 0, portFlag: '--port', log: silent };
  const agent = await startHttpServer({
    ...options,
    tls: { ...node, ca },
    handler: () => Promise.resolve({ status: 404, headers: {}, body: [] }),
    upgrade: agentStreams.upgrade,
  });
  const server = await startHttpServer({
    ...options,
    tls: { ...pair, ca },
    handler: createApiHandler({
      registry,
      kinds,
      clock: systemClock,
      log: silent,
      version: '0.1.0',
      nodeGateway,
    }),
    upgrade: serverStreams.upgrade,
  });
  const cluster = createLocalCluster(registry, { user: 'test', groups: ['system:masters'] });
  const n1 = await cluster.create(nodes, { metadata: { name: 'n1' }, spec: {} });
  await cluster.updateStatus(nodes, {
    ...n1,
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: agent.port } },
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
    },
  });
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    renderKubeconfig({ name: 'test', server: `https://127.0.0.1:${server.port}`, ca, ...admin }),
  );
  return {
    port: server.port,
    kubeconfig,
    credentials: { ca, ...admin },
    directory,
    open: () => ({ server: serverStreams.open, agent: agentStreams.open }),
    addPod: async (name, { containers = ['app'], bound = true } = {}) => {
      const created = await cluster.create(pods, {
        metadata: { name, namespace: 'default' },
        spec: {
          containers: containers.map((container) => ({ name: container, image: 'test/busybox:1' })),
          ...(bound ? { nodeName: 'n1' } : {}),
        },
      });
      await cluster.updateStatus(pods, {
        ...created,
        status: {
          phase: bound ? 'Running' : 'Pending',
          conditions: [{ type: 'Ready', status: bound ? 'True' : 'False' }],
        },
      });
    },
    close: async () => {
      await server.close(1000);
      await agent.close(1000);
      nodeGateway.close();
      lifetime.abort();
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
};
