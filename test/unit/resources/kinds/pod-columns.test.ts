import { describe, expect, it } from 'vitest';
import type { Kind } from '../../../../src/resources/kind.js';
import { events } from '../../../../src/resources/kinds/events.js';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { row, tableRow } from '../sentences.js';

const now = Date.parse('2025-01-01T01:00:00Z');

const pod = (status: object, { spec, metadata }: { spec?: object; metadata?: object } = {}): object => ({
  ...(metadata === undefined ? {} : { metadata }),
  spec: { containers: [{ name: 'c', image: 'x' }], ...spec },
  status,
});
const running = { state: { running: {} }, ready: true };
const container = (parts: object, name = 'c'): object => ({ name, restartCount: 0, ...parts });
const withContainers = (...containerStatuses: object[]): object => ({ phase: 'Running', containerStatuses });
const init = (...initContainerStatuses: object[]): object =>
  pod(
    {
      phase: 'Pending',
      initContainerStatuses,
      containerStatuses: [container({ state: { waiting: { reason: 'PodInitializing' } } })],
    },
    {
      spec: {
        initContainers: [
          { name: 'i', image: 'x' },
          { name: 'j', image: 'x' },
        ],
      },
    },
  );
const sidecar = (...initContainerStatuses: object[]): object =>
  pod(
    {
      phase: 'Running',
      conditions: [{ type: 'Initialized', status: 'True' }],
      initContainerStatuses,
      containerStatuses: [container(running)],
    },
    { spec: { initContainers: [{ name: 's', image: 'x', restartPolicy: 'Always' }] } },
  );
const done = { state: { terminated: { exitCode: 0, reason: 'Completed' } } };
const deleting = { metadata: { deletionTimestamp: '2025-01-01T00:59:00Z' } };

