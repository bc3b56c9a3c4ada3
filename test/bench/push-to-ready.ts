// From `git push` to twenty pods Ready, against the same twenty container pairs started through the Docker API.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Machine } from '../e2e/machine.js';
import { must } from '../e2e/command.js';
import { openRemote } from '../../src/process/remote.js';
import { readFileSync } from 'node:fs';
import { pods } from '../../src/resources/kinds/pods.js';
import type { Pod } from '../../src/resources/generated/types.js';
import { startPairs } from './docker-pairs.js';
import { median, type Benchmark } from './benchmark.js';

const count = 20;
/** Raw Docker is fastest with eight pairs under way. */
const width = 8;
const rounds = 3;

const deployment = (name: string): string => `apiVersion: v1
kind: Namespace
metadata: {name: ${name}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bench, namespace: ${name}}
spec:
  replicas: ${count}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: capstan-example/web:1
`;

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

/** Milliseconds from the start of the push until all pods of the namespace are Ready. */
const pushAndWait = async (machine: Machine, name: string, signal: AbortSignal): Promise<number> => {
  await mkdir(join(machine.clone, `apps/${name}`), { recursive: true });
  await writeFile(join(machine.clone, `apps/${name}/bench.yaml`), deployment(name));
  const config = readFileSync(join(machine.clone, 'capstan.yaml'), 'utf8');
  await writeFile(
    join(machine.clone, 'capstan.yaml'),
    config.replace('applications:\n', `applications:\n    - name: ${name}\n      path: apps/${name}\n`),
  );
  await machine.git(['add', '-A']);
  await machine.git(['commit', '-q', '-m', `Add ${name}`]);
  const remote = openRemote(await machine.kubeconfigFromOutside(), machine.kubeconfig);
  const done = new AbortController();
  try {
    const { resourceVersion } = await remote.cluster.list(pods, { namespace: name });
    const start = performance.now();
    const push = machine.git(['push', '-q', 'origin', 'HEAD']);
    const ready = new Set<string>();
    const limit = AbortSignal.any([signal, done.signal, AbortSignal.timeout(120_000)]);
    for await (const event of remote.cluster.watch(pods, { namespace: name, resourceVersion }, limit)) {
      if (event.type === 'BOOKMARK') continue;
      if (isReady(event.object)) ready.add(event.object.metadata.name);
      if (ready.size === count) break;
    }
    const elapsed = performance.now() - start;
    const { code, stderr } = await push;
    if (code !== 0 || ready.size < count) throw new Error(`only ${ready.size} pods became Ready\n${stderr}`);
    return elapsed;
  } finally {
    done.abort();
    remote.close();
  }
};

const takeAway = async (machine: Machine, name: string): Promise<void> => {
  await machine.git(['revert', '--no-edit', 'HEAD']);
  await machine.git(['push', '-q', 'origin', 'HEAD']);
  for (let tries = 0; tries < 240; tries += 1) {
    const left = await machine.docker('ps', '-aq', '--filter', `label=dev.capstan.pod-namespace=${name}`);
    if (left === '') return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`the pods of ${name} were not removed within 60 s`);
};

export const pushToReady: Benchmark = {
  name: 'push-to-ready',
  run: async (signal) => {
    const machine = await Machine.make();
    try {
      await machine.up();
      await machine.capstan(['status', '--wait', '90s'], { timeoutMs: 100_000 });
      await must('git', ['clone', '-q', join(machine.dataDir, 'repo.git'), machine.clone]);
      const raw: number[] = [];
      const pushed: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        raw.push(
          await startPairs({ host: machine.engine.host, image: 'capstan-example/web:1', count, width }),
        );
        pushed.push(await pushAndWait(machine, `bench-${round}`, signal));
        await takeAway(machine, `bench-${round}`);
      }
      return [
        {
          figure: `git push → ${count} pods Ready`,
          value: median(pushed) / 1000,
          unit: 's',
          baseline: `${count} pause+application pairs, ${width} in parallel`,
          baselineValue: median(raw) / 1000,
          ratio: median(pushed.map((value, index) => value / (raw[index] ?? Number.NaN))),
          aim: '≤ 1.25',
        },
      ];
    } finally {
      await machine.destroy();
    }
  },
};
