// Autoscalers between autoscaling/v1 and v2: what v1 has no field for travels in annotations, as in Kubernetes'
// pkg/apis/autoscaling/v1/conversion.go.
import { isObject } from '../../base/json.js';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  V2HorizontalPodAutoscaler,
} from '../generated/types.js';
import type { ObjectMeta, StringMap } from '../resource.js';
import { metricStatusToV1, metricStatusToV2, metricToV1, metricToV2 } from './legacy-metrics.js';

const annotation = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
} as const;

/** What an annotation says; nothing when it is no JSON, as if it were not there. */
const said = (annotations: StringMap | undefined, name: keyof typeof annotation): unknown => {
  const text = annotations?.[annotation[name]];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

const ours: ReadonlySet<string> = new Set(Object.values(annotation));

const withAnnotations = (metadata: ObjectMeta, added: StringMap): ObjectMeta => {
  const { annotations: given, ...rest } = metadata;
  const kept = Object.entries(given ?? {}).filter(([name]) => !ours.has(name));
  const annotations = { ...Object.fromEntries(kept), ...added };
  if (given !== undefined && kept.length === Object.keys(given).length && Object.keys(added).length === 0)
    return metadata;
  return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations };
};

const isCpuUtilization = ({ type, resource }: MetricSpec): boolean =>
  type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined;

const withoutUndefined = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

export const autoscalerToV2 = (given: HorizontalPodAutoscaler): V2HorizontalPodAutoscaler => {
  const { metadata, spec, status } = given;
  const { annotations } = metadata;
  const percentage = spec.targetCPUUtilizationPercentage;
  const metrics: readonly MetricSpec[] = [
    ...listOf(said(annotations, 'metrics')).map(metricToV2),
    ...(percentage === undefined
      ? []
      : [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percentage } },
          },
        ]),
  ];
  const behavior = said(annotations, 'behavior');
  const current = listOf(said(annotations, 'currentMetrics')).map(metricStatusToV2);
  const conditions = listOf(said(annotations, 'conditions')) as readonly HorizontalPodAutoscalerCondition[];
  return {
    apiVersion: 'autoscaling/v2',
    kind: given.kind,
    metadata: withAnnotations(metadata, {}),
    spec: withoutUndefined({
      scaleTargetRef: spec.scaleTargetRef,
      minReplicas: spec.minReplicas,
      maxReplicas: spec.maxReplicas,
      metrics: metrics.length === 0 ? undefined : metrics,
      behavior: isObject(behavior) ? (behavior as HorizontalPodAutoscalerBehavior) : undefined,
    }),
    ...(status === undefined
      ? {}
      : {
          status: withoutUndefined({
            observedGeneration: status.observedGeneration,
            lastScaleTime: status.lastScaleTime,
            currentReplicas: status.currentReplicas,
            desiredReplicas: status.desiredReplicas,
            currentMetrics: current.length === 0 ? undefined : current,
            conditions: conditions.length === 0 ? undefined : conditions,
          }),
        }),
  };
};

export const autoscalerToV1 = (given: V2HorizontalPodAutoscaler): HorizontalPodAutoscaler => {
  const { metadata, spec, status } = given;
  const { metrics = [], behavior } = spec;
  const cpu = metrics.find(isCpuUtilization);
  const others = metrics.filter((metric) => metric !== cpu);
  const { currentMetrics = [], conditions = [] } = status ?? {};
  const usage = currentMetrics.find(({ resource }) => resource?.name === 'cpu')?.resource?.current;
  const extra: Partial<Record<keyof typeof annotation, unknown>> = {
    ...(others.length === 0 ? {} : { metrics: others.map(metricToV1) }),
    ...(behavior === undefined ? {} : { behavior }),
    ...(currentMetrics.length === 0 ? {} : { currentMetrics: currentMetrics.map(metricStatusToV1) }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
  const annotations = Object.fromEntries(
    Object.entries(extra).map(([name, value]) => [
      annotation[name as keyof typeof annotation],
      JSON.stringify(value),
    ]),
  );
  return {
    apiVersion: 'autoscaling/v1',
    kind: given.kind,
    metadata: withAnnotations(metadata, annotations),
    spec: withoutUndefined({
      scaleTargetRef: spec.scaleTargetRef,
      minReplicas: spec.minReplicas,
      maxReplicas: spec.maxReplicas,
      targetCPUUtilizationPercentage: cpu?.resource?.target.averageUtilization,
    }),
    ...(status === undefined
      ? {}
      : {
          status: withoutUndefined({
            observedGeneration: status.observedGeneration,
            lastScaleTime: status.lastScaleTime,
            currentReplicas: status.currentReplicas ?? 0,
            desiredReplicas: status.desiredReplicas,
            currentCPUUtilizationPercentage: usage?.averageUtilization,
          }),
        }),
  };
};
