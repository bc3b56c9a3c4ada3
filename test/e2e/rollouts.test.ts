// New versions that take over step by step, on a real engine: pushed through Git, promoted by hand, taken back in Git.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { AnalysisRun, Pod, Rollout, Service } from '../../src/resources/generated/types.js';
import { eventually, must } from './command.js';
import { Machine } from './machine.js';

const config = `
apiVersion: capstan.dev/v1
kind: ClusterConfig
spec:
  applications:
    - {name: steps, path: apps/steps, namespace: default}
    - {name: judged, path: apps/judged, namespace: default, onFailure: rollback}
    - {name: colours, path: apps/colours, namespace: default, onFailure: hold}
  status: {branch: capstan/status, minInterval: 1s}
`;

const service = (name: string, app: string): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: ${app}}, ports: [{port: 80, targetPort: 8080}]}
---`;

const rollout = (app: string, strategy: string): string => `
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: ${app}}
spec:
  replicas: 2
  selector: {matchLabels: {app: ${app}}}
  strategy: ${strategy}
  template:
    metadata: {labels: {app: ${app}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: capstan-example/web:1
          imagePullPolicy: IfNotPresent
          readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
`;

/** Nothing listens on port 9 of the machine, so every measurement is an error. */
const template = `
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: answers}
spec:
  metrics:
    - name: answers
      consecutiveErrorLimit: 0
      successCondition: result == "fine"
      provider: {web: {url: "http://127.0.0.1:9/", timeoutSeconds: 2}}
---`;

const canary = (app: string, steps: string): string =>
  `{canary: {canaryService: ${app}-canary, stableService: ${app}, steps: [${steps}]}}`;

const files: Readonly<Record<string, string>> = {
  'capstan.yaml': config,
  'apps/steps/steps.yaml':
    service('steps', 'steps') +
    service('steps-canary', 'steps') +
    rollout('steps', canary('steps', '{setWeight: 50}, {pause: {}}, {setWeight: 100}')),
  'apps/judged/judged.yaml':
    service('judged', 'judged') +
    service('judged-canary', 'judged') +
    template +
    rollout(
      'judged',
      canary(
        'judged',
        '{setWeight: 20}, {analysis: {templates: [{templateName: answers}]}}, {setWeight: 60}',
      ),
    ),
  'apps/colours/colours.yaml':
    service('colours', 'colours') +
    service('colours-preview', 'colours') +
    rollout(
      'colours',
      '{blueGreen: {activeService: colours, previewService: colours-preview, autoPromotionEnabled: false}}',
    ),
};

let machine: Machine;
const pathOf = (app: string): string => `apps/${app}/${app}.yaml`;
const rolloutOf = (app: string): Promise<Rollout> => machine.kubectlJson<Rollout>(['get', 'rollout', app]);
const serviceOf = (name: string): Promise<Service> => machine.kubectlJson<Service>(['get', 'service', name]);
const versionOf = async (name: string): Promise<string> =>
  (await serviceOf(name)).spec.selector?.['rollouts-pod-template-hash'] ?? '';
const weightsOf = async (name: string): Promise<readonly number[]> =>
  Object.values(
    JSON.parse((await serviceOf(name)).metadata.annotations?.['capstan.dev/weights'] ?? '{}') as Record<
      string,
      number
    >,
  );

const reaches = (app: string, phase: string): Promise<Rollout> =>
  eventually(
    () => rolloutOf(app),
    ({ metadata, status }) =>
      status?.phase === phase && String(status.observedGeneration) === String(metadata.generation),
    { what: `rollout ${app} is ${phase}` },
  );

/** Asks from within the cluster, by name, so that its DNS and its service proxy have part in the answers. */
const client = `
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: main, image: capstan-example/web:1, command: [sleep, "600"]}]
`;

/** What the client is answered in 24 requests, each answer once. */
const answersOf = async (name: string): Promise<readonly string[]> => {
  const loop = `i=0; while [ $i -lt 24 ]; do wget -qO- http://${name}/ || echo nothing; i=$((i+1)); done`;
  const { stdout, stderr } = await machine.kubectl(['exec', 'client', '--', 'sh', '-c', loop]);
  return stdout === '' ? [stderr] : [...new Set(stdout.trim().split('\n'))].sort();
};
const answer = (version: number): string => `Hello from version ${String(version)}`;
const serves = (name: string, ...versions: readonly number[]): Promise<unknown> =>
  eventually(
    () => answersOf(name),
    (answers) => answers.join() === versions.map(answer).join(),
    { what: `${name} serves ${versions.join(' and ')}` },
  );

