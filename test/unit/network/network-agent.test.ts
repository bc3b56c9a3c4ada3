// The agent against a cluster in this process; its ports record what they are asked for.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import { silent } from '../../../src/base/log.js';
import type { Cluster } from '../../../src/client/cluster.js';
import { createInformers } from '../../../src/client/informers.js';
import { systemClock } from '../../../src/host/system-clock.js';
import type { Datapath, Frontend, LocalNode } from '../../../src/network/datapath.js';
import { createNetworkAgent, networkKinds } from '../../../src/network/network-agent.js';
import type { Peer, PodNetworkBackend } from '../../../src/network/pod-network.js';
import { endpointslices } from '../../../src/resources/kinds/endpointslices.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { services } from '../../../src/resources/kinds/services.js';
import { setup } from '../apiserver/verbs-setup.js';
import { endpoint } from './fixtures.js';

class RecordedDatapath implements Datapath {
  frontends = new Map<string, Frontend>();
  node: LocalNode | undefined;
  applied = 0;
  failures = 0;

  apply(desired: Parameters<Datapath['apply']>[0]): Promise<void> {
    if (this.failures > 0) {
      this.failures -= 1;
      return Promise.reject(new Error('the kernel says no'));
    }
    this.frontends = new Map(desired.frontends);
    this.node = desired.node;
    this.applied += 1;
    return Promise.resolve();
  }

  check(): Promise<boolean> {
    return Promise.resolve(true);
  }

  backends(key: string): readonly string[] | undefined {
    return this.frontends.get(key)?.target.backends.map(({ address }) => address);
  }
}

class RecordedBackend implements PodNetworkBackend {
  readonly name = 'host-gw';
  peers: readonly Peer[] | undefined;
  applied = 0;

  apply(_: LocalNode, peers: readonly Peer[]): Promise<void> {
    this.peers = peers;
    this.applied += 1;
    return Promise.resolve();
  }
  check = (): Promise<boolean> => Promise.resolve(true);
  mtu = (): Promise<number> => Promise.resolve(1500);
  remove = (): Promise<void> => Promise.resolve();
}

const namespace = 'default';
const key = '10.96.0.50/tcp/80';

const addNode = async (cluster: Cluster, name: string, number: number): Promise<void> => {
  const made = await cluster.create(nodes, {
    metadata: { name },
    spec: { podCIDR: `10.244.${number}.0/24` },
  });
  const addresses = [{ type: 'InternalIP', address: `10.77.0.${number}` }];
  await cluster.updateStatus(nodes, { ...made, status: { addresses } });
};
const addService = async (cluster: Cluster): Promise<void> => {
  await cluster.create(services, {
    metadata: { name: 'web', namespace },
    spec: { clusterIP: '10.96.0.50', ports: [{ port: 80, targetPort: 8080 }] },
  });
};
const addSlice = async (cluster: Cluster, name: string, address: string): Promise<void> => {
  await cluster.create(endpointslices, {
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: [endpoint(address)],
  });
};

describe('the network agent', () => {
  let cluster: Cluster;
  let close: () => Promise<void>;
  let stop: AbortController;
  let running: Promise<unknown>;
  let datapath: RecordedDatapath;
  let backend: RecordedBackend;
  let revisions: number[];

  const start = (): void => {
    const informers = createInformers({
      cluster,
      kinds: networkKinds,
      clock: systemClock,
      log: silent,
      random: () => 0.5,
    });
    const agent = createNetworkAgent({
      informers,
      datapath,
      backend,
      nodeName: 'n1',
      clock: systemClock,
      log: silent,
      applied: (revision) => revisions.push(revision),
    });
    running = Promise.all([informers.run(stop.signal), agent.run(stop.signal)]);
  };

  beforeEach(async () => {
    const made = await setup();
    cluster = createLocalCluster(made.registry, { user: 'tester', groups: ['system:masters'] });
    close = made.close;
    stop = new AbortController();
    datapath = new RecordedDatapath();
    backend = new RecordedBackend();
    revisions = [];
    running = Promise.resolve();
  });

  afterEach(async () => {
    stop.abort();
    await running;
    await close();
  });

  it('applies the whole picture first, then each change', async () => {
    await addNode(cluster, 'n1', 1);
    await addService(cluster);
    await addSlice(cluster, 'web-a', '10.244.1.2');
    start();
    await vi.waitFor(() => expect(datapath.backends(key)).toEqual(['10.244.1.2']));
    expect(datapath.node).toEqual({ name: 'n1', address: '10.77.0.1', subnet: '10.244.1.0/24' });
    expect(datapath.applied).toBe(1);
    await addSlice(cluster, 'web-b', '10.244.2.2');
    await vi.waitFor(() => expect(datapath.backends(key)).toEqual(['10.244.1.2', '10.244.2.2']));
    // Nobody waits for an endpoint that comes; what leaves is told once the kernel shows it.
    const told = revisions.length;
    await cluster.delete(endpointslices, { name: 'web-a', namespace });
    await vi.waitFor(() => expect(revisions).toHaveLength(told + 1));
    await vi.waitFor(() => expect(datapath.backends(key)).toEqual(['10.244.2.2']));
    await cluster.delete(services, { name: 'web', namespace });
    await vi.waitFor(() => expect(datapath.frontends.has(key)).toBe(false));
  });

  it('follows nodes as they come and go, and lets heartbeats pass', async () => {
    await addNode(cluster, 'n1', 1);
    start();
    await vi.waitFor(() => expect(backend.peers).toEqual([]));
    await addNode(cluster, 'n2', 2);
    await vi.waitFor(() =>
      expect(backend.peers).toEqual([{ name: 'n2', address: '10.77.0.2', subnet: '10.244.2.0/24' }]),
    );
    const { applied } = backend;
    await cluster.patch(
      nodes,
      { name: 'n2' },
      { type: 'merge', patch: { metadata: { labels: { beat: '1' } } } },
    );
    await cluster.delete(nodes, { name: 'n2' });
    await vi.waitFor(() => expect(backend.peers).toEqual([]));
    expect(backend.applied).toBe(applied + 1);
  });

  it('tries again after a failure, with everything that changed meanwhile', async () => {
    await addNode(cluster, 'n1', 1);
    await addService(cluster);
    datapath.failures = 2;
    start();
    await addSlice(cluster, 'web-a', '10.244.1.2');
    await vi.waitFor(() => expect(datapath.backends(key)).toEqual(['10.244.1.2']), { timeout: 5_000 });
  });
});
