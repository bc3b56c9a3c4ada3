// The agent on a real engine: what a simulated one cannot show.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../src/base/http.js';
import { silent } from '../../src/base/log.js';
import { createDockerRuntime } from '../../src/host/docker/docker-runtime.js';
import { createNodeFiles } from '../../src/host/node-files.js';
import { networkProber } from '../../src/host/prober.js';
import { systemClock } from '../../src/host/system-clock.js';
import type { Container, ContainerStatus } from '../../src/resources/generated/types.js';
import { configmaps } from '../../src/resources/kinds/configmaps.js';
import { secrets } from '../../src/resources/kinds/secrets.js';
import { AgentHarness, condition } from '../unit/node/agent-harness.js';
import { importBusybox } from './busybox-image.js';
import { startDockerEngine, type DockerEngine } from './docker-engine.js';

const image = 'test/busybox:1';
const execute = promisify(execFile);

const shell = (script: string, more: Partial<Container> = {}): Container => ({
  name: 'web',
  image,
  imagePullPolicy: 'IfNotPresent',
  command: ['/bin/sh', '-c', script],
  ...more,
});
const forever = `trap 'exit 0' TERM; while true; do sleep 0.1; done`;

describe('the agent on Docker', () => {
  let engine: DockerEngine;
  let folder: string;
  let node: AgentHarness;

  beforeAll(async () => {
    engine = await startDockerEngine();
    await importBusybox(engine.host, image);
  });
  afterAll(() => engine.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'capstan-node-'));
    node = await AgentHarness.open({
      clock: systemClock,
      runtime: await createDockerRuntime({ host: engine.host, instance: 'agent', node: 'n1', log: silent }),
      files: createNodeFiles(folder),
      prober: networkProber,
      engine: 'docker',
      podCIDR: '10.205.0.0/24',
      source: 'remote',
    });
  });
  afterEach(async () => {
    await node.close();
    const left = (await engine.docker('ps', '-aq')).split('\n').filter((id) => id !== '');
    if (left.length > 0) await engine.docker('rm', '-f', ...left);
    await createNodeFiles(folder)
      .pods()
      .then((uids) => Promise.all(uids.map((uid) => createNodeFiles(folder).removePod(uid))));
    await rm(folder, { recursive: true, force: true });
  });

  const until = async <T>(
    what: string,
    look: () => Promise<T | undefined | false>,
    ms = 20_000,
  ): Promise<T> => {
    const end = Date.now() + ms;
    for (;;) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (Date.now() > end)
        throw new Error(
          `${what} did not happen within ${ms} ms; events: ${JSON.stringify(node.events.map(({ reason, message }) => `${reason}: ${message}`))}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const ready = (name: string, ms?: number) =>
    until(
      `pod ${name} ready`,
      async () => {
        const pod = await node.pod(name);
        return condition(pod, 'Ready') === 'True' && pod;
      },
      ms,
    );
  const first = async (name: string): Promise<ContainerStatus> =>
    (await node.pod(name)).status!.containerStatuses![0]!;
  const id = async (name: string): Promise<string> =>
    (await first(name)).containerID!.replace('docker://', '');
  const inside = async (name: string, ...command: string[]): Promise<string> =>
    engine.docker('exec', await id(name), ...command);
  const gone = (name: string, ms?: number) =>
    until(`the end of pod ${name}`, async () => (await node.podOrNothing(name)) === undefined, ms);
  const log = async (name: string, query = ''): Promise<{ status: number; text: string }> => {
    const request: HttpRequest = {
      method: 'GET',
      path: `/containerLogs/default/${name}/web`,
      query: new URLSearchParams(query),
      headers: {},
      body: () => Promise.resolve(new Uint8Array()),
      clientCertificate: { commonName: 'system:apiserver', organizations: [] },
      remoteAddress: '127.0.0.1',
      signal: new AbortController().signal,
    };
    const response = await node.agent.handler(request);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    return { status: response.status, text: Buffer.concat(chunks).toString() };
  };

  it('runs a pod whose web server answers under the pod address, and is ready when it does', async () => {
    await node.createPod('web', {
      containers: [
        shell('exec /bin/httpd -f -p 8080 -h /www', {
          ports: [{ name: 'http', containerPort: 8080 }],
          readinessProbe: { httpGet: { port: 'http', path: '/' }, periodSeconds: 10 },
        }),
      ],
    });
    const pod = await ready('web', 15_000);
    expect(await (await fetch(`http://${pod.status!.podIP!}:8080/`)).text()).toBe('hello\n');
    expect(await inside('web', '/bin/hostname')).toBe('web');
    expect(await inside('web', '/bin/cat', '/etc/hosts')).toContain(`${pod.status!.podIP!}\tweb`);
    expect(await inside('web', '/bin/cat', '/etc/resolv.conf')).not.toContain('127.0.0.11');
  });

  it('a killed container runs again within 0.75 s', async () => {
    await node.createPod('web', { containers: [shell(forever)] });
    await ready('web');
    const killed = await id('web');
    const begin = Date.now();
    await engine.docker('kill', killed);
    await until('a restart', async () => {
      const status = await first('web');
      return status.restartCount === 1 && status.state?.running !== undefined;
    });
    const took = Date.now() - begin;
    expect(await first('web')).toMatchObject({
      lastState: { terminated: { exitCode: 137, reason: 'Error' } },
    });
    expect(took).toBeLessThan(750 + 250); // `docker kill` itself is a process of its own
  });

  it('adopts what runs after its own restart: same containers, same status', async () => {
    await node.createPod('web', {
      containers: [
        shell(forever, { readinessProbe: { exec: { command: ['/bin/true'] }, periodSeconds: 1 } }),
      ],
    });
    const before = await ready('web');
    await node.stopAgent();
    node.startAgent();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect((await node.pod('web')).status).toEqual(before.status);
    expect(node.reasons('web').filter((reason) => reason === 'Started')).toHaveLength(1);
  });

  it('adopts what runs after a crash of dockerd, and restarts what died with it', async () => {
    await node.createPod('web', { containers: [shell(forever)] });
    await node.createPod('dying', { containers: [shell(forever)] });
    await ready('web');
    await ready('dying');
    const [kept, dying] = [await id('web'), await id('dying')];
    const pid = await engine.docker('inspect', '-f', '{{.State.Pid}}', dying);
    await engine.kill('SIGKILL');
    process.kill(Number(pid), 'SIGKILL');
    await engine.start();
    await until(
      'a restart of what died',
      async () => {
        const status = await first('dying');
        return status.restartCount === 1 && status.state?.running !== undefined;
      },
      60_000,
    );
    expect(await id('web')).toBe(kept);
    expect(await first('web')).toMatchObject({ restartCount: 0, ready: true });
  });

  it('shows a changed config map in the files of a running container, in one step', async () => {
    const created = await node.createConfigMap('pages', { 'index.html': 'one', other: 'same' });
    await node.createPod('web', {
      containers: [
        shell(forever, {
          volumeMounts: [
            { name: 'pages', mountPath: '/pages' },
            { name: 'pages', mountPath: '/fixed', subPath: 'index.html' },
          ],
        }),
      ],
      volumes: [{ name: 'pages', configMap: { name: 'pages', defaultMode: 0o440 } }],
    });
    await ready('web');
    expect(await inside('web', '/bin/cat', '/pages/index.html')).toBe('one');
    expect(await inside('web', '/bin/stat', '-L', '-c', '%a', '/pages/index.html')).toBe('440');
    const begin = Date.now();
    await node.cluster.update(configmaps, { ...created, data: { 'index.html': 'two' } });
    await until(
      'the new content',
      async () => (await inside('web', '/bin/cat', '/pages/index.html')) === 'two',
    );
    expect(Date.now() - begin).toBeLessThan(3000);
    expect(await inside('web', '/bin/ls', '/pages')).toBe('index.html');
    expect(await inside('web', '/bin/cat', '/fixed')).toBe('one');
    expect((await first('web')).restartCount).toBe(0);
  });

  it('gives containers their environment, files, shared memory and limits', async () => {
    await node.createConfigMap('settings', { COLOR: 'blue' });
    await node.cluster.create(secrets, {
      metadata: { name: 'keys', namespace: 'default' },
      stringData: { token: 's3cret' },
    });
    await node.createPod(
      'web',
      {
        securityContext: { runAsUser: 1000, fsGroup: 2000 },
        containers: [
          shell(forever, {
            env: [
              { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
              { name: 'BOTH', value: '$(TOKEN)-$(COLOR)-$$(X)' },
              {
                name: 'MEMORY',
                valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } },
              },
            ],
            envFrom: [{ configMapRef: { name: 'settings' } }],
            resources: { limits: { memory: '32Mi', cpu: '500m' } },
            volumeMounts: [
              { name: 'all', mountPath: '/all' },
              { name: 'memory', mountPath: '/memory' },
              { name: 'work', mountPath: '/work', subPath: 'deep/er' },
            ],
          }),
        ],
        volumes: [
          {
            name: 'all',
            projected: {
              sources: [
                { configMap: { name: 'settings', items: [{ key: 'COLOR', path: 'a/color' }] } },
                { secret: { name: 'keys' } },
                { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
              ],
            },
          },
          { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
          { name: 'work', emptyDir: {} },
        ],
      },
      { labels: { app: 'web' } },
    );
    const pod = await ready('web');
    const environment = await inside('web', '/bin/env');
    expect(environment).toContain(`IP=${pod.status!.podIP!}`);
    expect(environment).toContain('BOTH=s3cret-blue-$(X)');
    expect(environment).toContain('MEMORY=32');
    expect(await inside('web', '/bin/cat', '/all/a/color', '/all/token', '/all/labels')).toBe(
      'blues3cretapp="web"',
    );
    expect(await inside('web', '/bin/id', '-G')).toContain('2000');
    expect(
      await inside(
        'web',
        '/bin/sh',
        '-c',
        'grep -c " /memory tmpfs" /proc/mounts; dd if=/dev/zero of=/memory/x bs=1M count=2 2>/dev/null || echo full; touch /work/x && echo written',
      ),
    ).toBe('1\nfull\nwritten');
    const mounts = (): Promise<string> => readFile('/proc/mounts', 'utf8');
    expect(await mounts()).toContain(folder);
    await node.deletePod('web');
    await gone('web');
    expect(await mounts()).not.toContain(folder);
    expect(await createNodeFiles(folder).pods()).toEqual([]);
  });

  it('stops with grace: preStop, then SIGTERM; the object, the containers and the address go', async () => {
    await node.createPod('web', {
      terminationGracePeriodSeconds: 20,
      containers: [
        shell(`trap 'echo bye > /shared/term; exit 0' TERM; while true; do sleep 0.1; done`, {
          lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'echo first > /shared/pre'] } } },
          volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
        }),
      ],
      volumes: [{ name: 'shared', hostPath: { path: join(folder, 'shared'), type: 'DirectoryOrCreate' } }],
    });
    await ready('web');
    const begin = Date.now();
    await node.deletePod('web');
    await gone('web');
    expect(Date.now() - begin).toBeLessThan(10_000);
    expect(await readFile(join(folder, 'shared/pre'), 'utf8')).toBe('first\n');
    expect(await readFile(join(folder, 'shared/term'), 'utf8')).toBe('bye\n');
    expect(await engine.docker('ps', '-aq')).toBe('');
  });

  it('serves logs of what runs and of what ran before, and last words', async () => {
    await node.createPod('web', {
      containers: [
        shell(
          `if [ -e /data/x ]; then echo second; else echo first; fi; if [ ! -e /data/x ]; then touch /data/x; echo sad > /dev/termination-log; exit 3; fi; ${forever}`,
          { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
        ),
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    });
    await until(
      'a restart',
      async () =>
        (await first('web').catch(() => undefined))?.restartCount === 1 && (await first('web')).ready,
    );
    expect((await first('web')).lastState?.terminated).toMatchObject({
      exitCode: 3,
      reason: 'Error',
      message: 'sad\n',
    });
    const now = await log('web');
    const before = await log('web', 'previous=true');
    expect(now).toEqual({ status: 200, text: 'second\n' });
    expect(before).toEqual({ status: 200, text: 'first\n' });
    expect((await log('nobody')).status).toBe(404);
    expect((await log('web', 'tailLines=x')).status).toBe(400);
  });

  it('restarts a container whose exec liveness probe fails or takes too long', async () => {
    await node.createPod('web', {
      containers: [
        shell(forever, {
          livenessProbe: {
            exec: { command: ['/bin/sleep', '30'] },
            periodSeconds: 1,
            failureThreshold: 1,
            timeoutSeconds: 1,
          },
        }),
      ],
    });
    await until('a restart', async () => (await first('web').catch(() => undefined))?.restartCount === 1);
    expect(node.messages('web')).toContainEqual(
      expect.stringMatching(/^Liveness probe failed: command "\/bin\/sleep 30" timed out after 1s$/),
    );
    // The command was not left behind.
    const { stdout } = await execute('ps', ['-eo', 'args']);
    expect(stdout.split('\n').filter((line) => line === '/bin/sleep 30').length).toBeLessThanOrEqual(1);
  });

  it('says why an image that does not exist cannot run, and why a command cannot', async () => {
    await node.createPod('missing', { containers: [{ name: 'web', image: 'localhost:1/no/such:1' }] });
    await node.createPod('wrong', { containers: [shell('', { command: ['/no/such/program'] })] });
    const waiting = await until('a refusal', async () => {
      const found = (await first('missing').catch(() => undefined))?.state?.waiting;
      return /ErrImagePull|ImagePullBackOff/.test(found?.reason ?? '') && found;
    });
    expect(waiting.message).toContain('localhost:1/no/such:1');
    const status = await until('a failed start', async () => {
      const found = await first('wrong').catch(() => undefined);
      return found?.lastState?.terminated !== undefined && found;
    });
    expect(status.lastState?.terminated).toMatchObject({ reason: 'StartError' });
    expect(status.lastState?.terminated?.message).toContain('/no/such/program');
  });

  it('makes a new sandbox when someone kills it', async () => {
    await node.createPod('web', { containers: [shell(forever)] });
    await ready('web');
    const sandbox = (await engine.docker('ps', '-q', '--filter', 'label=dev.capstan.kind=sandbox')).trim();
    await engine.docker('rm', '-f', sandbox);
    await until('another start', async () => {
      const status = await first('web');
      return status.restartCount === 1 && status.ready;
    });
    expect(await engine.docker('ps', '-q', '--filter', 'label=dev.capstan.kind=sandbox')).not.toBe(sandbox);
  });
});
