// The smaller decisions of an agent: environments, volumes, addresses, files, programs.
import { describe, expect, it } from 'vitest';
import { AddressPool, subnetOf } from '../../../src/node/address-pool.js';
import { formatDuration } from '../../../src/node/back-off.js';
import { containerSpec, hostnameOf } from '../../../src/node/container-spec.js';
import { refusedUser } from '../../../src/node/container-security.js';
import { ContainerTable } from '../../../src/node/container-table.js';
import { environmentOf, expand } from '../../../src/node/environment.js';
import { hostsFile, resolvConf } from '../../../src/node/pod-files.js';
import { podReferences } from '../../../src/node/pod-references.js';
import { podStatus } from '../../../src/node/pod-status.js';
import { recordProbe } from '../../../src/node/pod-steps/probes.js';
import { planVolumes, volumesVersion } from '../../../src/node/volume-plan.js';
import type { Container, Volume } from '../../../src/resources/generated/types.js';
import { app, ended, now, observed, pod, references, sandbox } from './pod-picture-setup.js';

const place = { podIP: '10.244.0.2', hostIP: '192.0.2.1', allocatable: { memory: '8Gi', cpu: '4' } };

describe('the environment of a container', () => {
  const resolve = (container: Partial<Container>, objects: Parameters<typeof references>[0] = {}) =>
    environmentOf({
      pod: pod(),
      container: { name: 'web', ...container },
      references: references(objects),
      place,
    });

  it.each([
    ['$(A)', 'one'],
    ['x$(A)$(A)y', 'xoneoney'],
    ['$(B)', '$(B)'],
    ['$$(A)', '$(A)'],
    ['$A ${A} $', '$A ${A} $'],
  ])('expands %s to %s', (text, expected) => {
    expect(expand(text, { A: 'one' })).toBe(expected);
  });
  it('knows only variables that stand before', () => {
    expect(
      resolve({
        env: [
          { name: 'A', value: '$(B)' },
          { name: 'B', value: 'b' },
          { name: 'C', value: '$(B)' },
        ],
      }),
    ).toEqual({ type: 'value', value: { A: '$(B)', B: 'b', C: 'b' } });
  });
  it('takes everything of a config map with a prefix, and lets env win', () => {
    const found = resolve(
      {
        envFrom: [{ prefix: 'X_', configMapRef: { name: 'c' } }, { secretRef: { name: 's' } }],
        env: [{ name: 'X_a', value: 'mine' }],
      },
      { configMaps: { c: { a: '1', b: '2' } }, secrets: { s: { k: Buffer.from('v').toString('base64') } } },
    );
    expect(found).toEqual({ type: 'value', value: { X_a: 'mine', X_b: '2', k: 'v' } });
  });
  it('leaves out what is optional and absent', () => {
    expect(
      resolve({
        envFrom: [{ configMapRef: { name: 'c', optional: true } }],
        env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } }],
      }),
    ).toEqual({ type: 'value', value: {} });
  });
  it('waits for what is not known yet', () => {
    expect(resolve({ envFrom: [{ configMapRef: { name: 'c' } }] }, { unknown: true })).toEqual({
      type: 'unknown',
    });
  });
  it('shows fields and resources; what is not limited is the node', () => {
    const found = resolve({
      resources: { limits: { cpu: '1500m' } },
      env: [
        { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        { name: 'MILLI', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
        { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Gi' } } },
      ],
    });
    expect(found).toEqual({
      type: 'value',
      value: { NODE: '192.0.2.1', CPU: '2', MILLI: '1500', MEMORY: '8' },
    });
  });
});

describe('volumes', () => {
  const plan = (volume: Omit<Volume, 'name'>, objects: Parameters<typeof references>[0] = {}) =>
    planVolumes({
      pod: pod({ volumes: [{ name: 'v', ...volume }] }),
      references: references(objects),
      place,
    });

  it('show chosen keys under chosen paths with their modes', () => {
    expect(
      plan(
        {
          configMap: {
            name: 'c',
            defaultMode: 0o400,
            items: [
              { key: 'a', path: 'x/y' },
              { key: 'b', path: 'z', mode: 0o444 },
            ],
          },
        },
        { configMaps: { c: { a: '1', b: '2', c: '3' } } },
      ),
    ).toMatchObject({
      value: [
        {
          files: [
            { path: 'x/y', mode: 0o400 },
            { path: 'z', mode: 0o444 },
          ],
        },
      ],
    });
  });
  it('name the key that is missing', () => {
    expect(
      plan({ secret: { secretName: 's', items: [{ key: 'k', path: 'p' }] } }, { secrets: { s: {} } }),
    ).toEqual({
      type: 'missing',
      message: 'MountVolume.SetUp failed for volume "v" : secret "s" references non-existent key: k',
    });
  });
  it('of types that this cluster does not provide are refused by name', () => {
    expect(plan({ cephfs: { monitors: ['m'] } })).toMatchObject({
      type: 'missing',
      message: expect.stringContaining('cephfs') as string,
    });
  });
  it('have another version when what they show has changed, and only then', () => {
    const spec = pod({ volumes: [{ name: 'v', configMap: { name: 'c' } }] });
    const version = (data: Record<string, string> | undefined) =>
      volumesVersion({
        pod: spec,
        references: references({ configMaps: data === undefined ? {} : { c: data } }),
      });
    expect(version({ a: '1' })).toBe(version({ a: '1' }));
    expect(version(undefined)).not.toBe(version({ a: '1' }));
    expect(podReferences(spec, references())).toEqual([{ kind: 'ConfigMap', namespace: 'shop', name: 'c' }]);
  });
});

describe('addresses', () => {
  it('leave out network, gateway and broadcast, and are not used again at once', () => {
    const pool = new AddressPool();
    expect(pool.use('10.1.0.0/29')).toBe(true);
    const given = Array.from({ length: 5 }, () => pool.allocate(new Set()));
    expect(given).toEqual(['10.1.0.2', '10.1.0.3', '10.1.0.4', '10.1.0.5', '10.1.0.6']);
    expect(pool.allocate(new Set())).toBeUndefined();
    for (const address of given) pool.settle(address!);
    expect(pool.allocate(new Set(['10.1.0.2', '10.1.0.3']))).toBe('10.1.0.4');
  });
  it.each(['10.1.0.0/30', '10.1.0.0', 'fd00::/64', ''])('cannot come from %s', (cidr) => {
    expect(subnetOf(cidr)).toBeUndefined();
  });
  it('know the gateway of a network however it is written', () => {
    expect(subnetOf('10.1.2.77/24')).toMatchObject({ gateway: '10.1.2.1' });
  });
});

describe('the table of containers', () => {
  it('is not set back by an answer that is late', () => {
    const table = new ContainerTable(() => undefined);
    table.put(ended('web', 1));
    table.put(app('web'));
    expect(table.get('web-0')?.state).toBe('exited');
    table.remove('web-0');
    table.put(app('web'));
    expect(table.get('web-0')).toBeUndefined();
  });
  it('follows a container that someone else started again', () => {
    const table = new ContainerTable(() => undefined);
    table.put(ended('web', 1));
    table.put(app('web', { startedAt: now }));
    expect(table.get('web-0')?.state).toBe('running');
  });
  it('loses what a list does not show, but not what was made while it was read', () => {
    const table = new ContainerTable(() => undefined);
    table.put(app('old'));
    const before = table.ids();
    table.put(app('new'));
    table.replace([], before);
    expect([...table.ids()]).toEqual(['new-0']);
  });
});

describe('probes', () => {
  const probe = { tcpSocket: { port: 1 }, periodSeconds: 10, failureThreshold: 2, successThreshold: 1 };
  const answer = (at: number, success: boolean, kind: 'readiness' | 'liveness' = 'readiness') => ({
    kind,
    containerId: 'c',
    at,
    success,
  });

  it('count failures once in a period while a container comes up', () => {
    let memory = recordProbe(probe, undefined, answer(0, false));
    memory = recordProbe(probe, memory, answer(50, false));
    memory = recordProbe(probe, memory, answer(200, false));
    expect(memory).toMatchObject({ failures: 1, result: undefined });
    expect(recordProbe(probe, memory, answer(10_000, false))).toMatchObject({ failures: 2, result: false });
    expect(recordProbe(probe, memory, answer(300, true))).toMatchObject({ failures: 0, result: true });
  });
  it('count every liveness failure, and start afresh with another container', () => {
    let memory = recordProbe(probe, undefined, answer(0, false, 'liveness'));
    memory = recordProbe(probe, memory, answer(100, false, 'liveness'));
    expect(memory.result).toBe(false);
    expect(recordProbe(probe, memory, { ...answer(200, false, 'liveness'), containerId: 'd' })).toMatchObject(
      { failures: 1, result: undefined },
    );
  });
});

describe('what a container may do', () => {
  it('follows from its securityContext and the pod, the container first', () => {
    const spec = pod({
      securityContext: { runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000 },
      containers: [
        {
          name: 'web',
          image: 'web:1',
          securityContext: {
            runAsUser: 5,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: { limits: { cpu: '500m', memory: '64Mi' }, requests: { cpu: '250m' } },
          command: ['run', '$(X)'],
        },
      ],
    });
    const made = containerSpec(spec, {
      container: spec.spec.containers[0]!,
      attempt: 1,
      crashes: 0,
      specHash: 'h',
      sandboxId: 's',
      environment: { X: 'y' },
      mounts: [],
      nodeMemory: 2 ** 33,
    });
    expect(made).toMatchObject({
      user: '5:3000',
      groups: ['2000'],
      noNewPrivileges: true,
      readOnlyRoot: true,
      capabilities: { add: [], drop: ['ALL'] },
      cpuShares: 256,
      cpuMillis: 500,
      memoryBytes: 2 ** 26,
      command: ['run', 'y'],
      network: { type: 'join', sandbox: 's' },
    });
  });
  it.each([
    [undefined, '', true],
    [undefined, 'root', true],
    [undefined, 'web', true],
    [undefined, '1000', false],
    [0, '1000', true],
    [1000, '', false],
  ])('with runAsNonRoot, runAsUser %s and image user %j is refused: %s', (runAsUser, imageUser, refused) => {
    const container = { name: 'web', securityContext: { runAsNonRoot: true, runAsUser } };
    expect(refusedUser(pod(), container, imageUser) !== undefined).toBe(refused);
  });
});

describe("a pod's own files", () => {
  it('name the pod and its aliases', () => {
    const spec = pod({ hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] });
    expect(hostsFile(spec, '10.244.0.2', '')).toMatch(/10\.244\.0\.2\tweb-1\n[^]*1\.2\.3\.4\ta\tb\n/);
  });
  it('ask the cluster first, when it has names', () => {
    const dns = { nameservers: ['10.96.0.10'], domain: 'cluster.local' };
    expect(resolvConf(pod(), 'search lan\nnameserver 9.9.9.9\n', dns)).toBe(
      'search shop.svc.cluster.local svc.cluster.local cluster.local lan\nnameserver 10.96.0.10\noptions ndots:5\n',
    );
    expect(resolvConf(pod(), 'nameserver 127.0.0.1\nnameserver 9.9.9.9\n', undefined)).toBe(
      'nameserver 9.9.9.9\n',
    );
  });
  it('give it a host name that the kernel takes', () => {
    expect(hostnameOf(pod({}, { name: `${'a'.repeat(62)}-b` }))).toBe('a'.repeat(62));
  });
});

describe('the status of a pod', () => {
  const shown = (more: Parameters<typeof observed>[0]) =>
    podStatus(observed(more), now, { engine: 'docker' }).status;

  it('tells why a container waits', () => {
    const crashed = ended(
      'web',
      137,
      { oomKilled: true },
      { 'dev.capstan.crashes': '2', 'dev.capstan.attempt': '3' },
    );
    const [status] = shown({ containers: [sandbox(), crashed] }).containerStatuses!;
    expect(status).toMatchObject({
      restartCount: 3,
      ready: false,
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: 'back-off 20s restarting failed container=web pod=web-1_shop(uid-1)',
        },
      },
      lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } },
    });
  });
  it('keeps ready what was ready before the agent restarted, until a probe says otherwise', () => {
    const spec = pod({
      containers: [{ name: 'web', image: 'web:1', readinessProbe: { tcpSocket: { port: 1 } } }],
    });
    const before = {
      ...spec,
      status: {
        containerStatuses: [
          {
            name: 'web',
            containerID: 'docker://web-0',
            ready: true,
            image: '',
            imageID: '',
            restartCount: 0,
          },
        ],
      },
    };
    expect(shown({ pod: spec, containers: [sandbox(), app('web')] }).containerStatuses![0]!.ready).toBe(
      false,
    );
    expect(shown({ pod: before, containers: [sandbox(), app('web')] }).containerStatuses![0]!.ready).toBe(
      true,
    );
  });
  it('needs its readiness gates', () => {
    const spec = pod({ readinessGates: [{ conditionType: 'example.org/on' }] });
    const ready = (status: object) =>
      shown({ pod: { ...spec, status }, containers: [sandbox(), app('web')] }).conditions?.find(
        ({ type }) => type === 'Ready',
      )?.status;
    expect(ready({})).toBe('False');
    expect(ready({ conditions: [{ type: 'example.org/on', status: 'True' }] })).toBe('True');
  });
});

it.each([
  [10_000, '10s'],
  [80_000, '1m20s'],
  [300_000, '5m0s'],
])('%i ms reads %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
