// Two machines: pods spread, one is cut off, its pods move, it comes back.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Node, Pod } from '../../src/resources/generated/types.js';
import { startDockerEngine, type DockerEngine } from '../docker/docker-engine.js';
import { capstanProgram, checkout, eventually, kubectlProgram, must, run, type Result } from './command.js';

interface Items<T> {
  readonly items: readonly T[];
}

const id = randomBytes(2).toString('hex');
const folder = join(tmpdir(), `capstan-two-hosts-${id}`);
const environment = { LAB_NAME: `c${id}`, LAB_DIR: folder };
const lab = (...args: readonly string[]): Promise<string> =>
  must(join(checkout, 'scripts/lab'), args, { environment, timeoutMs: 120_000 });
const on = (host: string, program: string, ...args: readonly string[]): Promise<Result> =>
  run(join(checkout, 'scripts/lab'), ['exec', host, program, ...args], { environment, timeoutMs: 120_000 });
const kubectl = async <T>(...args: readonly string[]): Promise<T> => {
  const { stdout, stderr } = await on(
    'h1',
    kubectlProgram,
    '--kubeconfig',
    `${folder}/h1/data/admin.kubeconfig`,
    ...args,
    '-o',
    'json',
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as T;
};
const readyPods = async (): Promise<readonly Pod[]> =>
  (await kubectl<Items<Pod>>('get', 'pods', '-n', 'default', '-l', 'app=spread')).items.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined &&
      status?.conditions?.some(({ type, status: state }) => type === 'Ready' && state === 'True') === true,
  );
const isReady = (node: Node): boolean =>
  node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'spread', namespace: 'default' },
  spec: {
    replicas: 6,
    selector: { matchLabels: { app: 'spread' } },
    template: {
      metadata: { labels: { app: 'spread' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'web',
            image: 'capstan-example/web:1',
            readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
};

let images: DockerEngine;

beforeAll(async () => {
  images = await startDockerEngine();
  await must(join(checkout, 'scripts/example-images'), [], { environment: { DOCKER_HOST: images.host } });
  await lab('up', '2');
  await must(join(checkout, 'scripts/lab'), ['load', 'capstan-example/web:1', 'capstan-example/web:2'], {
    environment: { ...environment, DOCKER_HOST: images.host },
  });
  await images.stop();
}, 180_000);
afterAll(async () => {
  await lab('down');
}, 60_000);

describe('a cluster of two machines', () => {
  it('takes in a second machine by a kubeconfig that the master signed', async () => {
    const up = await on(
      ...(['h1', capstanProgram, 'up', '--detach', '--data-dir', `${folder}/h1/data`] as const),
      ...['--docker-host', `unix://${folder}/h1/docker.sock`, '--advertise-address', '10.77.0.1'],
    );
    expect(up.stderr).toBe('');
    const signed = await on(
      ...(['h1', capstanProgram, 'kubeconfig', '--data-dir', `${folder}/h1/data`, '--node', 'h2'] as const),
      ...['--server', 'https://10.77.0.1:6443'],
    );
    await writeFile(`${folder}/h2/agent.kubeconfig`, signed.stdout, { mode: 0o600 });
    const agent = await on(
      ...([
        'h2',
        capstanProgram,
        'agent',
        '--detach',
        '--kubeconfig',
        `${folder}/h2/agent.kubeconfig`,
      ] as const),
      ...['--data-dir', `${folder}/h2/data`, '--docker-host', `unix://${folder}/h2/docker.sock`],
      ...['--advertise-address', '10.77.0.2', '--node-name', 'h2'],
    );
    expect(agent.stderr).toBe('');
    const nodes = await eventually(
      async () => (await kubectl<Items<Node>>('get', 'nodes')).items,
      (items) => items.length === 2 && items.every(isReady),
      { what: 'two ready nodes' },
    );
    expect(new Set(nodes.map(({ spec }) => spec.podCIDR)).size).toBe(2);
  });

  it('spreads pods over both', async () => {
    await writeFile(`${folder}/spread.json`, JSON.stringify(deployment));
    await kubectl('apply', '-f', `${folder}/spread.json`);
    const pods = await eventually(readyPods, (items) => items.length === 6, {
      timeoutMs: 60_000,
      what: 'six ready pods',
    });
    const perNode = pods.reduce<Record<string, number>>(
      (counts, { spec }) => ({ ...counts, [spec.nodeName ?? '']: (counts[spec.nodeName ?? ''] ?? 0) + 1 }),
      {},
    );
    // The example runs on h1 already, so an even split of these pods is not the only good one.
    expect(Object.keys(perNode).sort()).toEqual(['h1', 'h2']);
    expect(Math.min(...Object.values(perNode))).toBeGreaterThanOrEqual(2);
  });

  it('reads the logs of a pod on the other machine', async () => {
    const [pod] = (await readyPods()).filter(({ spec }) => spec.nodeName === 'h2');
    const logs = await on(
      'h1',
      kubectlProgram,
      '--kubeconfig',
      `${folder}/h1/data/admin.kubeconfig`,
      'logs',
      pod!.metadata.name,
    );
    expect(logs.code, logs.stderr).toBe(0);
  });

  it('moves the pods of a machine that is cut off, within 12 s and a margin for a busy test machine', async () => {
    await lab('cut', 'h2');
    const start = Date.now();
    await eventually(
      readyPods,
      (pods) => pods.length === 6 && pods.every(({ spec }) => spec.nodeName === 'h1'),
      { timeoutMs: 60_000, what: 'all pods on h1' },
    );
    expect(Date.now() - start).toBeLessThan(20_000);
  });

  it('takes the machine back, and nothing runs twice', async () => {
    await lab('join', 'h2');
    await eventually(
      async () => (await kubectl<Items<Node>>('get', 'nodes')).items,
      (items) => items.every(isReady),
      { timeoutMs: 60_000, what: 'both nodes ready again' },
    );
    await eventually(
      () =>
        must('docker', [
          '-H',
          `unix://${folder}/h2/docker.sock`,
          'ps',
          '-q',
          '--filter',
          'label=dev.capstan.pod-name',
        ]),
      (running) => running === '',
      { timeoutMs: 60_000, what: 'no left-over containers on h2' },
    );
    expect(await readyPods()).toHaveLength(6);
  });
});
