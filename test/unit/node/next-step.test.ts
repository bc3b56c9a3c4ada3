// What is done for a pod next, and why: a table of situations.
import { describe, expect, it } from 'vitest';
import { emptyMemory, withContainer } from '../../../src/node/pod-memory.js';
import type { ProbeMemory } from '../../../src/node/pod-memory.js';
import { label } from '../../../src/node/labels.js';
import { app, ended, now, pod, prepared, references, sandbox, step } from './pod-picture-setup.js';

const probed = (kind: 'liveness' | 'startup', result: boolean) =>
  withContainer(prepared, 'web', () => ({
    probes: {
      [kind]: {
        containerId: 'web-0',
        lastAt: now,
        attempts: 3,
        successes: 0,
        failures: 3,
        result,
      } satisfies ProbeMemory,
    },
  }));
const failure = (reason: string, at: number, failures = 1) =>
  withContainer(prepared, 'web', () => ({
    probes: {},
    failure: { reason, message: 'no such image', at, failures, specHash: app('web').labels[label.specHash]! },
  }));

describe('a pod that starts', () => {
  it('gets its volumes and its sandbox at the same time', () => {
    const { does, because } = step({ memory: emptyMemory(now) });
    expect(does).toEqual(['prepareVolumes', 'createSandbox']);
    expect(because).toBe('volumes are set up; the pod needs a sandbox');
  });
  it('gets nothing twice', () => {
    expect(step({ memory: emptyMemory(now), inFlight: new Set(['volumes', 'sandbox']) }).does).toEqual([]);
  });
  it('waits for the pod CIDR of its node', () => {
    const { does, because } = step({ node: { hostIP: '192.0.2.1', networkReady: false } });
    expect(does).toEqual([]);
    expect(because).toContain('spec.podCIDR');
  });
  it('starts its containers together once the sandbox runs', () => {
    const two = pod({
      containers: [
        { name: 'web', image: 'web:1' },
        { name: 'log', image: 'log:1' },
      ],
    });
    expect(step({ pod: two, containers: [sandbox()] }).does).toEqual([
      'startContainer web',
      'startContainer log',
    ]);
  });
  it('starts nothing before its volumes are there', () => {
    expect(
      step({ memory: emptyMemory(now), containers: [sandbox()], inFlight: new Set(['volumes']) }).does,
    ).toEqual([]);
  });
  it('needs no sandbox in the network of the host', () => {
    expect(step({ pod: pod({ hostNetwork: true }) }).does).toEqual(['startContainer web']);
  });
  it('runs init containers in order', () => {
    const init = pod({
      initContainers: [
        { name: 'one', image: 'web:1' },
        { name: 'two', image: 'web:1' },
      ],
    });
    expect(step({ pod: init, containers: [sandbox()] }).does).toEqual(['startContainer one']);
    expect(step({ pod: init, containers: [sandbox(), app('one')] }).does).toEqual([]);
    expect(step({ pod: init, containers: [sandbox(), ended('one', 0)] }).does).toEqual([
      'startContainer two',
    ]);
    expect(step({ pod: init, containers: [sandbox(), ended('one', 1)] }).does).toEqual([
      'startContainer one',
    ]);
    expect(step({ pod: init, containers: [sandbox(), ended('one', 0), ended('two', 0)] }).does).toEqual([
      'startContainer web',
    ]);
  });
  it('gives up when an init container fails and nothing is to be restarted', () => {
    const init = pod({ restartPolicy: 'Never', initContainers: [{ name: 'one', image: 'web:1' }] });
    expect(step({ pod: init, containers: [sandbox(), ended('one', 1)] }).does).toEqual(['remove sandbox-0']);
  });
  it('goes on behind a sidecar that runs, and looks after it', () => {
    const side = pod({ initContainers: [{ name: 'proxy', image: 'web:1', restartPolicy: 'Always' }] });
    expect(step({ pod: side, containers: [sandbox(), app('proxy')] }).does).toEqual(['startContainer web']);
    expect(step({ pod: side, containers: [sandbox(), ended('proxy', 1), app('web')] }).does).toEqual([
      'startContainer proxy',
    ]);
  });
  it('says which config map is missing', () => {
    const missing = { type: 'missing', message: 'configmap "x" not found' } as const;
    const { does, announcements } = step({ containers: [sandbox()], environment: () => missing });
    expect(does).toEqual([]);
    expect(announcements).toMatchObject([
      { type: 'Warning', reason: 'Failed', message: 'Error: configmap "x" not found' },
    ]);
  });
  it('waits for a volume whose secret is missing, and says so', () => {
    const spec = pod({ volumes: [{ name: 'keys', secret: { secretName: 'keys' } }] });
    const { does, announcements } = step({ pod: spec, memory: emptyMemory(now), containers: [sandbox()] });
    expect(does).toEqual([]);
    expect(announcements).toMatchObject([
      {
        reason: 'FailedMount',
        message: 'MountVolume.SetUp failed for volume "keys" : secret "keys" not found',
      },
    ]);
  });
  it('keeps the files that run when the config map they came from is gone', () => {
    const spec = pod({ volumes: [{ name: 'pages', configMap: { name: 'pages' } }] });
    const memory = { ...prepared, volumes: { version: 'as it was', paths: { pages: '/x' } } };
    expect(step({ pod: spec, memory, containers: [sandbox(), app('web')] })).toMatchObject({
      does: [],
      announcements: [],
    });
    expect(
      step({
        pod: spec,
        memory,
        references: references({ configMaps: { pages: { a: 'b' } } }),
        containers: [sandbox(), app('web')],
      }).does,
    ).toEqual(['prepareVolumes']);
  });
});

