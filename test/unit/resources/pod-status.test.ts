import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../src/resources/conditions.js';
import { conditionOf, withCondition, withoutCondition } from '../../../src/resources/conditions.js';
import type { Container, Pod, PodSpec } from '../../../src/resources/generated/types.js';
import { podLimits, podRequests, qosClassOf } from '../../../src/resources/pod-resources.js';
import {
  containerStatusOf,
  isPodActive,
  isPodAvailable,
  isPodReady,
  podAvailableAt,
  podRestarts,
} from '../../../src/resources/pod-status.js';

const now = Date.parse('2025-01-01T00:01:00Z');

const podWith = (status: Pod['status'], deletionTimestamp?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'a',
    namespace: 'n',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '',
    deletionTimestamp,
  },
  spec: { containers: [{ name: 'c' }] },
  status,
});

const readyAt = (lastTransitionTime: string, status = 'True'): Pod =>
  podWith({ conditions: [{ type: 'Ready', status, lastTransitionTime }] });

describe('a pod', () => {
  it('is ready by its Ready condition and available after minReadySeconds', () => {
    const pod = readyAt('2025-01-01T00:00:50Z');
    expect(isPodReady(pod)).toBe(true);
    expect(isPodAvailable(pod, 0, now)).toBe(true);
    expect(isPodAvailable(pod, 10, now)).toBe(true);
    expect(isPodAvailable(pod, 11, now)).toBe(false);
    expect(podAvailableAt(pod, 11)).toBe(now + 1000);
    expect(isPodAvailable(readyAt('2025-01-01T00:00:50Z', 'False'), 0, now)).toBe(false);
    expect(podAvailableAt(podWith({}))).toBeUndefined();
  });

  it('is active until it terminates or is deleted', () => {
    expect(isPodActive(podWith(undefined))).toBe(true);
    expect(isPodActive(podWith({ phase: 'Succeeded' }))).toBe(false);
    expect(isPodActive(podWith({ phase: 'Running' }, '2025-01-01T00:00:00Z'))).toBe(false);
  });

  it('counts the restarts of all its containers', () => {
    const status = (name: string, restartCount: number) => ({
      name,
      restartCount,
      image: '',
      imageID: '',
      ready: true,
    });
    const pod = podWith({ containerStatuses: [status('c', 2)], initContainerStatuses: [status('i', 1)] });
    expect(podRestarts(pod)).toBe(3);
    expect(containerStatusOf(pod, 'i')?.restartCount).toBe(1);
    expect(containerStatusOf(pod, 'x')).toBeUndefined();
  });
});

const container = (cpu: string, memory: string, more: Partial<Container> = {}): Container => ({
  name: 'c',
  resources: { requests: { cpu, memory } },
  ...more,
});

describe('what a pod asks for', () => {
  it('is the sum of its containers', () => {
    expect(podRequests({ containers: [container('100m', '1Mi'), container('1', '1Mi')] })).toEqual({
      cpu: 1100,
      memory: 2097152,
    });
  });

  it('is that of an init container when it is larger', () => {
    const spec: PodSpec = { initContainers: [container('2', '1')], containers: [container('1', '5')] };
    expect(podRequests(spec)).toEqual({ cpu: 2000, memory: 5 });
  });

  it('adds sidecars to the containers and to the init containers started after them', () => {
    const sidecar = container('500m', '0', { restartPolicy: 'Always' });
    expect(
      podRequests({
        initContainers: [container('1', '0'), sidecar, container('1', '0')],
        containers: [container('900m', '0')],
      }).cpu,
    ).toBe(1500);
  });

  it('adds the overhead, and lets pod-level amounts stand for the whole pod', () => {
    const spec: PodSpec = { containers: [container('1', '1Mi')], overhead: { cpu: '10m' } };
    expect(podRequests(spec).cpu).toBe(1010);
    expect(podRequests({ ...spec, resources: { requests: { cpu: '3' } } }).cpu).toBe(3010);
    expect(podLimits(spec)).toEqual({});
  });

  it('decides its class of service', () => {
    expect(qosClassOf({ containers: [{ name: 'c' }] })).toBe('BestEffort');
    expect(qosClassOf({ containers: [container('1', '1Gi')] })).toBe('Burstable');
    const exact = { requests: { cpu: '1' }, limits: { cpu: '1000m', memory: '1Gi' } };
    expect(qosClassOf({ containers: [{ name: 'c', resources: exact }] })).toBe('Guaranteed');
    expect(qosClassOf({ containers: [{ name: 'c', resources: exact }, { name: 'd' }] })).toBe('Burstable');
  });
});

describe('conditions', () => {
  const at = '2025-01-01T00:00:00Z';
  const none: readonly Condition[] = [];

  it('move their transition time only when the status changes', () => {
    const first = withCondition(none, { type: 'Ready', status: 'False', reason: 'A' }, now - 60_000);
    expect(conditionOf(first, 'Ready')?.lastTransitionTime).toBe(at);
    const second = withCondition(first, { type: 'Ready', status: 'False', reason: 'B' }, now);
    expect(conditionOf(second, 'Ready')).toMatchObject({ reason: 'B', lastTransitionTime: at });
    const third = withCondition(second, { type: 'Ready', status: 'True' }, now);
    expect(conditionOf(third, 'Ready')?.lastTransitionTime).toBe('2025-01-01T00:01:00Z');
  });

  it('stay the same list when nothing changed', () => {
    const first = withCondition(none, { type: 'Ready', status: 'True', reason: 'A' }, now);
    expect(withCondition(first, { type: 'Ready', status: 'True', reason: 'A' }, now + 5000)).toBe(first);
  });

  it('keep their order and can be removed', () => {
    const list = withCondition(
      withCondition(none, { type: 'A', status: 'True' }, now),
      { type: 'B', status: 'True' },
      now,
    );
    expect(withCondition(list, { type: 'A', status: 'False' }, now).map(({ type }) => type)).toEqual([
      'A',
      'B',
    ]);
    expect(withoutCondition(list, 'A').map(({ type }) => type)).toEqual(['B']);
  });
});
