// Twenty pods through the agent, Ready, against twenty single containers through the Docker API; then a hundred pods.
import Docker from 'dockerode';
import { importBusybox } from '../docker/busybox-image.js';
import { startDockerEngine } from '../docker/docker-engine.js';
import type { DockerEngine } from '../docker/docker-engine.js';
import { DockerNode, image } from '../docker/docker-node.js';
import { condition } from '../unit/node/agent-harness.js';
import { median, type Benchmark } from './benchmark.js';

const burst = 20;
const many = 100;
const rounds = 3;
/** Raw Docker is fastest with eight under way. */
const width = 8;

const container = { name: 'web', image, imagePullPolicy: 'IfNotPresent' };

/** Milliseconds until the last of them runs, on a bridge of their own. */
const startSingles = async (engine: DockerEngine, count: number): Promise<number> => {
  const docker = new Docker({ socketPath: engine.socketPath });
  const network = await docker.createNetwork({
    Name: 'singles',
    Driver: 'bridge',
    IPAM: { Config: [{ Subnet: '10.197.0.0/24' }] },
  });
  const made: Docker.Container[] = [];
  const begin = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const name = `single-${next++}`;
      const created = await docker.createContainer({
        name,
        Image: image,
        HostConfig: { NetworkMode: 'singles' },
      });
      made.push(created);
      await created.start();
    }
  };
  try {
    await Promise.all(Array.from({ length: width }, worker));
    return performance.now() - begin;
  } finally {
    for (const each of made) await each.remove({ force: true });
    await network.remove();
  }
};

/** Milliseconds from the first creation until each pod was Ready, in order. */
const startPods = async (node: DockerNode, prefix: string, count: number): Promise<readonly number[]> => {
  const begin = performance.now();
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  for (const name of names)
    await node.harness.createPod(name, { terminationGracePeriodSeconds: 0, containers: [container] });
  const times: number[] = [];
  const waiting = new Set(names);
  await node.until(
    `${count} pods ready`,
    async () => {
      for (const name of waiting)
        if (condition(await node.harness.pod(name), 'Ready') === 'True') {
          waiting.delete(name);
          times.push(performance.now() - begin);
        }
      return waiting.size === 0;
    },
    300_000,
  );
  for (const name of names) await node.harness.deletePod(name, 0);
  for (const name of names) await node.gone(name);
  return times;
};

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;

export const podBurst: Benchmark = {
  name: 'pod-burst',
  run: async () => {
    const engine = await startDockerEngine();
    try {
      await importBusybox(engine.host, image);
      const node = await DockerNode.open(engine, '10.208.0.0/24');
      try {
        await startPods(node, 'warm', 1);
        const singles: number[] = [];
        const pods: number[] = [];
        for (let round = 0; round < rounds; round += 1) {
          singles.push(await startSingles(engine, burst));
          pods.push((await startPods(node, `burst${round}`, burst)).at(-1) ?? Number.NaN);
        }
        const before = process.memoryUsage().rss;
        const hundred = await startPods(node, 'many', many);
        const raw = await startSingles(engine, many);
        const grown = (process.memoryUsage().rss - before) / 2 ** 20;
        return [
          {
            figure: `${burst} pods Ready`,
            value: median(pods) / 1000,
            unit: 's',
            baseline: `${burst} single containers, ${width} in parallel`,
            baselineValue: median(singles) / 1000,
            ratio: median(pods.map((value, index) => value / (singles[index] ?? Number.NaN))),
            aim: '≤ 1.1',
          },
          {
            figure: `${many} pods on one node Ready, p99`,
            value: quantile(hundred, 0.99) / 1000,
            unit: 's',
            baseline: `${many} single containers`,
            baselineValue: raw / 1000,
            ratio: quantile(hundred, 0.99) / raw,
            note: `p50 ${(quantile(hundred, 0.5) / 1000).toFixed(1)} s; the process with store, API and agent grew by ${grown.toFixed(0)} MB`,
          },
        ];
      } finally {
        await node.close();
      }
    } finally {
      await engine.stop();
    }
  },
};