describe('a container that ended', () => {
  it.each([
    ['Always', 0, true],
    ['Always', 1, true],
    ['OnFailure', 1, true],
    ['OnFailure', 0, false],
    ['Never', 1, false],
  ])('with restartPolicy %s and exit code %i is started again: %s', (restartPolicy, code, again) => {
    expect(step({ pod: pod({ restartPolicy }), containers: [sandbox(), ended('web', code)] }).does).toEqual(
      again ? ['startContainer web'] : ['remove sandbox-0'],
    );
  });
  it.each([
    [0, 0],
    [1, 10],
    [2, 20],
    [3, 40],
    [5, 160],
    [9, 300],
  ])('after %i ends in a row waits %i s', (crashes, seconds) => {
    const crashed = ended(
      'web',
      1,
      { finishedAt: now - 500 },
      { [label.crashes]: String(crashes), [label.attempt]: '4' },
    );
    const next = step({ containers: [sandbox(), crashed] });
    if (seconds === 0)
      expect(next.actions).toMatchObject([{ type: 'startContainer', attempt: 5, crashes: 1 }, {}]);
    else {
      expect(next.does).toEqual([]);
      expect(next.wakeAt).toBe(now - 500 + seconds * 1000);
      expect(step({ containers: [sandbox(), crashed] }, next.wakeAt).does).toEqual(['startContainer web']);
    }
  });
  it('has recovered when it had run for ten minutes', () => {
    const long = ended('web', 1, { startedAt: now - 601_000, finishedAt: now }, { [label.crashes]: '7' });
    expect(step({ containers: [sandbox(), long] }).actions).toMatchObject([
      { type: 'startContainer', crashes: 1 },
      {},
    ]);
  });
  it('that someone removed counts as one start more', () => {
    const known = {
      ...pod(),
      status: {
        containerStatuses: [
          {
            name: 'web',
            containerID: 'docker://gone',
            restartCount: 3,
            image: '',
            imageID: '',
            ready: false,
          },
        ],
      },
    };
    expect(step({ pod: known, containers: [sandbox()] }).actions).toMatchObject([
      { type: 'startContainer', attempt: 4 },
    ]);
  });
  it('keeps its last end and loses those before', () => {
    const history = [
      app('web', { id: 'web-2' }, { [label.attempt]: '2' }),
      ended('web', 1, { id: 'web-1' }, { [label.attempt]: '1' }),
      ended('web', 1),
    ];
    expect(step({ containers: [sandbox(), ...history] }).does).toEqual(['remove web-0']);
  });
});

