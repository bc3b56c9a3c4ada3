import { describe, expect, it } from 'vitest';
import { autoscalerToV1, autoscalerToV2 } from '../../../src/resources/autoscaling/version-conversion.js';
import { newerEvent, olderEvent } from '../../../src/resources/events/version-conversion.js';
import type { Event, V2HorizontalPodAutoscaler } from '../../../src/resources/generated/types.js';

const metadata = {
  name: 'a',
  namespace: 'n',
  uid: 'u',
  resourceVersion: '1',
  creationTimestamp: '2025-01-01T00:00:00Z',
  annotations: { team: 'x' },
};
const scaleTargetRef = { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' };
const selector = { matchLabels: { app: 'web' } };

const autoscaler: V2HorizontalPodAutoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata,
  spec: {
    scaleTargetRef,
    minReplicas: 2,
    maxReplicas: 9,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '64Mi' } },
      },
      {
        type: 'ContainerResource',
        containerResource: {
          name: 'cpu',
          container: 'web',
          target: { type: 'Utilization', averageUtilization: 60 },
        },
      },
      {
        type: 'Pods',
        pods: { metric: { name: 'hits', selector }, target: { type: 'AverageValue', averageValue: '10' } },
      },
      {
        type: 'Object',
        object: {
          describedObject: { kind: 'Ingress', name: 'i', apiVersion: 'networking.k8s.io/v1' },
          metric: { name: 'requests' },
          target: { type: 'Value', value: '100' },
        },
      },
      {
        type: 'External',
        external: {
          metric: { name: 'queue', selector },
          target: { type: 'AverageValue', averageValue: '5' },
        },
      },
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
      },
    ],
    behavior: {
      scaleDown: { selectPolicy: 'Min', policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
    },
  },
  status: {
    currentReplicas: 3,
    desiredReplicas: 4,
    lastScaleTime: '2025-01-01T00:00:00Z',
    currentMetrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', current: { averageUtilization: 70, averageValue: '70m' } },
      },
      { type: 'Pods', pods: { metric: { name: 'hits' }, current: { averageValue: '12' } } },
    ],
    conditions: [{ type: 'AbleToScale', status: 'True', reason: 'ReadyForNewScale' }],
  },
};

describe('an autoscaler in version 1', () => {
  it('says what it can in fields, and the rest in annotations', () => {
    const older = autoscalerToV1(autoscaler);
    expect(older.spec).toEqual({
      scaleTargetRef,
      minReplicas: 2,
      maxReplicas: 9,
      targetCPUUtilizationPercentage: 50,
    });
    expect(older.status).toMatchObject({ currentReplicas: 3, currentCPUUtilizationPercentage: 70 });
    const { annotations = {} } = older.metadata;
    expect(Object.keys(annotations).sort()).toEqual([
      'autoscaling.alpha.kubernetes.io/behavior',
      'autoscaling.alpha.kubernetes.io/conditions',
      'autoscaling.alpha.kubernetes.io/current-metrics',
      'autoscaling.alpha.kubernetes.io/metrics',
      'team',
    ]);
    const metrics = JSON.parse(annotations['autoscaling.alpha.kubernetes.io/metrics'] ?? '') as unknown[];
    expect(metrics[0]).toEqual({
      type: 'Resource',
      resource: { name: 'memory', targetAverageValue: '64Mi' },
    });
    expect(metrics[2]).toEqual({
      type: 'Pods',
      pods: { metricName: 'hits', selector, targetAverageValue: '10' },
    });
  });

  it('loses nothing on the way and back', () => {
    expect(autoscalerToV2(autoscalerToV1(autoscaler))).toEqual(autoscaler);
  });

  it('has no annotations that it does not need', () => {
    const plain = {
      ...autoscaler,
      spec: { scaleTargetRef, maxReplicas: 3, metrics: autoscaler.spec.metrics?.slice(-1) },
    };
    const older = autoscalerToV1({ ...plain, status: undefined });
    expect(older.metadata).toBe(metadata);
    expect(older.spec.targetCPUUtilizationPercentage).toBe(50);
  });

  it('with annotations that are no JSON has none', () => {
    const annotations = { 'autoscaling.alpha.kubernetes.io/metrics': '{' };
    const newer = autoscalerToV2({
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { ...metadata, annotations },
      spec: { scaleTargetRef, maxReplicas: 3 },
    });
    expect(newer.spec).toEqual({ scaleTargetRef, maxReplicas: 3 });
    expect(newer.metadata.annotations).toBeUndefined();
  });
});

describe('an event under its newer names', () => {
  const event: Event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata,
    involvedObject: { kind: 'Pod', name: 'web', namespace: 'n' },
    message: 'started',
    reason: 'Started',
    type: 'Normal',
    source: { component: 'kubelet', host: 'n1' },
    firstTimestamp: '2025-01-01T00:00:00Z',
    lastTimestamp: '2025-01-01T00:01:00Z',
    count: 3,
    reportingComponent: 'kubelet',
    reportingInstance: 'n1',
  };

  it('is the same event', () => {
    const newer = newerEvent(event);
    expect(newer).toEqual({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata,
      regarding: { kind: 'Pod', name: 'web', namespace: 'n' },
      note: 'started',
      reason: 'Started',
      type: 'Normal',
      deprecatedSource: { component: 'kubelet', host: 'n1' },
      deprecatedFirstTimestamp: '2025-01-01T00:00:00Z',
      deprecatedLastTimestamp: '2025-01-01T00:01:00Z',
      deprecatedCount: 3,
      reportingController: 'kubelet',
      reportingInstance: 'n1',
    });
    expect(olderEvent(newer)).toEqual(event);
  });

  it('of a series comes back as it was', () => {
    const series: Event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata,
      involvedObject: {},
      eventTime: '2025-01-01T00:00:00.000000Z',
      series: { count: 2, lastObservedTime: '2025-01-01T00:00:30.000000Z' },
      action: 'Binding',
    };
    expect(olderEvent(newerEvent(series))).toEqual(series);
  });
});
