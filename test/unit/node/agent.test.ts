// The agent on a simulated engine, with a clock that the test moves.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/base/manual-clock.js';
import { createHollowFiles } from '../../../src/host/hollow/hollow-files.js';
import type { HollowFiles } from '../../../src/host/hollow/hollow-files.js';
import { HollowEngine } from '../../../src/host/hollow/hollow-engine.js';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { leases } from '../../../src/resources/kinds/leases.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import type { Pod } from '../../../src/resources/generated/types.js';
import { AgentHarness, condition } from './agent-harness.js';

const container = { name: 'web', image: 'web:1' };
const hollow = (name: string, value: string) => ({ [`hollow.capstan.dev/${name}`]: value });

describe.each(['view', 'remote'] as const)('an agent that learns of its pods by a %s source', (source) => {
  let clock: ManualClock;
  let engine: HollowEngine;
  let files: HollowFiles;
  let node: AgentHarness;

  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 12; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const advance = (ms: number): Promise<void> => clock.advance(ms, settle);
  const status = async (name: string) => (await node.pod(name)).status!;
  const first = async (name: string) => (await status(name)).containerStatuses![0]!;

  beforeEach(async () => {
    clock = new ManualClock();
    engine = new HollowEngine({ clock });
    files = createHollowFiles();
    node = await AgentHarness.open({
      clock,
      runtime: engine.runtime,
      prober: engine.prober,
      files,
      engine: 'hollow',
      podCIDR: '10.244.3.0/24',
      source,
    });
    await settle();
    await advance(100);
  });
  afterEach(() => node.close());

  it('registers its node, says that it is ready and renews its lease', async () => {
    const registered = await node.cluster.get(nodes, { name: 'n1' });
    expect(registered.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
    expect(registered.status?.daemonEndpoints?.kubeletEndpoint?.Port).toBe(10250);
    expect(registered.metadata.labels).toMatchObject({
      'kubernetes.io/hostname': 'n1',
      'kubernetes.io/os': 'linux',
    });
    expect(registered.status?.capacity).toMatchObject({ cpu: '4', pods: '110' });
    const lease = { namespace: 'kube-node-lease', name: 'n1' };
    const before = (await node.cluster.get(leases, lease)).spec.renewTime;
    await advance(2000);
    expect((await node.cluster.get(leases, lease)).spec.renewTime).not.toBe(before);
  });

  it('runs a pod and reports it ready, with an address of its pod CIDR', async () => {
    await node.createPod('web', { containers: [container] });
    await advance(50);
    const { phase, podIP, hostIP, qosClass, startTime } = await status('web');
    expect({ phase, podIP, hostIP, qosClass }).toEqual({
      phase: 'Running',
      podIP: '10.244.3.2',
      hostIP: '192.0.2.10',
      qosClass: 'BestEffort',
    });
    expect(startTime).toBeDefined();
    const pod = await node.pod('web');
    for (const type of [
      'PodScheduled',
      'Initialized',
      'ContainersReady',
      'Ready',
      'PodReadyToStartContainers',
    ])
      expect(condition(pod, type)).toBe('True');
    expect(await first('web')).toMatchObject({
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: {} },
    });
    expect((await first('web')).containerID).toMatch(/^hollow:\/\//);
    expect(node.reasons('web')).toEqual(['Pulled', 'Created', 'Started']);
  });

  it('writes the status only when it differs', async () => {
    await node.createPod('web', {
      containers: [{ ...container, livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 } }],
    });
    await advance(50);
    const before = (await node.pod('web')).metadata.resourceVersion;
    await advance(60_000);
    expect((await node.pod('web')).metadata.resourceVersion).toBe(before);
  });

  it('starts a killed container again at once, and waits longer after each further end', async () => {
    await node.createPod('web', { containers: [container] }, { annotations: hollow('crash-after', '1s') });
    await advance(1010);
    expect(await first('web')).toMatchObject({
      restartCount: 1,
      ready: true,
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    });
    await advance(1010);
    const waiting = await first('web');
    expect(waiting).toMatchObject({
      restartCount: 1,
      ready: false,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
    });
    expect(waiting.state?.waiting?.message).toMatch(
      /^back-off 10s restarting failed container=web pod=web_default\(.+\)$/,
    );
    expect((await status('web')).phase).toBe('Running');
    await advance(8900);
    expect((await first('web')).restartCount).toBe(1);
    await advance(200);
    expect((await first('web')).restartCount).toBe(2);
    await advance(1010);
    expect((await first('web')).state?.waiting?.message).toContain('back-off 20s');
    expect(node.messages('web')).toContainEqual(
      expect.stringMatching(/^Back-off restarting failed container web in pod web_default/),
    );
  });

  it('forgets crashes of a container that has run for ten minutes', async () => {
    await node.createPod('web', { containers: [container] }, { annotations: hollow('crash-after', '11m') });
    for (let crash = 1; crash <= 3; crash += 1) {
      await advance(11 * 60_000 + 20);
      expect((await first('web')).restartCount).toBe(crash);
    }
  });

  it('is not ready before its readiness probe succeeds, and soon after that', async () => {
    await node.createPod(
      'web',
      { containers: [{ ...container, readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 10 } }] },
      { annotations: hollow('ready-after', '300ms') },
    );
    await advance(250);
    expect(condition(await node.pod('web'), 'Ready')).toBe('False');
    expect((await status('web')).phase).toBe('Running');
    await advance(600);
    expect(condition(await node.pod('web'), 'Ready')).toBe('True');
  });

  it('takes readiness away after failureThreshold failures and gives it back', async () => {
    await node.createPod(
      'web',
      {
        containers: [
          {
            ...container,
            readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 2, failureThreshold: 2 },
          },
        ],
      },
      { annotations: hollow('unready-after', '10s') },
    );
    await advance(9000);
    expect(condition(await node.pod('web'), 'Ready')).toBe('True');
    await advance(2500);
    expect(condition(await node.pod('web'), 'Ready')).toBe('True');
    await advance(2000);
    expect(condition(await node.pod('web'), 'Ready')).toBe('False');
    expect((await first('web')).restartCount).toBe(0);
    expect(node.reasons('web')).toContain('Unhealthy');
  });

  it('restarts a container whose liveness probe fails', async () => {
    await node.createPod(
      'web',
      {
        containers: [
          { ...container, livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 2, failureThreshold: 2 } },
        ],
      },
      { annotations: hollow('unready-after', '5s') },
    );
    await advance(9000);
    expect((await first('web')).restartCount).toBe(1);
    expect(node.messages('web')).toContain('Container web failed liveness probe, will be restarted');
  });

  it('holds liveness back until the startup probe has succeeded', async () => {
    const probe = { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 1 };
    await node.createPod(
      'web',
      {
        containers: [
          { ...container, startupProbe: { ...probe, failureThreshold: 30 }, livenessProbe: probe },
        ],
      },
      { annotations: hollow('ready-after', '10s') },
    );
    await advance(9000);
    expect(await first('web')).toMatchObject({ restartCount: 0, started: false, ready: false });
    await advance(3000);
    expect(await first('web')).toMatchObject({ restartCount: 0, started: true, ready: true });
  });

  it('runs init containers one after the other before the others', async () => {
    await node.createPod('web', {
      initContainers: [
        { name: 'one', image: 'web:1', command: ['sleep', '2'] },
        { name: 'two', image: 'web:1', command: ['sleep', '3'] },
      ],
      containers: [container],
    });
    await advance(1000);
    let now = await status('web');
    expect(now.phase).toBe('Pending');
    expect(now.initContainerStatuses?.map(({ state }) => Object.keys(state ?? {})[0])).toEqual([
      'running',
      'waiting',
    ]);
    expect(now.containerStatuses?.[0]?.state?.waiting?.reason).toBe('PodInitializing');
    await advance(2000);
    now = await status('web');
    expect(
      now.initContainerStatuses?.map(({ state, ready }) => [Object.keys(state ?? {})[0], ready]),
    ).toEqual([
      ['terminated', true],
      ['running', false],
    ]);
    await advance(3000);
    now = await status('web');
    expect(now.phase).toBe('Running');
    expect(condition(await node.pod('web'), 'Initialized')).toBe('True');
  });

  it('keeps a sidecar running beside the others, and stops it last', async () => {
    await node.createPod(
      'web',
      {
        initContainers: [{ name: 'proxy', image: 'web:1', restartPolicy: 'Always' }],
        containers: [container],
      },
      { annotations: hollow('stop-delay.web', '1s') },
    );
    await advance(100);
    expect((await status('web')).phase).toBe('Running');
    expect(condition(await node.pod('web'), 'Ready')).toBe('True');
    await node.deletePod('web');
    await advance(500);
    const running = engine.containers
      .filter(({ fact }) => fact.state === 'running')
      .map(({ spec }) => spec.labels['dev.capstan.container'] ?? 'sandbox');
    expect(running.sort()).toEqual(['proxy', 'sandbox', 'web']);
    await advance(1000);
    expect(await node.podOrNothing('web')).toBeUndefined();
  });

  it.each([
    ['Never', 0, 'Succeeded'],
    ['Never', 3, 'Failed'],
    ['OnFailure', 0, 'Succeeded'],
  ] as const)(
    'a pod with restartPolicy %s whose container ends with %i is %s, and gives its address back',
    async (restartPolicy, code, phase) => {
      await node.createPod('job', {
        restartPolicy,
        containers: [{ ...container, command: ['sh', '-c', `sleep 1; exit ${code}`] }],
      });
      await advance(2000);
      expect((await status('job')).phase).toBe(phase);
      expect(await first('job')).toMatchObject({
        restartCount: 0,
        state: { terminated: { exitCode: code, reason: code === 0 ? 'Completed' : 'Error' } },
      });
      expect(engine.containers.map(({ spec }) => spec.labels['dev.capstan.kind'])).toEqual(['container']);
    },
  );

  it('restarts on failure only, with restartPolicy OnFailure', async () => {
    await node.createPod('job', {
      restartPolicy: 'OnFailure',
      containers: [{ ...container, command: ['sh', '-c', 'sleep 1; exit 2'] }],
    });
    await advance(1100);
    expect(await first('job')).toMatchObject({ restartCount: 1 });
    expect((await status('job')).phase).toBe('Running');
  });

  it('says which image cannot be had, and backs off', async () => {
    await node.createPod(
      'web',
      { containers: [container] },
      { annotations: hollow('image-missing', 'true') },
    );
    await advance(50);
    let waiting = (await first('web')).state?.waiting;
    expect(waiting?.reason).toBe('ErrImagePull');
    expect(waiting?.message).toContain('web:1');
    await advance(1500);
    waiting = (await first('web')).state?.waiting;
    expect(waiting?.reason).toBe('ImagePullBackOff');
    expect(waiting?.message).toMatch(/^Back-off pulling image "web:1"/);
    expect((await status('web')).phase).toBe('Pending');
    const failures = (): number =>
      node.messages('web').filter((message) => message.startsWith('Failed to pull image')).length;
    expect(failures()).toBe(1);
    await advance(10_000);
    expect(failures()).toBe(2);
    await advance(15_000);
    expect(failures()).toBe(2);
    await advance(6000);
    expect(failures()).toBe(3);
  });

  it('waits for a config map that is missing, says so, and goes on when it comes', async () => {
    await node.createPod('web', {
      containers: [
        {
          ...container,
          env: [{ name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } }],
        },
      ],
    });
    await advance(50);
    expect((await first('web')).state?.waiting).toEqual({
      reason: 'CreateContainerConfigError',
      message: 'configmap "settings" not found',
    });
    expect(node.messages('web')).toContain('Error: configmap "settings" not found');
    await node.createConfigMap('settings', { color: 'blue' });
    await advance(50);
    expect((await status('web')).phase).toBe('Running');
    expect(engine.containers.at(-1)?.spec.environment).toEqual({ COLOR: 'blue' });
  });

  it('says which key of a config map is missing', async () => {
    await node.createConfigMap('settings', { other: 'x' });
    await node.createPod('web', {
      containers: [
        {
          ...container,
          env: [{ name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } }],
        },
      ],
    });
    await advance(50);
    expect((await first('web')).state?.waiting?.message).toBe(
      "couldn't find key color in ConfigMap default/settings",
    );
  });

  it('waits for a volume whose config map is missing, and shows later changes without a restart', async () => {
    await node.createPod('web', {
      containers: [{ ...container, volumeMounts: [{ name: 'pages', mountPath: '/www' }] }],
      volumes: [{ name: 'pages', configMap: { name: 'pages' } }],
    });
    await advance(50);
    expect((await first('web')).state?.waiting?.reason).toBe('ContainerCreating');
    expect(node.messages('web')).toContain(
      'MountVolume.SetUp failed for volume "pages" : configmap "pages" not found',
    );
    const created = await node.createConfigMap('pages', { 'index.html': 'one' });
    await advance(50);
    const { uid } = (await node.pod('web')).metadata;
    const shown = (): string[] | undefined =>
      files.shown(uid, 'pages')?.map(({ path, data }) => `${path}=${Buffer.from(data).toString()}`);
    expect(shown()).toEqual(['index.html=one']);
    await node.cluster.update(configmaps, { ...created, data: { 'index.html': 'two' } });
    await advance(50);
    expect(shown()).toEqual(['index.html=two']);
    expect((await first('web')).restartCount).toBe(0);
    await node.cluster.delete(configmaps, { name: 'pages', namespace: 'default' });
    await advance(50);
    expect(shown()).toEqual(['index.html=two']);
    expect((await status('web')).phase).toBe('Running');
  });

  it('stops a deleted pod with its grace, then its object goes and its address is free', async () => {
    await node.createPod(
      'web',
      { containers: [container], terminationGracePeriodSeconds: 10 },
      { annotations: hollow('stop-delay', '3s') },
    );
    await advance(100);
    await node.deletePod('web');
    await advance(2000);
    expect(condition(await node.pod('web'), 'Ready')).toBe('False');
    await advance(1500);
    expect(await node.podOrNothing('web')).toBeUndefined();
    expect(engine.containers).toHaveLength(0);
    expect(node.messages('web')).toContain('Stopping container web');
  });

  it('kills what does not stop in time', async () => {
    await node.createPod('web', { containers: [container] }, { annotations: hollow('stop-delay', '100s') });
    await advance(100);
    await node.deletePod('web');
    await advance(1900);
    expect(await node.podOrNothing('web')).toBeDefined();
    await advance(300);
    expect(await node.podOrNothing('web')).toBeUndefined();
  });

  it('runs preStop before it stops a container, within the grace', async () => {
    await node.createPod('web', {
      terminationGracePeriodSeconds: 10,
      containers: [{ ...container, lifecycle: { preStop: { sleep: { seconds: 4 } } } }],
    });
    await advance(100);
    await node.deletePod('web');
    await advance(3900);
    expect(engine.containers.some(({ fact }) => fact.state === 'running')).toBe(true);
    await advance(300);
    expect(await node.podOrNothing('web')).toBeUndefined();
  });

  it('removes what runs of a pod whose object vanished', async () => {
    await node.createPod('web', { containers: [container] });
    await advance(100);
    await node.deletePod('web', 0);
    await advance(2500);
    expect(engine.containers).toHaveLength(0);
  });

  it('adopts what runs after its own restart, and restarts nothing', async () => {
    await node.createPod('web', {
      containers: [{ ...container, readinessProbe: { tcpSocket: { port: 80 } } }],
    });
    await advance(100);
    const before = await node.pod('web');
    const ids = engine.containers.map(({ fact }) => fact.id);
    await node.stopAgent();
    node.startAgent();
    await advance(5000);
    expect(engine.containers.map(({ fact }) => fact.id)).toEqual(ids);
    expect((await node.pod('web')).status).toEqual(before.status);
  });

  it('ends what was deleted while it was away', async () => {
    await node.createPod('web', { containers: [container] });
    await node.createPod('other', { containers: [container] });
    await advance(100);
    await node.stopAgent();
    await node.deletePod('web', 0);
    node.startAgent();
    await advance(3000);
    expect(new Set(engine.containers.map(({ spec }) => spec.labels['dev.capstan.pod-name']))).toEqual(
      new Set(['other']),
    );
  });

  it('never gives an address twice, also after a restart', async () => {
    for (const name of ['a', 'b']) await node.createPod(name, { containers: [container] });
    await advance(100);
    await node.stopAgent();
    node.startAgent();
    await advance(100);
    for (const name of ['c', 'd']) await node.createPod(name, { containers: [container] });
    await advance(100);
    const addresses = await Promise.all(['a', 'b', 'c', 'd'].map(async (name) => (await status(name)).podIP));
    expect(new Set(addresses).size).toBe(4);
  });

  it('makes a new sandbox when the old one dies, and starts the containers in it', async () => {
    await node.createPod('web', { containers: [container] });
    await advance(100);
    const sandbox = engine.containers.find(({ spec }) => spec.labels['dev.capstan.kind'] === 'sandbox')!;
    sandbox.end(137);
    await advance(200);
    expect(await first('web')).toMatchObject({ restartCount: 1, ready: true });
    expect((await status('web')).podIP).not.toBe(sandbox.spec.labels['dev.capstan.address']);
    expect(
      engine.containers.filter(({ spec }) => spec.labels['dev.capstan.kind'] === 'sandbox'),
    ).toHaveLength(1);
  });

  it('keeps the last end of a container for its log and removes those before', async () => {
    await node.createPod('web', { containers: [container] }, { annotations: hollow('crash-after', '1s') });
    await advance(120_000);
    expect((await first('web')).restartCount).toBeGreaterThan(2);
    expect(
      engine.containers.filter(({ spec }) => spec.labels['dev.capstan.container'] === 'web').length,
    ).toBeLessThanOrEqual(2);
  });

  it('waits while the engine is away, says so on the node, and goes on', async () => {
    await node.createPod('web', { containers: [container] });
    await advance(100);
    engine.switchOff();
    await advance(2500);
    const ready = async () =>
      (await node.cluster.get(nodes, { name: 'n1' })).status?.conditions?.find(
        ({ type }) => type === 'Ready',
      );
    expect(await ready()).toMatchObject({ status: 'False', reason: 'KubeletNotReady' });
    for (const { fact } of engine.containers)
      if (fact.labels['dev.capstan.container'] === 'web') engine.container(fact.id).end(1);
    await node.createPod('second', { containers: [container] });
    await advance(2000);
    engine.switchOn();
    await advance(2500);
    expect((await ready())?.status).toBe('True');
    expect(await first('web')).toMatchObject({ restartCount: 1, ready: true });
    expect((await status('second')).phase).toBe('Running');
  });

  it('ends a pod at its activeDeadlineSeconds', async () => {
    await node.createPod('web', { activeDeadlineSeconds: 5, containers: [container] });
    await advance(7000);
    expect(await status('web')).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
    expect(engine.containers.filter(({ fact }) => fact.state === 'running')).toHaveLength(0);
  });

  it('uses the address of the node for a pod in its network, without a sandbox', async () => {
    await node.createPod('web', { hostNetwork: true, containers: [container] });
    await advance(100);
    expect((await status('web')).podIP).toBe('192.0.2.10');
    expect(engine.containers.map(({ spec }) => spec.network.type)).toEqual(['host']);
  });

  it('restarts a container whose image was changed', async () => {
    await node.createPod('web', { containers: [container] });
    await advance(100);
    const pod: Pod = await node.pod('web');
    await node.cluster.patch(
      pods,
      { name: 'web', namespace: 'default' },
      { type: 'strategic', patch: { spec: { containers: [{ name: 'web', image: 'web:2' }] } } },
    );
    await advance(3000);
    expect(pod.spec.containers[0]?.image).toBe('web:1');
    expect(await first('web')).toMatchObject({ image: 'web:2', restartCount: 1, ready: true });
    expect(node.messages('web')).toContain('Container web definition changed, will be restarted');
  });
});
