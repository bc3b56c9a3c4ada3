// The API server alone in a process of its own, as the daemon runs it: embedded store with encryption, client certificates,
// RBAC, audit log, fairness, metrics. Nothing else of the cluster runs, so that nothing else is measured.
import { randomUUID } from 'node:crypto';
import { admissionPlugins } from '../../../src/apiserver/admission/plugins.js';
import { createAuthenticator } from '../../../src/apiserver/authenticate.js';
import { createAuthorizer } from '../../../src/apiserver/authorize/authorizer.js';
import { bootstrap } from '../../../src/apiserver/bootstrap.js';
import { createApiHandler } from '../../../src/apiserver/handler.js';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import { createRegistry } from '../../../src/apiserver/store-registry.js';
import { silent } from '../../../src/base/log.js';
import { startHttpServer } from '../../../src/host/http-server.js';
import { openLmdbEngine } from '../../../src/host/lmdb/lmdb-engine.js';
import { systemClock } from '../../../src/host/system-clock.js';
import { encryptSecrets } from '../../../src/process/at-rest.js';
import { dataDirectory } from '../../../src/process/data-directory.js';
import { readSettings } from '../../../src/process/settings.js';
import { startSurroundings } from '../../../src/process/surroundings.js';
import { Tasks } from '../../../src/process/tasks.js';
import { kinds } from '../../../src/resources/kinds.js';
import { clusterrolebindings } from '../../../src/resources/kinds/clusterrolebindings.js';
import { namespaces } from '../../../src/resources/kinds/namespaces.js';
import { MvccStore } from '../../../src/store/mvcc-store.js';
import type { ServerOptions } from './child.js';
import { serveChild } from './child.js';

const serviceCidr = '10.96.0.0/16';

await serveChild(async ({ dataDir, ca, server }: ServerOptions) => {
  const lifetime = new AbortController();
  const tasks = new Tasks(lifetime.signal, silent);
  const directory = dataDirectory(dataDir);
  const store = new MvccStore(await encryptSecrets(await openLmdbEngine(directory.store), directory));
  const authorizer = createAuthorizer({ store, lifetime: lifetime.signal });
  const registry = createRegistry({
    store,
    clock: systemClock,
    ids: { uid: randomUUID, random: Math.random },
    admission: admissionPlugins({ store, serviceCidr, lifetime: lifetime.signal, authorizer }),
    log: silent,
  });
  await bootstrap(registry, { serviceCidr, apiPort: 6443, authority: ca });
  const cluster = createLocalCluster(registry, { user: 'bench', groups: ['system:masters'] });
  await cluster.create(namespaces, { metadata: { name: 'bench' } });
  // Rights by a role, not by the group that may do everything.
  await cluster.create(clusterrolebindings, {
    metadata: { name: 'bench' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'bench' }],
  });
  const settings = readSettings({ options: { dataDir }, environment: {}, files: [] });
  const { surroundings } = await startSurroundings(
    { settings, store, kinds, clock: systemClock, log: silent },
    tasks,
  );
  const listening = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    portFlag: '--port',
    tls: { key: server.key, cert: server.certificate, ca },
    handler: createApiHandler({
      registry,
      kinds,
      clock: systemClock,
      log: silent,
      version: 'bench',
      authenticator: createAuthenticator({ tokens: [], clock: systemClock, log: silent }),
      authorizer,
      surroundings,
    }),
    log: silent,
  });
  return {
    port: listening.port,
    close: async () => {
      await listening.close(500);
      lifetime.abort();
      await tasks.stop();
      await store.close();
    },
  };
});
