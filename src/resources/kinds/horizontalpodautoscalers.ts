// HorizontalPodAutoscalers (autoscaling/v2): how many pods there are follows from what they do.
import type { FieldError } from '../../base/errors.js';
import { metricErrors, referenceErrors } from '../autoscaling/validate-metric.js';
import { behaviorErrors } from '../autoscaling/validate-behavior.js';
import { targetsText } from '../autoscaling/targets-text.js';
import { ageColumn, integer, nameColumn, text } from '../columns.js';
import { withChanges, withDefaults } from '../defaults.js';
import { item } from '../field-path.js';
import type {
  HorizontalPodAutoscalerBehavior,
  HPAScalingRules,
  V2HorizontalPodAutoscaler,
} from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { invalid } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';

type Spec = V2HorizontalPodAutoscaler['spec'];

const columns: readonly Column<V2HorizontalPodAutoscaler>[] = [
  nameColumn,
  text(
    'Reference',
    'What is scaled.',
    ({ spec: { scaleTargetRef } }) => `${scaleTargetRef.kind}/${scaleTargetRef.name}`,
  ),
  text('Targets', 'Where each metric stands, and where it should be.', ({ spec, status }) =>
    targetsText(spec.metrics, status?.currentMetrics),
  ),
  text('MinPods', 'The least number of pods.', ({ spec }) =>
    spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas),
  ),
  integer('MaxPods', 'The greatest number of pods.', ({ spec }) => spec.maxReplicas),
  integer('Replicas', 'Pods that there are.', ({ status }) => status?.currentReplicas ?? 0),
  ageColumn,
];

const quickly: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
/** How long it waits before it shrinks is the controller's own setting. */
const calmly: HPAScalingRules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

const defaultedBehavior = (behavior: HorizontalPodAutoscalerBehavior): HorizontalPodAutoscalerBehavior =>
  withChanges(behavior, {
    scaleUp: withDefaults(behavior.scaleUp ?? {}, quickly),
    scaleDown: withDefaults(behavior.scaleDown ?? {}, calmly),
  });

const defaulted = (autoscaler: V2HorizontalPodAutoscaler): V2HorizontalPodAutoscaler => {
  const filled = withDefaults(autoscaler.spec, { minReplicas: 1 });
  return withChanges(autoscaler, {
    spec: withChanges(filled, {
      ...((filled.metrics ?? []).length === 0
        ? {
            metrics: [
              {
                type: 'Resource',
                resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
              },
            ],
          }
        : {}),
      behavior: filled.behavior && defaultedBehavior(filled.behavior),
    }),
  });
};

const boundErrors = ({ minReplicas, maxReplicas }: Spec): readonly FieldError[] => [
  ...(minReplicas !== undefined && minReplicas < 1
    ? [invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1')]
    : []),
  ...(maxReplicas < 1 ? [invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0')] : []),
  ...(minReplicas !== undefined && maxReplicas < minReplicas
    ? [invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`')]
    : []),
];

const validate = ({ metadata, spec }: V2HorizontalPodAutoscaler): readonly FieldError[] => [
  ...nameErrors(metadata),
  ...boundErrors(spec),
  ...referenceErrors('spec.scaleTargetRef', spec.scaleTargetRef),
  ...(spec.metrics ?? []).flatMap((metric, index) => metricErrors(item('spec.metrics', index), metric)),
  ...(spec.behavior === undefined ? [] : behaviorErrors('spec.behavior', spec.behavior)),
];

export const horizontalpodautoscalers = defineKind<V2HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  definition: 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  subresources: ['status'],
  columns,
  defaulted,
  validate,
});
