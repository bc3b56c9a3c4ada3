import { describe, expect, it } from 'vitest';
import { horizontalpodautoscalers } from '../../../../src/resources/kinds/horizontalpodautoscalers.js';
import { accepted, problems, tableRow } from '../sentences.js';

const now = Date.parse('2025-01-01T01:00:00Z');
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const cpu = (target: object): object => ({ type: 'Resource', resource: { name: 'cpu', target } });
const half = cpu({ type: 'Utilization', averageUtilization: 50 });
const autoscaler = (spec: object = {}): object => ({ spec: { scaleTargetRef, maxReplicas: 5, ...spec } });

describe('an autoscaler', () => {
  it('follows 80 % of the requested CPU unless it says otherwise', () => {
    const { spec } = horizontalpodautoscalers.defaulted(accepted(horizontalpodautoscalers, autoscaler()));
    expect(spec).toEqual({
      scaleTargetRef,
      minReplicas: 1,
      maxReplicas: 5,
      metrics: [cpu({ type: 'Utilization', averageUtilization: 80 })],
    });
  });

  it('fills in a behaviour only when one is begun', () => {
    const behavior = { scaleDown: { stabilizationWindowSeconds: 60 } };
    const { spec } = horizontalpodautoscalers.defaulted(
      accepted(horizontalpodautoscalers, autoscaler({ behavior })),
    );
    expect(spec.behavior).toEqual({
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      },
      scaleDown: {
        stabilizationWindowSeconds: 60,
        selectPolicy: 'Max',
        policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      },
    });
  });

  it.each<[object, object | undefined, string]>([
    [
      autoscaler(),
      undefined,
      'Name=a Reference=Deployment/web Targets=cpu: <unknown>/80% MinPods=1 MaxPods=5 Replicas=0 Age=60m',
    ],
    [
      autoscaler({ metrics: [half] }),
      {
        desiredReplicas: 2,
        currentReplicas: 2,
        currentMetrics: [cpu({}), half].map(() => ({
          type: 'Resource',
          resource: { name: 'cpu', current: { averageUtilization: 40 } },
        })),
      },
      'Name=a Reference=Deployment/web Targets=cpu: 40%/50% MinPods=1 MaxPods=5 Replicas=2 Age=60m',
    ],
    [
      autoscaler({
        metrics: [
          cpu({ type: 'AverageValue', averageValue: '100m' }),
          {
            type: 'Pods',
            pods: { metric: { name: 'hits' }, target: { type: 'AverageValue', averageValue: '10' } },
          },
          half,
        ],
      }),
      undefined,
      'Name=a Reference=Deployment/web Targets=cpu: <unknown>/100m, <unknown>/10 + 1 more... MinPods=1 MaxPods=5 Replicas=0 Age=60m',
    ],
  ])('shows %o', (parts, status, expected) => {
    const whole = status === undefined ? parts : { ...parts, status };
    expect(tableRow(horizontalpodautoscalers, whole, now)).toBe(expected);
  });

  it.each<[string, object, readonly string[]]>([
    [
      'bounds that cross',
      { minReplicas: 6 },
      ['spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`'],
    ],
    [
      'bounds of nothing',
      { minReplicas: 0, maxReplicas: 0 },
      [
        'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
        'spec.maxReplicas: Invalid value: 0: must be greater than 0',
      ],
    ],
    [
      'a target without a name',
      { scaleTargetRef: { kind: 'a/b', name: '' } },
      [
        `spec.scaleTargetRef.kind: Invalid value: "a/b": may not contain '/'`,
        'spec.scaleTargetRef.name: Required value',
      ],
    ],
    [
      'a metric of one type with the source of another',
      { metrics: [{ ...half, type: 'Pods' }, { type: 'Wind' }] },
      [
        'spec.metrics[0].pods: Required value: must populate information for the given metric source',
        'spec.metrics[0].resource: Forbidden: must populate the given metric source only',
        'spec.metrics[1].type: Unsupported value: "Wind": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
      ],
    ],
    [
      'a target of two kinds, of none, and of nothing',
      {
        metrics: [
          cpu({ type: 'Utilization', averageUtilization: 50, averageValue: '1' }),
          cpu({ type: 'Utilization' }),
          cpu({ type: 'Value', averageValue: '0' }),
        ],
      },
      [
        'spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization',
        'spec.metrics[1].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
        'spec.metrics[2].resource.target.averageValue: Invalid value: "0": must be positive',
      ],
    ],
    [
      'a behaviour out of bounds',
      {
        behavior: {
          scaleUp: { stabilizationWindowSeconds: 3601, selectPolicy: 'Some', policies: [] },
          scaleDown: { policies: [{ type: 'Nodes', value: 0, periodSeconds: 1801 }] },
        },
      },
      [
        'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600',
        'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Some": supported values: "Disabled", "Max", "Min"',
        'spec.behavior.scaleUp.policies: Required value: must specify at least one Policy',
        'spec.behavior.scaleDown.policies[0].type: Unsupported value: "Nodes": supported values: "Percent", "Pods"',
        'spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero',
        'spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800',
      ],
    ],
  ])('is refused for %s', (_, spec, expected) => {
    expect(problems(horizontalpodautoscalers, autoscaler(spec))).toEqual(expected);
  });
});
