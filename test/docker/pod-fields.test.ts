// What a pod may ask for beyond its command: each field as a real engine carries it out.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/resources/generated/types.js';
import { pods } from '../../src/resources/kinds/pods.js';
import { runtimeclasses } from '../../src/resources/kinds/runtimeclasses.js';
import { secrets } from '../../src/resources/kinds/secrets.js';
import { containerStatusOf } from '../../src/resources/pod-status.js';
import { importBusybox } from './busybox-image.js';
import { startDockerEngine, type DockerEngine } from './docker-engine.js';
import { DockerNode, forever, image, shell } from './docker-node.js';
import { startRegistry } from './tiny-registry.js';

describe('the fields of a pod on Docker', () => {
  let engine: DockerEngine;
  let node: DockerNode;

  beforeAll(async () => {
    engine = await startDockerEngine();
    await importBusybox(engine.host, image);
  });
  afterAll(() => engine.stop());
  beforeEach(async () => {
    node = await DockerNode.open(engine, '10.206.0.0/24');
  });
  afterEach(() => node.close());

  const create = (name: string, spec: Parameters<DockerNode['harness']['createPod']>[1]): Promise<Pod> =>
    node.harness.createPod(name, spec);

  it('a sidecar runs before, beside and after the container of a job, and the pod ends when it has', async () => {
    await create('job', {
      restartPolicy: 'Never',
      initContainers: [
        shell(`trap 'echo ended; exit 0' TERM; echo began; while true; do sleep 0.1; done`, {
          name: 'proxy',
          restartPolicy: 'Always',
        }),
      ],
      containers: [shell('exit 0')],
    });
    const pod = await node.phase('job', 'Succeeded');
    const end = (name: string): string =>
      containerStatusOf(pod, name)?.state?.terminated?.finishedAt ?? 'it runs';
    expect(end('proxy') >= end('web')).toBe(true);
    expect(await node.logs('job', 'proxy')).toBe('began\nended');
  });

  it('a container for debugging joins a running pod and sees the processes of its target', async () => {
    await create('web', { containers: [shell(forever)] });
    const pod = await node.ready('web');
    const ephemeralContainers = [
      {
        ...shell('cat /proc/1/cmdline; echo; exec sleep 1000'),
        name: 'debugger',
        targetContainerName: 'web',
      },
    ];
    await node.harness.cluster.patch(
      pods,
      { name: 'web', namespace: 'default' },
      { type: 'merge', patch: { spec: { ephemeralContainers } } },
      { subresource: 'ephemeralcontainers' },
    );
    await node.until('the container for debugging', async () => {
      const status = containerStatusOf(await node.harness.pod('web'), 'debugger');
      return status?.state?.running !== undefined;
    });
    await node.until('its output', async () => (await node.logs('web', 'debugger')).includes('trap'));
    expect((await node.harness.pod('web')).metadata.uid).toBe(pod.metadata.uid);
    await engine.docker('kill', await node.id('web', 'debugger'));
    await node.until('its end', async () => {
      const status = containerStatusOf(await node.harness.pod('web'), 'debugger');
      return status?.state?.terminated !== undefined && status.restartCount === 0;
    });
  });

  it('pulls from a registry that wants a password, by tag and by digest, with the secret that fits', async () => {
    const busybox = await readFile('/bin/busybox');
    const registry = await startRegistry(
      [
        { path: 'bin/busybox', mode: 0o755, data: busybox },
        { path: 'bin/sleep', mode: 0o777, linkTo: 'busybox' },
      ],
      'robot:right',
    );
    try {
      const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString('base64') });
      const auths = {
        'registry.example:5000': auth('other:wrong'),
        [registry.address]: auth('robot:right'),
      };
      await node.harness.cluster.create(secrets, {
        metadata: { name: 'pull', namespace: 'default' },
        type: 'kubernetes.io/dockerconfigjson',
        data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
      });
      const reference = `${registry.address}/team/sleeper`;
      await create('refused', { containers: [{ name: 'web', image: `${reference}:1` }] });
      await node.until('the refusal', async () =>
        ['ErrImagePull', 'ImagePullBackOff'].includes(
          containerStatusOf(await node.harness.pod('refused'), 'web')?.state?.waiting?.reason ?? '',
        ),
      );
      const imagePullSecrets = [{ name: 'absent' }, { name: 'pull' }];
      await create('tag', { imagePullSecrets, containers: [{ name: 'web', image: `${reference}:1` }] });
      await node.ready('tag');
      expect(node.harness.reasons('tag')).toContain('FailedToRetrieveImagePullSecret');
      await create('digest', {
        imagePullSecrets,
        containers: [{ name: 'web', image: `${reference}@${registry.digest}`, imagePullPolicy: 'Always' }],
      });
      await node.ready('digest');
      expect(registry.seen).toContain('robot:right');
      expect(registry.seen).not.toContain('other:wrong');
    } finally {
      await registry.close();
    }
  });

  it('profiles, kernel parameters, groups and devices reach the processes', async () => {
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
    };
    await mkdir(join(node.folder, 'seccomp'), { recursive: true });
    await writeFile(join(node.folder, 'seccomp', 'no-mkdir.json'), JSON.stringify(profile));
    await create('web', {
      securityContext: {
        fsGroup: 2000,
        supplementalGroups: [3000],
        sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '80' }],
      },
      volumes: [
        { name: 'data', emptyDir: {} },
        { name: 'fuse', hostPath: { path: '/dev/null', type: 'CharDevice' } },
      ],
      containers: [
        shell(forever, {
          securityContext: {
            runAsUser: 1000,
            runAsGroup: 1001,
            runAsNonRoot: true,
            seccompProfile: { type: 'Localhost', localhostProfile: 'no-mkdir.json' },
          },
          volumeMounts: [
            { name: 'data', mountPath: '/data' },
            { name: 'fuse', mountPath: '/dev/thing' },
          ],
        }),
      ],
    });
    await node.ready('web');
    const sh = (script: string): Promise<string> => node.inside('web', '/bin/sh', '-c', script);
    expect(await sh('id -u; id -g; id -G')).toBe('1000\n1001\n1001 2000 3000');
    expect(await sh('mkdir /tmp/x 2>/dev/null || echo refused')).toBe('refused');
    expect(await sh('cat /proc/sys/net/ipv4/ip_unprivileged_port_start')).toBe('80');
    expect(await sh('touch /data/x && stat -c %g /data/x')).toBe('2000');
    expect(await sh('test -c /dev/thing && echo hello > /dev/thing && echo written')).toBe('written');
  });

  it('a profile that the host cannot enforce is refused, not left out', async () => {
    await create('web', {
      containers: [
        shell(forever, {
          securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'absent.json' } },
        }),
      ],
    });
    const waiting = await node.until('the refusal', async () => {
      const state = containerStatusOf(await node.harness.pod('web'), 'web')?.state?.waiting;
      return state?.reason === 'CreateContainerError' && state;
    });
    expect(waiting.message).toContain('cannot load seccomp profile');
  });

  it('subPath, subPathExpr, host names and a message at the end', async () => {
    await create('web', {
      restartPolicy: 'Never',
      hostname: 'master',
      subdomain: 'db',
      hostAliases: [{ ip: '192.0.2.7', hostnames: ['old.example'] }],
      volumes: [{ name: 'data', emptyDir: {} }],
      containers: [
        shell(
          `hostname; cat /etc/hosts; touch /a/one /b/two; ls /all /all/dir /all/web; echo farewell > /dev/last; exit 3`,
          {
            terminationMessagePath: '/dev/last',
            env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
            volumeMounts: [
              { name: 'data', mountPath: '/a', subPath: 'dir' },
              { name: 'data', mountPath: '/b', subPathExpr: '$(POD)' },
              { name: 'data', mountPath: '/all' },
            ],
          },
        ),
      ],
    });
    const pod = await node.until('the message', async () => {
      const found = await node.harness.pod('web');
      return containerStatusOf(found, 'web')?.state?.terminated?.message !== undefined && found;
    });
    expect(containerStatusOf(pod, 'web')?.state?.terminated).toMatchObject({
      exitCode: 3,
      message: 'farewell\n',
    });
    const log = await node.logs('web');
    expect(log.split('\n')[0]).toBe('master');
    expect(log).toContain('master.db.default.svc.cluster.local');
    expect(log).toContain('192.0.2.7\told.example');
    expect(log).toContain('/all/dir:\none');
    expect(log).toContain('/all/web:\ntwo');
  });

  it('runs with the low-level runtime of its class, and not at all with a class that does not exist', async () => {
    await create('lost', { runtimeClassName: 'absent', containers: [shell(forever)] });
    await node.until('the refusal', () =>
      Promise.resolve(
        node.harness
          .messages('lost')
          .some((text) => text.includes('RuntimeClass.node.k8s.io "absent" not found')),
      ),
    );
    await node.harness.cluster.create(runtimeclasses, { metadata: { name: 'plain' }, handler: 'runc' });
    await create('found', { runtimeClassName: 'plain', containers: [shell(forever)] });
    await node.ready('found');
    const [facts] = JSON.parse(await engine.docker('inspect', await node.id('found'))) as {
      HostConfig: { Runtime: string };
    }[];
    expect(facts?.HostConfig.Runtime).toBe('runc');
  });

  it('a gRPC probe asks the health service of the pod', async () => {
    // In the host's network, so that a server of the test can answer for the pod.
    let status = 2;
    const server = createServer();
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
    });
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const pod = await create('web', {
        hostNetwork: true,
        containers: [shell(forever, { readinessProbe: { grpc: { port }, periodSeconds: 1 } })],
      });
      expect(pod.spec.hostNetwork).toBe(true);
      await node.until('a failed probe', () =>
        Promise.resolve(node.harness.messages('web').some((text) => text.includes('NOT_SERVING'))),
      );
      status = 1;
      await node.ready('web');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
