import { createLocalCluster } from '../../src/apiserver/local-cluster.js';
import { setup } from '../unit/apiserver/verbs-setup.js';
import { describeCluster } from './cluster.js';

describeCluster('the in-process cluster', async () => {
  const { registry, close } = await setup();
  return { cluster: createLocalCluster(registry, { user: 'tester', groups: ['system:masters'] }), close };
});
