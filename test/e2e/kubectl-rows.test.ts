// Commands of kubectl beside the everyday ones, on a whole cluster with simulated nodes.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capstanProgram, eventually, kubectlVersions, must, run, type Result } from './command.js';
import { freePort } from './free-port.js';

let folder: string;
let kubeconfig: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-rows-'));
  kubeconfig = join(folder, 'data/admin.kubeconfig');
  await must(capstanProgram, [
    ...['up', '--detach', '--data-dir', join(folder, 'data'), '--runtime', 'hollow', '--hollow-nodes', '2'],
    ...['--api-port', String(await freePort()), '--agent-port', String(await freePort())],
  ]);
  await must('openssl', [
    ...['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=jane'],
    ...['-keyout', join(folder, 'key'), '-out', join(folder, 'csr')],
  ]);
});
afterAll(async () => {
  await run(capstanProgram, ['reset', '--yes', '--data-dir', join(folder, 'data')]);
  await rm(folder, { recursive: true, force: true });
});

const request = async (name: string): Promise<string> => `
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: ${name}}
spec:
  request: ${(await readFile(join(folder, 'csr'))).toString('base64')}
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
`;

const workload = (kind: string, name: string): string => `
apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata:
      labels: {app: ${name}}
      annotations: {hollow.capstan.dev/cpu: 100m, hollow.capstan.dev/memory: 32Mi}
    spec: {containers: [{name: main, image: "one:1"}]}
`;

const versions = [...kubectlVersions()].sort((a, b) =>
  a.version.localeCompare(b.version, 'en', { numeric: true }),
);
const ends = versions.filter((_, index) => index === 0 || index === versions.length - 1);

const client = (program: string, namespace: string) => {
  const kubectl = (args: string, input?: string): Promise<Result> =>
    run(program, ['--kubeconfig', kubeconfig, '--namespace', namespace, ...args.split(' ')], {
      ...(input === undefined ? {} : { input }),
      environment: { HOME: folder },
    });
  const ok = async (args: string, input?: string): Promise<string> => {
    const result = await kubectl(args, input);
    expect(result.code, `kubectl ${args}\n${result.stderr}`).toBe(0);
    return result.stdout;
  };
  return { kubectl, ok };
};

describe.each(versions)('kubectl $version', ({ version, program }) => {
  const { ok } = client(program, 'default');
  const suffix = version.replace(/\W/g, '-');

  it('approves and denies certificates', async () => {
    await ok('create -f -', await request(`yes-${suffix}`));
    await ok('create -f -', await request(`no-${suffix}`));
    await ok(`certificate approve yes-${suffix}`);
    await ok(`certificate deny no-${suffix}`);
    await eventually(
      () => ok(`get csr yes-${suffix} -o jsonpath={.status.certificate}`),
      (certificate) => certificate !== '',
      { what: 'the certificate' },
    );
    expect(await ok(`get csr no-${suffix} -o jsonpath={.status.conditions[*].type}`)).toBe('Denied');
    expect(await ok(`get csr no-${suffix} -o jsonpath={.status.certificate}`)).toBe('');
  });

  it('creates a token', async () => {
    await ok(`create serviceaccount robot-${suffix}`);
    const token = await ok(`create token robot-${suffix} --duration=1h`);
    expect(token.trim().split('.')).toHaveLength(3);
  });
});

describe.each(ends)('kubectl $version', ({ version, program }) => {
  const namespace = `rows-${version.replace(/\W/g, '-')}`;
  const { kubectl, ok } = client(program, namespace);

  it.each(['Deployment', 'StatefulSet', 'DaemonSet'])('restarts and undoes a %s', async (kind) => {
    // Once for all kinds.
    await kubectl(`create namespace ${namespace}`);
    const name = kind.toLowerCase();
    const of = `${name}/${name}`;
    await ok('apply -f -', workload(kind, name));
    await ok(`rollout status ${of} --timeout=30s`);
    await ok(`set image ${of} main=two:2`);
    await ok(`rollout status ${of} --timeout=30s`);
    expect(await ok(`rollout history ${of}`)).toMatch(/^1 .*\n2 /m);
    await ok(`rollout undo ${of}`);
    expect(await ok(`get ${of} -o jsonpath={.spec.template.spec.containers[0].image}`)).toBe('one:1');
    await ok(`rollout restart ${of}`);
    await ok(`rollout status ${of} --timeout=30s`);
  });

  it('shows what nodes and pods consume', async () => {
    await eventually(
      () => kubectl('top pods --no-headers'),
      ({ stdout }) => /^deployment-\S+\s+\d+m\s+32Mi/m.test(stdout),
      { what: 'figures of the pods', timeoutMs: 45_000 },
    );
    expect(await ok('top nodes --no-headers')).toMatch(/^\S+\s+\d+m\s+\d+%/m);
  });

  it('stores and shows an ephemeral container', async () => {
    const pod = await ok('get pods -l app=deployment -o jsonpath={.items[0].metadata.name}');
    await ok(`debug ${pod} --image=tools:1 --container=look --attach=false`);
    expect(await ok(`get pod ${pod} -o jsonpath={.spec.ephemeralContainers[*].name}`)).toBe('look');
  });

  it('does not drain what a PodDisruptionBudget protects', async () => {
    await ok('create poddisruptionbudget keep --selector=app=deployment --min-available=1');
    const node = await ok('get pods -l app=deployment -o jsonpath={.items[0].spec.nodeName}');
    const drained = await kubectl(
      `drain ${node} --ignore-daemonsets --force --pod-selector=app=deployment --timeout=3s`,
    );
    await ok(`uncordon ${node}`);
    expect(drained.code).not.toBe(0);
    expect(drained.stderr).toMatch(/disruption budget/);
  });
});