const pushSecond = async (app: string): Promise<string> => {
  const path = join(machine.clone, pathOf(app));
  await machine.git(['pull', '-q', '--rebase']);
  await writeFile(path, (await readFile(path, 'utf8')).replace('web:1', 'web:2'));
  const { code, stderr } = await machine.push(`Serve version 2 of ${app}`);
  expect(code, stderr).toBe(0);
  return (await machine.git(['rev-parse', 'HEAD'])).stdout.trim();
};

/** A file of a branch as it stands now. */
const fileOf = async (branch: string, path: string): Promise<string> => {
  await machine.git(['fetch', '-q']);
  return (await machine.git(['show', `origin/${branch}:${path}`])).stdout;
};
const toldOf = (app: string, phase: string): Promise<string> =>
  eventually(
    () => fileOf('capstan/status', `status/rollouts/default.${app}.yaml`),
    (text) => text.includes(`phase: ${phase}\n`),
    { what: `the status branch tells that ${app} is ${phase}` },
  );
const tell = async (command: 'promote' | 'abort' | 'retry', app: string): Promise<void> => {
  const { code, stdout, stderr } = await machine.capstan([command, app]);
  expect(code, stdout + stderr).toBe(0);
};

beforeAll(async () => {
  machine = await Machine.make();
  await machine.up();
  await must('git', ['clone', '-q', join(machine.dataDir, 'repo.git'), machine.clone]);
  await rm(join(machine.clone, 'apps'), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(machine.clone, path)), { recursive: true });
    await writeFile(join(machine.clone, path), text);
  }
  await machine.kubectl(['apply', '-f', '-'], { input: client });
  const { code, stderr } = await machine.push('Three applications with a rollout each');
  expect(code, stderr).toBe(0);
  const apps = ['steps', 'judged', 'colours'];
  await eventually(
    async () => (await machine.kubectl(['get', 'applications'])).stdout,
    (text) => apps.every((app) => new RegExp(`^${app}\\s.*Healthy`, 'm').test(text)),
    { timeoutMs: 60_000, what: 'every application healthy with version 1' },
  );
  for (const app of apps) await reaches(app, 'Healthy');
});
afterAll(() => machine.destroy());

describe('a canary with steps', () => {
  it('stops at its pause with half of the traffic', async () => {
    await serves('steps', 1);
    await pushSecond('steps');
    const { status } = await reaches('steps', 'Paused');
    expect(status?.currentStepIndex).toBe(1);
    expect(status?.pauseConditions?.map(({ reason }) => reason)).toEqual(['CanaryPauseStep']);
    expect(await weightsOf('steps')).toEqual([50, 50]);
    expect(await versionOf('steps-canary')).toBe(status?.currentPodHash);
    await serves('steps', 1, 2);
    await serves('steps-canary', 2);
  });

  it('is told of by kubectl and by the status branch', async () => {
    const { stdout } = await machine.kubectl(['get', 'rollout', 'steps']);
    expect(stdout).toMatch(/^NAME\s+DESIRED\s+CURRENT\s+UP-TO-DATE\s+AVAILABLE/);
    expect(stdout).toMatch(/^steps\s+2\s+3\s+1\s+3\s/m);
    const told = parse(await toldOf('steps', 'Paused')) as Record<string, unknown>;
    expect(told).toMatchObject({ step: 1, steps: 3, weight: 50, pods: { wanted: 2, new: 1, all: 3 } });
    const page = await fileOf('capstan/status', 'STATUS.md');
    expect(page).toMatch(/default\/steps \| Paused \| 1\/3 pause \| █████░░░░░ 50 \| 1\/3/);
  });

  it('is finished by a promotion', async () => {
    await tell('promote', 'steps');
    const { status } = await reaches('steps', 'Healthy');
    expect(status?.stableRS).toBe(status?.currentPodHash);
    expect(await weightsOf('steps')).toEqual([]);
    await serves('steps', 2);
    expect(await toldOf('steps', 'Healthy')).toContain('weight: 100\n');
    const again = await machine.capstan(['promote', 'steps']);
    expect(again.stderr).toContain('runs the wanted version already');
    expect(again.code).not.toBe(0);
  });
});

