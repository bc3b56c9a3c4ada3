import { describe, expect, it } from 'vitest';
import { checkHasLog, containerOf } from '../../../src/apiserver/pod-log.js';
import type { ContainerStatus, Pod } from '../../../src/resources/generated/types.js';

const pod = (
  containers: readonly string[],
  init: readonly string[] = [],
  statuses: readonly ContainerStatus[] = [],
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: {
    containers: containers.map((name) => ({ name, image: 'x' })),
    ...(init.length === 0 ? {} : { initContainers: init.map((name) => ({ name, image: 'x' })) }),
  },
  status: { containerStatuses: statuses },
});

const status = (parts: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'app',
  image: 'x',
  imageID: '',
  ready: false,
  restartCount: 0,
  ...parts,
});

describe('the container of a log', () => {
  it('is the only one there is', () => {
    expect(containerOf(pod(['app']), undefined)).toBe('app');
  });

  it('must be named when there are several', () => {
    expect(() => containerOf(pod(['app', 'proxy']), undefined)).toThrow(
      'a container name must be specified for pod web, choose one of: [app proxy]',
    );
    expect(() => containerOf(pod(['app'], ['setup']), undefined)).toThrow(
      'a container name must be specified for pod web, choose one of: [app] or one of the init containers: [setup]',
    );
    expect(containerOf(pod(['app'], ['setup']), 'setup')).toBe('setup');
  });

  it('must exist', () => {
    expect(() => containerOf(pod(['app']), 'other')).toThrow('container other is not valid for pod web');
  });
});

describe('a container that has no log yet', () => {
  it('says what it waits for', () => {
    const waiting = (reason: string) => pod(['app'], [], [status({ state: { waiting: { reason } } })]);
    expect(() => checkHasLog(waiting('ContainerCreating'), 'app', false)).toThrow(
      'container "app" in pod "web" is waiting to start: ContainerCreating',
    );
    expect(() => checkHasLog(waiting('ImagePullBackOff'), 'app', false)).toThrow(
      'container "app" in pod "web" is waiting to start: trying and failing to pull image',
    );
  });

  it('shows the log of its last run while it waits to be restarted', () => {
    const crashed = status({
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1 } },
      restartCount: 3,
    });
    expect(() => checkHasLog(pod(['app'], [], [crashed]), 'app', false)).not.toThrow();
    expect(() => checkHasLog(pod(['app'], [], [crashed]), 'app', true)).not.toThrow();
  });

  it('has no previous log before its first restart', () => {
    const running = status({ state: { running: {} } });
    expect(() => checkHasLog(pod(['app'], [], [running]), 'app', true)).toThrow(
      'previous terminated container "app" in pod "web" not found',
    );
  });
});
