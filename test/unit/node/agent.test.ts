// The agent starts, watches and restarts pods, on a simulated engine with a clock that the test moves.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configmaps } from '../../../src/resources/kinds/configmaps.js';
import { leases } from '../../../src/resources/kinds/leases.js';
import { nodes } from '../../../src/resources/kinds/nodes.js';
import { condition } from './agent-harness.js';
import { hollow, openHollowNode, web } from './hollow-node.js';
import type { HollowNode } from './hollow-node.js';

describe.each(['view', 'remote'] as const)('an agent that learns of its pods by a %s source', (source) => {
  let engine: HollowNode['engine'];
  let files: HollowNode['files'];
  let node: HollowNode['node'];
  let advance: HollowNode['advance'];
  let status: HollowNode['status'];
  let first: HollowNode['first'];

  beforeEach(async () => {
    ({ engine, files, node, advance, status, first } = await openHollowNode(source));
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
    await node.createPod('web', { containers: [web] });
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
      containers: [{ ...web, livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 } }],
    });
    await advance(50);
    const before = (await node.pod('web')).metadata.resourceVersion;
    await advance(60_000);
    expect((await node.pod('web')).metadata.resourceVersion).toBe(before);
  });

  it('starts a killed container again at once, and waits longer after each further end', async () => {
    await node.createPod('web', { containers: [web] }, { annotations: hollow('crash-after', '1s') });
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
    await advance(9900);
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
    await node.createPod('web', { containers: [web] }, { annotations: hollow('crash-after', '11m') });
    for (let crash = 1; crash <= 3; crash += 1) {
      await advance(11 * 60_000 + 20);
      expect((await first('web')).restartCount).toBe(crash);
    }
  });

  it('is not ready before its readiness probe succeeds, and soon after that', async () => {
    await node.createPod(
      'web',
      { containers: [{ ...web, readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 10 } }] },
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
            ...web,
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
          { ...web, livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 2, failureThreshold: 2 } },
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
        containers: [{ ...web, startupProbe: { ...probe, failureThreshold: 30 }, livenessProbe: probe }],
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
      containers: [web],
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
        containers: [web],
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
        containers: [{ ...web, command: ['sh', '-c', `sleep 1; exit ${code}`] }],
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
      containers: [{ ...web, command: ['sh', '-c', 'sleep 1; exit 2'] }],
    });
    await advance(1100);
    expect(await first('job')).toMatchObject({ restartCount: 1 });
    expect((await status('job')).phase).toBe('Running');
  });

  it('says which image cannot be had, and backs off', async () => {
    await node.createPod('web', { containers: [web] }, { annotations: hollow('image-missing', 'true') });
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
          ...web,
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
          ...web,
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
      containers: [{ ...web, volumeMounts: [{ name: 'pages', mountPath: '/www' }] }],
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
});