describe('a pod shows', () => {
  it.each<[string, object, string, string, string]>([
    ['nothing yet', pod({}), '0/1', 'Pending', '0'],
    ['that it runs', pod(withContainers(container(running))), '1/1', 'Running', '0'],
    [
      'that it runs and is not ready',
      pod(withContainers(container({ ...running, ready: false }))),
      '0/1',
      'Running',
      '0',
    ],
    [
      'what a container waits for',
      pod(withContainers(container({ state: { waiting: { reason: 'ImagePullBackOff' } } }))),
      '0/1',
      'ImagePullBackOff',
      '0',
    ],
    [
      'a crash loop and when it last ended',
      pod(
        withContainers(
          container({
            restartCount: 3,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, finishedAt: '2025-01-01T00:55:00Z' } },
          }),
        ),
      ),
      '0/1',
      'CrashLoopBackOff',
      '3 (5m ago)',
    ],
    [
      'how it ended',
      pod({ phase: 'Succeeded', containerStatuses: [container(done)] }),
      '0/1',
      'Completed',
      '0',
    ],
    [
      'an exit code without a reason',
      pod({ phase: 'Failed', containerStatuses: [container({ state: { terminated: { exitCode: 7 } } })] }),
      '0/1',
      'ExitCode:7',
      '0',
    ],
    [
      'a signal without a reason',
      pod({
        phase: 'Failed',
        containerStatuses: [container({ state: { terminated: { exitCode: 0, signal: 9 } } })],
      }),
      '0/1',
      'Signal:9',
      '0',
    ],
    ['its own reason', pod({ phase: 'Failed', reason: 'Evicted' }), '0/1', 'Evicted', '0'],
    ['that it goes', pod(withContainers(container(running)), deleting), '1/1', 'Terminating', '0'],
    [
      'how it ended, also while it goes',
      pod({ phase: 'Succeeded', containerStatuses: [container(done)] }, deleting),
      '0/1',
      'Completed',
      '0',
    ],
    ['that its node is lost', pod({ phase: 'Running', reason: 'NodeLost' }, deleting), '0/1', 'Unknown', '0'],
    [
      'that it is held back',
      pod({ conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
      '0/1',
      'SchedulingGated',
      '0',
    ],
    [
      'the first container of several that has a reason',
      pod(
        withContainers(
          container({ state: { waiting: { reason: 'ErrImagePull' } } }),
          container({ state: { terminated: { exitCode: 1, reason: 'Error' } } }, 'd'),
        ),
        {
          spec: {
            containers: [
              { name: 'c', image: 'x' },
              { name: 'd', image: 'x' },
            ],
          },
        },
      ),
      '0/2',
      'ErrImagePull',
      '0',
    ],
    [
      'that it runs when only one has completed',
      pod(
        {
          ...withContainers(container(done), container(running, 'd')),
          conditions: [{ type: 'Ready', status: 'True' }],
        },
        {
          spec: {
            containers: [
              { name: 'c', image: 'x' },
              { name: 'd', image: 'x' },
            ],
          },
        },
      ),
      '1/2',
      'Running',
      '0',
    ],
    [
      'that it is not ready when one has completed',
      pod(withContainers(container(done), container(running, 'd')), {
        spec: {
          containers: [
            { name: 'c', image: 'x' },
            { name: 'd', image: 'x' },
          ],
        },
      }),
      '1/2',
      'NotReady',
      '0',
    ],
    [
      'the first init container',
      init(
        container({ state: { running: {} } }, 'i'),
        container({ state: { waiting: { reason: 'PodInitializing' } } }, 'j'),
      ),
      '0/1',
      'Init:0/2',
      '0',
    ],
    [
      'the second init container and its restarts',
      init(
        container(done, 'i'),
        container(
          {
            restartCount: 1,
            state: { running: {} },
            lastState: { terminated: { exitCode: 1, finishedAt: '2025-01-01T00:59:58Z' } },
          },
          'j',
        ),
      ),
      '0/1',
      'Init:1/2',
      '1 (2s ago)',
    ],
    [
      'why an init container failed',
      init(container({ state: { terminated: { exitCode: 1, reason: 'Error' } } }, 'i')),
      '0/1',
      'Init:Error',
      '0',
    ],
    [
      'with what an init container failed',
      init(container({ state: { terminated: { exitCode: 3 } } }, 'i')),
      '0/1',
      'Init:ExitCode:3',
      '0',
    ],
    [
      'what an init container waits for',
      init(container({ restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } }, 'i')),
      '0/1',
      'Init:CrashLoopBackOff',
      '2',
    ],
    [
      'what comes after its init containers',
      init(container(done, 'i'), container(done, 'j')),
      '0/1',
      'PodInitializing',
      '0',
    ],
    [
      'a ready sidecar and its restarts',
      sidecar(container({ ...running, started: true, restartCount: 2 }, 's')),
      '2/2',
      'Running',
      '2',
    ],
    [
      'a sidecar that fails later without its being initialising again',
      sidecar(container({ restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } } }, 's')),
      '1/2',
      'Init:CrashLoopBackOff',
      '1',
    ],
  ])('%s', (_, parts, ready, status, restarts) => {
    const cells = row(pods, parts, now);
    expect({ ready: cells['Ready'], status: cells['Status'], restarts: cells['Restarts'] }).toEqual({
      ready,
      status,
      restarts,
    });
  });

  it('where it is', () => {
    const spec = { nodeName: 'n1', readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] };
    const status = {
      podIPs: [{ ip: '10.244.0.5' }],
      conditions: [{ type: 'a', status: 'True' }],
      nominatedNodeName: 'n2',
    };
    expect(tableRow(pods, pod(status, { spec }), now)).toBe(
      'Name=a Ready=0/1 Status=Pending Restarts=0 Age=60m | IP=10.244.0.5 Node=n1 Nominated Node=n2 Readiness Gates=1/2',
    );
    expect(tableRow(pods, pod({}), now)).toContain(
      '| IP=<none> Node=<none> Nominated Node=<none> Readiness Gates=<none>',
    );
  });
});

describe('selectable fields', () => {
  const fields = (kind: Kind, parts: object): unknown =>
    kind.selectableFields(kind.defaulted({ ...(parts as Parameters<Kind['defaulted']>[0]) }));
  it('of pods name their node and phase', () => {
    expect(
      fields(
        pods,
        pod({ phase: 'Running', podIP: '10.0.0.1' }, { spec: { nodeName: 'n1', hostNetwork: true } }),
      ),
    ).toEqual({
      'spec.nodeName': 'n1',
      'spec.restartPolicy': 'Always',
      'spec.schedulerName': 'default-scheduler',
      'spec.serviceAccountName': '',
      'spec.hostNetwork': 'true',
      'status.phase': 'Running',
      'status.podIP': '10.0.0.1',
      'status.nominatedNodeName': '',
    });
  });

  it('of events name what they are about', () => {
    expect(
      fields(events, {
        involvedObject: { kind: 'Pod', name: 'web', uid: 'u' },
        type: 'Normal',
        source: { component: 'c' },
      }),
    ).toMatchObject({
      'involvedObject.kind': 'Pod',
      'involvedObject.name': 'web',
      'involvedObject.uid': 'u',
      type: 'Normal',
      source: 'c',
      reason: '',
    });
  });
});
