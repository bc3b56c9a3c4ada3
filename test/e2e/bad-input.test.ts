// What goes wrong on a real machine, and the sentence that says so. Nothing that ran before stops.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/resources/generated/types.js';
import { capstanProgram, eventually, must, run, type Result } from './command.js';
import { freePort } from './free-port.js';
import { Machine } from './machine.js';

let machine: Machine;

const pod = (name: string, container: object, spec: object = {}): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: 'capstan-example/web:1', ...container }],
      ...spec,
    },
  });
const describePod = async (name: string): Promise<string> =>
  (await machine.kubectl(['describe', 'pod', name, '-n', 'default'])).stdout;
const says = (name: string, text: RegExp): Promise<string> =>
  eventually(
    () => describePod(name),
    (description) => text.test(description),
    {
      what: `${String(text)} in the description of pod ${name}`,
    },
  );
const upWith = (...flags: readonly string[]): Promise<Result> =>
  run(capstanProgram, ['up', '--detach', ...flags], { timeoutMs: 100_000 });
const runningPods = async (): Promise<readonly (string | undefined)[]> =>
  (await machine.kubectlJson<{ items: Pod[] }>(['get', 'pods', '-A'])).items
    .filter(({ metadata }) => metadata.namespace === 'web')
    .flatMap(({ status }) => status?.containerStatuses?.map(({ containerID }) => containerID) ?? [])
    .sort();

beforeAll(async () => {
  machine = await Machine.make();
  await machine.up();
  const status = await machine.capstan(['status', '--wait', '90s'], { timeoutMs: 100_000 });
  expect(status.code, status.stderr).toBe(0);
  await must('git', ['clone', '-q', join(machine.dataDir, 'repo.git'), machine.clone]);
});
afterAll(async () => {
  await machine.destroy();
});

describe('pods that cannot run say why', () => {
  it('an image that does not exist', async () => {
    await machine.kubectl(['apply', '-f', '-'], {
      input: pod('no-image', { image: 'nowhere.invalid/none:1' }),
    });
    const description = await says('no-image', /ErrImagePull|ImagePullBackOff/);
    expect(description).toContain('nowhere.invalid/none:1');
  });

  it('a command that crashes', async () => {
    await machine.kubectl(['apply', '-f', '-'], {
      input: pod('crash', { command: ['/bin/busybox', 'sh', '-c', 'echo broken; exit 3'] }),
    });
    const description = await says('crash', /CrashLoopBackOff/);
    expect(description).toMatch(/Exit Code:\s+3/);
    expect((await machine.kubectl(['logs', 'crash', '-n', 'default', '--previous'])).stdout).toBe('broken\n');
  });

  it('a command that is not in the image', async () => {
    await machine.kubectl(['apply', '-f', '-'], { input: pod('no-command', { command: ['/bin/absent'] }) });
    await says('no-command', /\/bin\/absent/);
  });

  it('a ConfigMap that is missing, until it comes', async () => {
    const input = pod('no-config', { envFrom: [{ configMapRef: { name: 'absent' } }] });
    await machine.kubectl(['apply', '-f', '-'], { input });
    await says('no-config', /configmap "absent" not found/);
    await machine.kubectl(['create', 'configmap', 'absent', '-n', 'default', '--from-literal=A=b']);
    await eventually(
      () => machine.kubectl(['get', 'pod', 'no-config', '-n', 'default', '-o', 'jsonpath={.status.phase}']),
      ({ stdout }) => stdout === 'Running',
      { what: 'the pod with its ConfigMap' },
    );
  });

  it('a pod that is larger than any node', async () => {
    await machine.kubectl(['apply', '-f', '-'], {
      input: pod('huge', { resources: { requests: { memory: '90Ti' } } }),
    });
    await says('huge', /0\/1 nodes are available: 1 Insufficient memory/);
  });

  it('and what ran before still runs', async () => {
    expect(await runningPods()).toHaveLength(2);
    for (const name of ['no-image', 'crash', 'no-command', 'no-config', 'huge'])
      await machine.kubectl(['delete', 'pod', name, '-n', 'default', '--wait=false']);
  });
});

describe('pushes that are wrong are refused by name of the place', () => {
  const refused = async (
    files: Readonly<Record<string, string>>,
    ...expected: readonly string[]
  ): Promise<void> => {
    const before = await runningPods();
    for (const [file, content] of Object.entries(files)) {
      await mkdir(join(machine.clone, file, '..'), { recursive: true });
      await writeFile(join(machine.clone, file), content);
    }
    const push = await machine.push('Something wrong');
    expect(push.code).not.toBe(0);
    for (const text of expected) expect(push.stderr).toContain(text);
    await machine.git(['reset', '-q', '--hard', 'origin/main']);
    expect(await runningPods()).toEqual(before);
  };
  const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

  it('YAML that does not parse', () =>
    refused({ 'apps/web/x.yaml': 'a: b\n c: d\n' }, 'apps/web/x.yaml:2:2: this is not valid YAML'));
  it('a field that does not exist', () =>
    refused({ 'apps/web/x.yaml': `${configMap('x')}dta:\n  a: b\n` }, 'apps/web/x.yaml:5:1', 'dta'));
  it('an unknown kind', () =>
    refused(
      { 'apps/web/x.yaml': configMap('x').replace('ConfigMap', 'ConfigMpa') },
      'apps/web/x.yaml:2:',
      'ConfigMpa',
    ));
  it('two files with one object', () =>
    refused(
      { 'apps/web/x.yaml': configMap('same'), 'apps/web/y.yaml': configMap('same') },
      'apps/web/x.yaml',
      'apps/web/y.yaml:',
      'same',
    ));
  it('a manifest without a namespace', () =>
    refused({ 'apps/infra/x.yaml': configMap('homeless') }, 'apps/infra/x.yaml:', 'namespace'));
});

