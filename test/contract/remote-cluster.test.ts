import { createApiHandler } from '../../src/apiserver/handler.js';
import { silent } from '../../src/base/log.js';
import { createRemoteCluster } from '../../src/client/remote-cluster.js';
import { createHttpClient } from '../../src/host/http-client.js';
import { startHttpServer } from '../../src/host/http-server.js';
import { kinds } from '../../src/resources/kinds.js';
import { setup } from '../unit/apiserver/verbs-setup.js';
import { makeCertificates } from './certificates.js';
import { describeCluster } from './cluster.js';

const { ca, server: serverPair, admin } = makeCertificates();

describeCluster('a cluster over HTTPS', async () => {
  const { registry, clock, close } = await setup();
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    portFlag: '--api-port',
    tls: { ...serverPair, ca },
    handler: createApiHandler({ registry, kinds, clock, log: silent, version: '0.0.0' }),
    log: silent,
  });
  const client = createHttpClient({ server: `https://127.0.0.1:${server.port}`, ca, ...admin });
  return {
    cluster: createRemoteCluster(client, { userAgent: 'tester/0.0.0' }),
    close: async () => {
      client.close();
      await server.close(1000);
      await close();
    },
  };
});