describe('a canary whose analysis fails', () => {
  it('is aborted and taken back by a commit, while the stable version serves on', async () => {
    const before = await fileOf('main', pathOf('judged'));
    const stable = (await rolloutOf('judged')).status?.stableRS;
    const failed = await pushSecond('judged');
    const message = await eventually(
      async () => {
        await machine.git(['fetch', '-q']);
        return (await machine.git(['log', '-1', '--format=%an%n%B', 'origin/main'])).stdout;
      },
      (text) => text.includes('Capstan-Rolled-Back:'),
      { what: 'the revert commit' },
    );
    expect(message).toMatch(/^Capstan\nRoll judged back to /);
    expect(message).toContain(`Capstan-Rolled-Back: ${failed}\n`);
    expect(message).toContain('Capstan-Rollout: default/judged\nCapstan-Step: 2 of 3\n');
    expect(message).toMatch(/^Capstan-Metric: answers\nCapstan-Measured: .*127\.0\.0\.1:9/m);
    expect(await fileOf('main', pathOf('judged'))).toBe(before);
    expect(await fileOf('main', pathOf('steps'))).toContain('web:2');
    const runs = await machine.kubectlJson<{ items: readonly AnalysisRun[] }>(['get', 'analysisruns']);
    expect(runs.items.map(({ status }) => status?.phase)).toEqual(['Error']);
    const { status } = await reaches('judged', 'Healthy');
    expect(status?.stableRS).toBe(stable);
    expect(status?.currentPodHash).toBe(stable);
    await serves('judged', 1);
  });
});

describe('blue-green with a preview', () => {
  it('shows the new version to the preview alone', async () => {
    const { status: before } = await rolloutOf('colours');
    await pushSecond('colours');
    const { status } = await reaches('colours', 'Paused');
    expect(status?.currentPodHash).not.toBe(before?.currentPodHash);
    expect(await versionOf('colours-preview')).toBe(status?.currentPodHash);
    expect(await versionOf('colours')).toBe(before?.currentPodHash);
    await serves('colours-preview', 2);
    await serves('colours', 1);
    const pods = await machine.kubectlJson<{ items: readonly Pod[] }>(['get', 'pods', '-l', 'app=colours']);
    expect(pods.items.map(({ spec }) => spec.containers[0]?.image).sort()).toEqual(
      [1, 1, 2, 2].map((version) => `capstan-example/web:${String(version)}`),
    );
  });

  it('is given up and tried again by a person, while Git keeps the new version', async () => {
    const pushed = await fileOf('main', pathOf('colours'));
    await tell('abort', 'colours');
    const { status } = await reaches('colours', 'Degraded');
    expect(await versionOf('colours')).toBe(status?.stableRS);
    await serves('colours', 1);
    expect(await toldOf('colours', 'Degraded')).toContain('RolloutAborted');
    expect(await fileOf('main', pathOf('colours'))).toBe(pushed);
    await tell('retry', 'colours');
    await reaches('colours', 'Paused');
    await serves('colours-preview', 2);
  });

  it('switches when it is promoted', async () => {
    await tell('promote', 'colours');
    const { status } = await reaches('colours', 'Healthy');
    expect(status?.stableRS).toBe(status?.currentPodHash);
    expect(await versionOf('colours')).toBe(status?.currentPodHash);
    await serves('colours', 2);
  });
});
