// The user's kubectl, in every version that is at hand, on a whole cluster with simulated nodes.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capstanProgram, eventually, kubectlVersions, must, run, type Result } from './command.js';
import { freePort } from './free-port.js';

const manifest = (image: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {hollow.capstan.dev/log: hello}}
    spec:
      containers:
        - name: web
          image: ${image}
          ports: [{containerPort: 8080, name: http}]
          envFrom: [{configMapRef: {name: settings}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
`;

let folder: string;
let kubeconfig: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-kubectl-'));
  kubeconfig = join(folder, 'data/admin.kubeconfig');
  await must(capstanProgram, [
    ...['up', '--detach', '--data-dir', join(folder, 'data'), '--runtime', 'hollow', '--hollow-nodes', '2'],
    ...['--api-port', String(await freePort()), '--agent-port', String(await freePort())],
  ]);
});
afterAll(async () => {
  await run(capstanProgram, ['reset', '--yes', '--data-dir', join(folder, 'data')]);
  await rm(folder, { recursive: true, force: true });
});

describe.each(kubectlVersions())('kubectl $version', ({ version, program }) => {
  const namespace = `v${version.replace(/\W/g, '-')}`;
  const kubectl = (args: readonly string[], input?: string): Promise<Result> =>
    run(program, ['--kubeconfig', kubeconfig, '--namespace', namespace, ...args], {
      ...(input === undefined ? {} : { input }),
      environment: { HOME: folder },
    });
  const ok = async (args: readonly string[], input?: string): Promise<string> => {
    const result = await kubectl(args, input);
    expect(result.code, `kubectl ${args.join(' ')}\n${result.stderr}`).toBe(0);
    return result.stdout;
  };

  it('creates, applies and sees pods run', async () => {
    await ok(['create', 'namespace', namespace]);
    const applied = await ok(['apply', '-f', '-'], manifest('web:1'));
    expect(applied).toContain('deployment.apps/web created');
    expect(await ok(['rollout', 'status', 'deployment/web', '--timeout=30s'])).toContain(
      'successfully rolled out',
    );
    const pods = await ok(['get', 'pods', '-o', 'wide']);
    expect(pods).toMatch(
      /^NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\s+IP\s+NODE\s+NOMINATED NODE\s+READINESS GATES/,
    );
    expect(pods.match(/1\/1\s+Running\s+0\s/g)).toHaveLength(3);
    expect(await ok(['apply', '-f', '-'], manifest('web:1'))).toContain('deployment.apps/web unchanged');
  });

  it('lists several kinds in all namespaces', async () => {
    const all = await ok(['get', 'nodes,deploy,rs,pods', '-A', '-o', 'wide']);
    expect(all).toMatch(/node\/\S+\s+Ready/);
    expect(all).toMatch(/deployment.apps\/web\s+3\/3\s+3\s+3/);
    expect(all).toMatch(/replicaset.apps\/web-\w+\s+3\s+3\s+3/);
  });

  it('describes', async () => {
    expect(await ok(['describe', 'deployment', 'web'])).toMatch(
      /Replicas:\s+3 desired \| 3 updated \| 3 total \| 3 available/,
    );
    expect(await ok(['describe', 'pods', '-l', 'app=web'])).toContain('Started');
    expect(await ok(['describe', 'nodes'])).toContain('Allocatable');
    expect(await ok(['describe', 'service', 'web'])).toMatch(/Endpoints:\s+\d+\.\d+\.\d+\.\d+:8080/);
  });

  it('reads logs', async () => {
    expect(await ok(['logs', 'deployment/web', '--tail=5'])).toBe('hello\n');
  });

  it('scales', async () => {
    await ok(['scale', 'deployment/web', '--replicas=5']);
    await ok(['rollout', 'status', 'deployment/web', '--timeout=30s']);
    expect((await ok(['get', 'pods', '--no-headers'])).match(/Running/g)).toHaveLength(5);
  });

  it('rolls out, shows the history and undoes', async () => {
    await ok(['apply', '-f', '-'], manifest('web:2'));
    await ok(['rollout', 'status', 'deployment/web', '--timeout=30s']);
    expect(await ok(['rollout', 'history', 'deployment/web'])).toMatch(/^1 .*\n2 /m);
    expect(await ok(['rollout', 'history', 'deployment/web', '--revision=2'])).toContain('web:2');
    await ok(['rollout', 'undo', 'deployment/web']);
    await ok(['rollout', 'status', 'deployment/web', '--timeout=30s']);
    expect(
      await ok(['get', 'deploy', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}']),
    ).toBe('web:1');
    await ok(['rollout', 'restart', 'deployment/web']);
    await ok(['rollout', 'status', 'deployment/web', '--timeout=30s']);
  });

  it('watches', async () => {
    const watch = spawn(program, ['--kubeconfig', kubeconfig, '-n', namespace, 'get', 'configmaps', '-w'], {
      env: { ...process.env, HOME: folder },
    });
    let seen = '';
    watch.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    try {
      await eventually(
        () => seen,
        (text) => text.includes('settings'),
        { what: 'the first list of a watch' },
      );
      await ok(['create', 'configmap', 'late', '--from-literal=a=b']);
      await eventually(
        () => seen,
        (text) => /^late\s+1\s/m.test(text),
        { what: 'the new object in the watch' },
      );
    } finally {
      watch.kill();
    }
  });

  it('labels, annotates, patches and explains', async () => {
    await ok(['label', 'configmap', 'settings', 'colour=green']);
    await ok(['annotate', 'configmap', 'settings', 'note=x']);
    expect(await ok(['get', 'configmaps', '-l', 'colour=green', '-o', 'name'])).toBe('configmap/settings\n');
    await ok([
      'patch',
      'deployment',
      'web',
      '-p',
      '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"1"}]}]}}}}',
    ]);
    await ok([
      'patch',
      'configmap',
      'settings',
      '--type=json',
      '-p',
      '[{"op":"add","path":"/data/size","value":"9"}]',
    ]);
    expect(await ok(['get', 'configmap', 'settings', '-o', 'jsonpath={.data}'])).toBe(
      '{"colour":"blue","size":"9"}',
    );
    expect(await ok(['explain', 'deployment.spec.strategy'])).toContain('DeploymentStrategy');
    expect(await ok(['api-resources'])).toMatch(/deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/);
  });

  it('applies server-side, shows conflicts and differences', async () => {
    const server = ['apply', '--server-side', '-f', '-'];
    expect((await kubectl(server, manifest('web:9'))).stderr).toMatch(/conflict/i);
    await ok([...server, '--force-conflicts'], manifest('web:3'));
    const diff = await kubectl(['diff', '-f', '-'], manifest('web:4'));
    expect(diff.code).toBe(1);
    expect(diff.stdout).toMatch(/^\+.*image: web:4/m);
  });

  it('says what is wrong with a manifest, naming the field', async () => {
    const wrong = await kubectl(
      ['apply', '-f', '-'],
      manifest('web:1').replace('replicas: 3', 'replicas: -1'),
    );
    expect(wrong.stderr).toContain('spec.replicas');
    const unknown = await kubectl(
      ['apply', '-f', '-'],
      manifest('web:1').replace('replicas: 3', 'replicsa: 3'),
    );
    expect(unknown.stderr).toContain('replicsa');
  });

  it('deletes', async () => {
    await ok(['delete', 'deployment', 'web', '--wait=true', '--timeout=30s']);
    await eventually(
      () => ok(['get', 'pods,rs', '-o', 'name']),
      (names) => names === '',
      { what: 'no pods and no ReplicaSets' },
    );
    await ok(['delete', 'namespace', namespace, '--timeout=30s']);
    expect((await kubectl(['get', 'configmaps', '-o', 'name'])).stdout).toBe('');
  });
});