describe('a repository that misbehaves changes nothing that runs', () => {
  const repository = (): string => join(machine.dataDir, 'repo.git');
  const status = async (): Promise<string> => (await machine.capstan(['status'])).stdout;

  it('when it disappears and returns', async () => {
    const before = await runningPods();
    await rename(repository(), `${repository()}.away`);
    await eventually(status, (text) => /repo\.git/.test(text) && /not|cannot|gone/.test(text), {
      what: 'a status that says that the repository is gone',
    });
    expect(await runningPods()).toEqual(before);
    await rename(`${repository()}.away`, repository());
    await writeFile(
      join(machine.clone, 'apps/web/late.yaml'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: late}\n',
    );
    expect((await machine.push('After the return')).code).toBe(0);
    await eventually(
      () => machine.kubectl(['get', 'configmap', 'late', '-n', 'web']),
      ({ code }) => code === 0,
      { what: 'the object of the push after the return' },
    );
  });

  it('when it is emptied', async () => {
    const before = await runningPods();
    await machine.git(['rm', '-rq', '.']);
    await machine.push('Delete everything');
    await eventually(status, (text) => /empt|allowEmpty/i.test(text), {
      what: 'a status that speaks of emptiness',
    });
    expect(await runningPods()).toEqual(before);
    await machine.git(['revert', '--no-edit', 'HEAD']);
    expect((await machine.git(['push', 'origin', 'HEAD'])).code).toBe(0);
  });

  it('when it is force-pushed to an unrelated history', async () => {
    const before = await runningPods();
    await machine.git(['checkout', '-q', '--orphan', 'other']);
    await machine.git(['commit', '-q', '-m', 'A new beginning']);
    expect((await machine.git(['push', '-f', 'origin', 'HEAD:main'])).code).toBe(0);
    const head = (await machine.git(['rev-parse', 'HEAD'])).stdout.trim();
    await eventually(status, (text) => text.includes(head.slice(0, 7)), {
      what: 'the new history in the status',
    });
    expect(await runningPods()).toEqual(before);
  });
});

describe('a machine that is not ready is told so at the start', () => {
  let blocker: Server | undefined;
  const other = (): string => join(machine.folder, 'other');

  afterAll(async () => {
    blocker?.close();
    await rm(other(), { recursive: true, force: true });
  });

  it('a port in use', async () => {
    const port = await freePort();
    blocker = createServer().listen(port, '0.0.0.0');
    const result = await upWith('--data-dir', other(), '--runtime', 'hollow', '--api-port', String(port));
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`port ${port} is in use`);
    expect(result.stderr).toContain('--api-port');
  });

  it('addresses that another Capstan on this machine has, and with others both live', async () => {
    const second = join(machine.folder, 'second');
    const up = (...flags: readonly string[]): Promise<Result> =>
      machine.run(
        capstanProgram,
        [
          ...['up', '--detach', '--data-dir', second, '--docker-host', machine.engine.host],
          ...['--api-port', '16443', '--agent-port', '20250', ...flags],
        ],
        { timeoutMs: 100_000 },
      );
    const pods = await up();
    expect(pods.code).toBe(1);
    expect(pods.stderr).toMatch(
      /--pod-cidr 10\.244\.0\.0\/16 overlaps .*choose another network with --pod-cidr/,
    );
    const services = await up('--pod-cidr', '10.50.0.0/16');
    expect(services.stderr).toMatch(/--service-cidr 10\.96\.0\.0\/16 overlaps .* of another Capstan/);
    const both = await up('--pod-cidr', '10.50.0.0/16', '--service-cidr', '10.97.0.0/16');
    expect(both.code, both.stderr).toBe(0);
    const reset = await machine.run(capstanProgram, ['reset', '--yes', '--data-dir', second], {
      timeoutMs: 60_000,
    });
    expect(reset.code, reset.stderr).toBe(0);
    const tables = await machine.run('nft', ['list', 'tables']);
    expect(tables.stdout.match(/table ip capstan-/g)).toHaveLength(1);
  });

  it('an engine that does not run', async () => {
    const result = await upWith(
      '--data-dir',
      other(),
      '--docker-host',
      'unix:///run/no-such.sock',
      '--api-port',
      String(await freePort()),
    );
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('/run/no-such.sock');
    expect(result.stderr).toMatch(/start|dockerd|--docker-host/);
  });

  it('a data directory in use', async () => {
    const result = await run(
      capstanProgram,
      ['up', '--data-dir', machine.dataDir, '--runtime', 'hollow', '--api-port', String(await freePort())],
      { timeoutMs: 30_000 },
    );
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(machine.dataDir);
  });

  it('a certificate of another cluster', async () => {
    const foreign = join(machine.folder, 'foreign');
    await must(capstanProgram, [
      ...['up', '--detach', '--data-dir', foreign, '--runtime', 'hollow', '--hollow-nodes', '1'],
      ...['--api-port', String(await freePort()), '--agent-port', String(await freePort())],
    ]);
    const server = /server: (\S+)/.exec(await readFile(machine.kubeconfig, 'utf8'))?.[1] ?? '';
    const result = await machine.run('kubectl', [
      ...[
        '--kubeconfig',
        join(foreign, 'admin.kubeconfig'),
        '--server',
        server,
        '--insecure-skip-tls-verify',
        'get',
        'pods',
      ],
    ]);
    await must(capstanProgram, ['reset', '--yes', '--data-dir', foreign]);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/Unauthorized|must be logged in|authority/i);
  });
});