describe('a container that runs', () => {
  it('is left alone', () => {
    expect(step({ containers: [sandbox(), app('web')] })).toMatchObject({
      does: [],
      because: 'everything is as it shall be',
    });
  });
  it.each(['liveness', 'startup'] as const)('is stopped when its %s probe has failed', (kind) => {
    const { does, because } = step({ memory: probed(kind, false), containers: [sandbox(), app('web')] });
    expect(does).toEqual(['stopContainer web-0']);
    expect(because).toBe(`Container web failed ${kind} probe, will be restarted`);
  });
  it('is stopped when its image has changed', () => {
    const changed = pod({ containers: [{ name: 'web', image: 'web:2' }] });
    expect(step({ pod: changed, containers: [sandbox(), app('web')] }).because).toBe(
      'Container web definition changed, will be restarted',
    );
  });
  it('is stopped when its sandbox has died, and only then comes another sandbox', () => {
    const dead = sandbox({ state: 'exited', finishedAt: now });
    expect(step({ containers: [dead, app('web')] }).does).toEqual(['stopContainer web-0']);
    const next = step({ containers: [dead, ended('web', 137)] });
    expect(next.does).toEqual(['createSandbox']);
    expect(next.actions[0]).toMatchObject({ attempt: 1 });
  });
  it('is probed when its time has come, and not before its startup probe has succeeded', () => {
    const spec = pod({
      containers: [
        {
          name: 'web',
          image: 'web:1',
          startupProbe: { tcpSocket: { port: 1 } },
          livenessProbe: { tcpSocket: { port: 1 }, initialDelaySeconds: 70 },
          readinessProbe: { tcpSocket: { port: 1 } },
        },
      ],
    });
    expect(step({ pod: spec, containers: [sandbox(), app('web')] }).actions).toMatchObject([
      { type: 'probe', kind: 'startup' },
    ]);
    const next = step({ pod: spec, memory: probed('startup', true), containers: [sandbox(), app('web')] });
    expect(next.actions).toMatchObject([{ type: 'probe', kind: 'readiness' }]);
    expect(next.wakeAt).toBe(now - 50_000 + 70_000);
  });
});

describe('an image that cannot be had', () => {
  it.each([
    [1, 10],
    [2, 20],
    [6, 300],
  ])('after %i failures is asked for again after %i s', (failures, seconds) => {
    const next = step({ memory: failure('ErrImagePull', now, failures), containers: [sandbox()] });
    expect(next).toMatchObject({ does: [], wakeAt: now + seconds * 1000 });
    expect(next.announcements).toMatchObject([
      { reason: 'BackOff', message: 'Back-off pulling image "web:1"' },
    ]);
    expect(
      step({ memory: failure('ErrImagePull', now, failures), containers: [sandbox()] }, now + seconds * 1000)
        .does,
    ).toEqual(['startContainer web']);
  });
  it('is forgotten when the pod gets another image', () => {
    expect(
      step({
        pod: pod({ containers: [{ name: 'web', image: 'web:2' }] }),
        memory: failure('ErrImagePull', now),
        containers: [sandbox()],
      }).does,
    ).toEqual(['startContainer web']);
  });
});

describe('a pod that ends', () => {
  const deleting = (more: Partial<Parameters<typeof pod>[0]> = {}) =>
    pod(more, { deletionTimestamp: '2026-01-01T12:00:05Z', deletionGracePeriodSeconds: 5 });

  it('stops its containers with the grace of the deletion', () => {
    const next = step({ pod: deleting(), containers: [sandbox(), app('web')] });
    expect(next.actions).toMatchObject([
      { type: 'stopContainer', graceSeconds: 5, message: 'Stopping container web' },
    ]);
  });
  it('gives up what is being started', () => {
    expect(step({ pod: deleting(), inFlight: new Set(['start/web', 'sandbox']) }).does).toEqual([
      'cancel start/web',
      'cancel sandbox',
    ]);
  });
  it('kills what still runs when its time is over', () => {
    const containers = [sandbox(), app('web')];
    const inFlight = new Set(['stop/web-0']);
    expect(step({ pod: deleting(), containers, inFlight })).toMatchObject({ does: [], wakeAt: now + 7000 });
    expect(step({ pod: deleting(), containers, inFlight }, now + 7000).does).toEqual(['kill web-0']);
  });
  it('stops sidecars after the others', () => {
    const spec = deleting({ initContainers: [{ name: 'proxy', image: 'web:1', restartPolicy: 'Always' }] });
    expect(step({ pod: spec, containers: [sandbox(), app('proxy'), app('web')] }).does).toEqual([
      'stopContainer web-0',
    ]);
    expect(step({ pod: spec, containers: [sandbox(), app('proxy'), ended('web', 0)] }).does).toEqual([
      'stopContainer proxy-0',
    ]);
  });
  it('then removes everything, then its object', () => {
    expect(step({ pod: deleting(), containers: [sandbox(), ended('web', 0)] }).does).toEqual([
      'remove sandbox-0',
      'remove web-0',
    ]);
    expect(step({ pod: deleting() }).does).toEqual(['finish']);
    expect(step({ pod: deleting(), memory: { ...prepared, finished: true } }).does).toEqual([]);
  });
  it('when it is over but not deleted keeps its containers for their logs', () => {
    const over = { ...pod({ restartPolicy: 'Never' }), status: { phase: 'Succeeded' } };
    expect(step({ pod: over, containers: [sandbox(), ended('web', 0)] }).does).toEqual(['remove sandbox-0']);
  });
});

it('the same facts give the same step', () => {
  const facts = { containers: [sandbox(), ended('web', 1)] };
  expect(step(facts)).toEqual(step(facts));
});
