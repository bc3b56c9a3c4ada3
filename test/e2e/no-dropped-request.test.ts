// The product's promise: whatever is rolled, scaled, drained or restarted, no request is dropped, without preStop sleeps.
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Service } from '../../src/resources/generated/types.js';
import { checkout, eventually } from './command.js';
import { LabCluster } from './lab.js';
import { dropped, gracefulServer, startLoad, sum, type Counts, type Load } from './load.js';

const replicas = 20;
let lab: LabCluster | undefined;

afterEach(async () => {
  await lab?.destroy();
  lab = undefined;
}, 60_000);

const rolledOut = async (cluster: LabCluster): Promise<unknown> =>
  cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=150s'], { timeoutMs: 160_000 });

const start = async (hosts: number, program?: readonly string[]): Promise<LabCluster> => {
  const cluster = await LabCluster.make(hosts, program);
  lab = cluster;
  await cluster.start(hosts);
  await cluster.apply(gracefulServer('web', replicas, '1'), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await rolledOut(cluster);
  // Closed connections keep their ports for a minute.
  for (let host = 1; host <= hosts; host += 1)
    await cluster.must(host, 'sysctl', ['-qw', 'net.ipv4.ip_local_port_range=1024 65535']);
  return cluster;
};

/** Both kinds of connections from two machines. */
const loads = async (cluster: LabCluster): Promise<readonly Load[]> => {
  const address = (await cluster.get<Service>('service', 'web')).spec.clusterIP ?? '';
  return ([1, 2] as const).flatMap((host) =>
    (['keep-alive', 'new'] as const).map((connections) =>
      startLoad(cluster, host, { address, port: 80, connections }),
    ),
  );
};

const so = (running: readonly Load[]): Counts => sum(running.map((load) => load.counts()));

describe('load on a service', () => {
  it('loses nothing in a rolling update, a scale-down, a drain and a node restart', async () => {
    const cluster = await start(3);
    const running = await loads(cluster);
    const seen: Record<string, number> = {};
    const phase = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      const begin = Date.now();
      const before = so(running).answered;
      await work();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const after = so(running);
      seen[`${name}, ${((Date.now() - begin) / 1000).toFixed(1)} s`] = after.answered - before;
      console.log(name, JSON.stringify(after));
    };
    const scale = async (to: number): Promise<void> => {
      await cluster.kubectl(['scale', 'deployment/web', `--replicas=${String(to)}`]);
      await rolledOut(cluster);
    };
    await phase('nothing', () => new Promise((resolve) => setTimeout(resolve, 5_000)));
    await phase('rolling update', async () => {
      await cluster.kubectl(['set', 'env', 'deployment/web', 'VERSION=2']);
      await rolledOut(cluster);
    });
    await phase('scale-down', () => scale(6));
    await phase('scale-up', () => scale(replicas));
    await phase('drain', async () => {
      const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=100s'];
      await cluster.kubectl(['drain', 'h3', ...flags], { timeoutMs: 110_000 });
      await rolledOut(cluster);
    });
    await phase('node restart', async () => {
      await cluster.lab('kill', 'h3');
      await cluster.lab('boot', 'h3');
      await cluster.agent(3);
      await cluster.nodesReady(3);
      await cluster.kubectl(['uncordon', 'h3']);
      await cluster.kubectl(['set', 'env', 'deployment/web', 'VERSION=3']);
      await rolledOut(cluster);
    });
    await eventually(
      () => so(running).answered,
      (count) => count >= 100_000,
      { timeoutMs: 120_000, what: '100,000 requests' },
    );
    const total = sum(await Promise.all(running.map((load) => load.stop())));
    console.log(JSON.stringify({ ...seen, total }));
    expect(total.answered).toBeGreaterThanOrEqual(100_000);
    expect(dropped(total), JSON.stringify(total)).toBe(0);
  }, 600_000);

  it('loses some with a proxy that confirms what it has not done', async () => {
    const program = [process.execPath, join(checkout, 'test/e2e/careless-proxy.mjs')];
    const cluster = await start(2, program);
    const running = await loads(cluster);
    await cluster.kubectl(['set', 'env', 'deployment/web', 'VERSION=2']);
    await rolledOut(cluster);
    const total = sum(await Promise.all(running.map((load) => load.stop())));
    console.log(JSON.stringify(total));
    expect(dropped(total)).toBeGreaterThan(0);
  }, 400_000);
});
