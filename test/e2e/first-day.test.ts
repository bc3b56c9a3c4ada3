// What a new user does on the first day, in that order, on a real engine with real Git and kubectl.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deployment, Node, Pod } from '../../src/resources/generated/types.js';
import { capstanProgram, eventually, kubectlVersions, must, run } from './command.js';
import { Machine } from './machine.js';

interface Items<T> {
  readonly items: readonly T[];
}

let machine: Machine;
const edit = async (file: string, change: (text: string) => string): Promise<void> => {
  const path = join(machine.clone, file);
  await writeFile(path, change(await readFile(path, 'utf8')));
};
const podsOf = async (namespace: string): Promise<readonly Pod[]> =>
  (await machine.kubectlJson<Items<Pod>>(['get', 'pods', '-n', namespace])).items;
const ready = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
const pageOf = async (pod: Pod): Promise<string> =>
  (await machine.run('busybox', ['wget', '-qO-', `http://${pod.status?.podIP ?? ''}:8080/`])).stdout;

beforeAll(async () => {
  machine = await Machine.make();
});
afterAll(async () => {
  await machine.destroy();
});

describe('the first day with Capstan', () => {
  it('starts with one command and becomes healthy', async () => {
    const printed = await machine.up();
    expect(printed).toContain(machine.kubeconfig);
    const status = await machine.capstan(['status', '--wait', '90s'], { timeoutMs: 100_000 });
    expect(status.stderr).toBe('');
    expect(status.stdout).toMatch(/web\s+Healthy/);
    const nodes = await machine.kubectlJson<Items<Node>>(['get', 'nodes']);
    expect(nodes.items.map(({ metadata }) => metadata.name)).toEqual(['here']);
    const pods = await podsOf('web');
    expect(pods.filter(ready)).toHaveLength(2);
    expect(await Promise.all(pods.map(pageOf))).toEqual(Array(2).fill('Hello from version 1\n'));
  });

  it('says that it runs already when it is started again', async () => {
    expect(await machine.up()).toMatch(/runs already \(process \d+/);
  });

  it('rolls the pods over after a push, whose output names the plan', async () => {
    await must('git', ['clone', '-q', join(machine.dataDir, 'repo.git'), machine.clone]);
    await edit('apps/web/deployment.yaml', (text) => text.replace('web:1', 'web:2'));
    const push = await machine.push('Serve version 2');
    expect(push.code).toBe(0);
    expect(push.stderr).toMatch(/remote:.*update.*deployment.*web/i);
    expect(push.stderr).toContain('capstan-example/web:1');
    expect(push.stderr).toContain('capstan-example/web:2');
    await eventually(
      async () => (await podsOf('web')).filter(ready),
      (pods) =>
        pods.length === 2 && pods.every(({ spec }) => spec.containers[0]?.image === 'capstan-example/web:2'),
      { what: 'two ready pods of version 2' },
    );
    const pods = (await podsOf('web')).filter(ready);
    expect(await Promise.all(pods.map(pageOf))).toEqual(Array(2).fill('Hello from version 2\n'));
  });

  it('writes the status as a commit', async () => {
    const head = (await machine.git(['rev-parse', 'HEAD'])).stdout.trim();
    const status = await eventually(
      async () => {
        await machine.git(['fetch', '-q']);
        return (await machine.git(['show', 'origin/capstan/status:status/applications/web.yaml'])).stdout;
      },
      (text) => text.includes(head) && text.includes('Healthy'),
      { what: 'a status commit of the new revision' },
    );
    expect(status).toContain('kind: Deployment');
    const page = (await machine.git(['show', 'origin/capstan/status:STATUS.md'])).stdout;
    expect(page).toContain('web');
    expect(page).toContain(head.slice(0, 7));
    const trailers = (await machine.git(['log', '-1', '--format=%B', 'origin/capstan/status'])).stdout;
    expect(trailers).toMatch(/^Capstan-Revision: /m);
  });

  it('refuses a wrong push with file, line and column, and nothing changes', async () => {
    const before = (await podsOf('web')).filter(ready);
    await edit('apps/web/deployment.yaml', (text) => text.replace('replicas: 2', 'replicas: two'));
    const line =
      (await readFile(join(machine.clone, 'apps/web/deployment.yaml'), 'utf8'))
        .split('\n')
        .findIndex((text) => text.includes('replicas: two')) + 1;
    const push = await machine.push('Break it');
    expect(push.code).not.toBe(0);
    expect(push.stderr).toContain(`apps/web/deployment.yaml:${line}:`);
    expect(push.stderr).toContain('spec.replicas');
    expect((await machine.git(['ls-remote', 'origin', 'main'])).stdout).not.toContain(
      (await machine.git(['rev-parse', 'HEAD'])).stdout.trim(),
    );
    await machine.git(['reset', '-q', '--hard', 'HEAD~1']);
    const uids = (pods: readonly Pod[]): readonly string[] => pods.map(({ metadata }) => metadata.uid).sort();
    expect(uids((await podsOf('web')).filter(ready))).toEqual(uids(before));
  });

  it('puts back what is changed behind the back of Git within 5 s', async () => {
    await machine.kubectl(['scale', 'deploy/web', '-n', 'web', '--replicas', '5']);
    const start = Date.now();
    await eventually(
      async () =>
        (await machine.kubectlJson<Deployment>(['get', 'deploy', 'web', '-n', 'web'])).spec.replicas,
      (replicas) => replicas === 2,
      { timeoutMs: 10_000, everyMs: 100, what: 'two replicas again' },
    );
    expect(Date.now() - start).toBeLessThan(5000);
  });

  it('brings a killed container back', async () => {
    const [pod] = (await podsOf('web')).filter(ready);
    const id = pod?.status?.containerStatuses?.[0]?.containerID?.replace('docker://', '') ?? '';
    await machine.docker('kill', id);
    const again = await eventually(
      async () => (await podsOf('web')).find(({ metadata }) => metadata.uid === pod?.metadata.uid),
      (now) => now !== undefined && ready(now) && now.status?.containerStatuses?.[0]?.restartCount === 1,
      { what: 'the container back with one restart' },
    );
    expect(again?.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(137);
  });

  it('runs commands in pods', async () => {
    const [pod] = (await podsOf('web')).filter(ready);
    const name = pod?.metadata.name ?? '';
    const output = await machine.kubectl([
      'exec',
      '-n',
      'web',
      name,
      '--',
      '/bin/busybox',
      'cat',
      '/www/pages/index.html',
    ]);
    expect(output.stdout, output.stderr).toBe('<h1>Hello from Capstan</h1>\n');
    const failing = await machine.kubectl([
      'exec',
      '-n',
      'web',
      name,
      '--',
      '/bin/busybox',
      'sh',
      '-c',
      'exit 7',
    ]);
    expect(failing.code).toBe(7);
  });

  it('gives a pod that asks for nothing what it needs to be known to the API server', async () => {
    const [pod] = (await podsOf('web')).filter(ready);
    const { name = '', uid = '' } = pod?.metadata ?? {};
    const inPod = async (...command: readonly string[]): Promise<string> => {
      const { stdout, stderr } = await machine.kubectl([
        ...['exec', '-n', 'web', name, '--', '/bin/busybox'],
        ...command,
      ]);
      expect(stderr).toBe('');
      return stdout;
    };
    const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
    expect(await inPod('cat', `${folder}/namespace`)).toBe('web');
    const token = await inPod('cat', `${folder}/token`);
    const authority = join(machine.folder, 'pod-ca.crt');
    await writeFile(authority, await inPod('cat', `${folder}/ca.crt`));
    const printed = await inPod('sh', '-c', 'echo $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT');
    const [host = '', port = ''] = printed.trim().split(' ');
    const id = pod?.status?.containerStatuses?.[0]?.containerID?.replace('docker://', '') ?? '';
    const pid = (await machine.docker('inspect', '-f', '{{.State.Pid}}', id)).trim();
    // The image has no client that speaks TLS: the machine's stands in the pod's network.
    const asked = await run('nsenter', [
      ...['-t', pid, '-n', 'curl', '-sS', '--max-time', '20', '--cacert', authority],
      ...['--resolve', `kubernetes.default.svc:${port}:${host}`],
      ...['-H', `Authorization: Bearer ${token}`, '-H', 'Content-Type: application/json'],
      ...['-d', '{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}'],
      `https://kubernetes.default.svc:${port}/apis/authentication.k8s.io/v1/selfsubjectreviews`,
    ]);
    expect(asked.stderr).toBe('');
    expect(JSON.parse(asked.stdout)).toMatchObject({
      status: {
        userInfo: {
          username: 'system:serviceaccount:web:default',
          extra: { 'authentication.kubernetes.io/pod-uid': [uid] },
        },
      },
    });
  });

  it('adopts what runs after the daemon has been killed', async () => {
    await eventually(
      () => podsOf('web'),
      (pods) => pods.length === 2,
      { what: 'the end of the pods that were too many' },
    );
    const before = (await machine.docker('ps', '-q', '--no-trunc')).split('\n').sort();
    const pid = Number(await readFile(join(machine.dataDir, 'capstan.pid'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    await eventually(
      () => run('ps', ['-p', String(pid)]),
      ({ code }) => code !== 0,
      { what: 'the end of the daemon' },
    );
    await machine.up();
    await eventually(
      async () => (await podsOf('web')).filter(ready).length,
      (count) => count === 2,
      { what: 'two ready pods' },
    );
    expect((await machine.docker('ps', '-q', '--no-trunc')).split('\n').sort()).toEqual(before);
  });

  it('explains objects', async () => {
    const why = await machine.capstan(['why', 'deployment/web', '-n', 'web']);
    expect(why.code).toBe(0);
    expect(why.stdout).toMatch(/^Deployment web\/web wants 2 pods, has 2/);
    expect(why.stdout).toContain('comes from Git, application web');
    const unfit = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'huge' },
      spec: {
        containers: [{ name: 'x', image: 'capstan-example/web:1', resources: { requests: { cpu: '500' } } }],
      },
    };
    await machine.kubectl(['apply', '-f', '-'], { input: JSON.stringify(unfit) });
    const reason = await eventually(
      async () => (await machine.capstan(['why', 'pod/huge'])).stdout,
      (text) => text.includes('Insufficient cpu'),
      { what: 'the reason for a pod that fits nowhere' },
    );
    expect(reason).toContain('0/1 nodes are available');
    await machine.kubectl(['delete', 'pod', 'huge']);
  });

  it('rolls a release that never becomes ready back by a revert commit', async () => {
    await edit('apps/web/deployment.yaml', (text) =>
      text
        .replace('progressDeadlineSeconds: 60', 'progressDeadlineSeconds: 6')
        .replace('/bin/busybox, httpd', '/bin/busybox, "false", httpd'),
    );
    const push = await machine.push('Crash on start');
    expect(push.code, push.stderr).toBe(0);
    const broken = (await machine.git(['rev-parse', 'HEAD'])).stdout.trim();
    const subject = await eventually(
      async () => {
        await machine.git(['fetch', '-q']);
        return (await machine.git(['log', '-1', '--format=%an%n%B', 'origin/main'])).stdout;
      },
      (text) => text.includes('Capstan-Revision:'),
      { timeoutMs: 60_000, what: 'the revert commit' },
    );
    expect(subject).toMatch(/^Capstan\n/);
    expect(subject).toContain(broken.slice(0, 7));
    expect(subject).toContain('web');
    await machine.git(['pull', '-q', '--rebase']);
    expect(await readFile(join(machine.clone, 'apps/web/deployment.yaml'), 'utf8')).toContain(
      '/bin/busybox, httpd',
    );
    await eventually(
      async () => (await machine.kubectlJson<Deployment>(['get', 'deploy', 'web', '-n', 'web'])).status,
      (status) => status?.updatedReplicas === 2 && status.availableReplicas === 2 && status.replicas === 2,
      { what: 'the stable version' },
    );
  }, 120_000);

  it('stops everything with `down`, and `up` brings it all back', async () => {
    const down = await machine.capstan(['down'], { timeoutMs: 60_000 });
    expect(down.code).toBe(0);
    expect(await machine.docker('ps', '-aq')).toBe('');
    await machine.up();
    const status = await machine.capstan(['status', '--wait', '90s'], { timeoutMs: 100_000 });
    expect(status.stdout).toMatch(/web\s+Healthy/);
    expect((await podsOf('web')).filter(ready)).toHaveLength(2);
  });

  it('removes every trace with `reset`', async () => {
    const reset = await machine.capstan(['reset', '--yes'], { timeoutMs: 60_000 });
    expect(reset.code).toBe(0);
    expect(await machine.docker('ps', '-aq')).toBe('');
    expect(await machine.docker('network', 'ls', '--filter', 'name=capstan', '-q')).toBe('');
    expect((await run('ls', [machine.dataDir])).code).not.toBe(0);
  });
});

describe('the command line', () => {
  it.each([
    [['up', '--api-prot', '1'], /unknown option '--api-prot'\n\(Did you mean --api-port\?\)/],
    [['up', '--api-port', 'x'], /--api-port: x is not a whole number/],
    [['dwon'], /unknown command 'dwon'\n\(Did you mean down\?\)/],
    [['why', 'nothing/x'], /there is no kind nothing/],
  ])('refuses %j with a sentence and exit code 2', async (args, message) => {
    const result = await run(capstanProgram, args);
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(2);
  });

  it('finds at least one kubectl to test with', () => {
    expect(kubectlVersions().length).toBeGreaterThan(0);
  });
});
