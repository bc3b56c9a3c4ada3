// Metrics as autoscaling/v1 writes them into annotations, and as autoscaling/v2 has them (Kubernetes'
// pkg/apis/autoscaling/v1/conversion.go).
import { isObject } from '../../base/json.js';
import type { LabelSelector, MetricSpec, MetricStatus, MetricTarget } from '../generated/types.js';

type Source = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const optionalText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value !== '0' ? value : undefined;
const optionalNumber = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;

/** Without members that are undefined. */
const compact = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

const metricOf = (name: unknown, selector: unknown): { name: string; selector?: LabelSelector } => ({
  name: text(name),
  ...(isObject(selector) ? { selector: selector } : {}),
});

const referenceOf = (target: unknown): { kind: string; name: string; apiVersion?: string } => {
  const { kind, name, apiVersion } = isObject(target) ? target : {};
  return {
    kind: text(kind),
    name: text(name),
    ...(optionalText(apiVersion) === undefined ? {} : { apiVersion: text(apiVersion) }),
  };
};

const target = (parts: Omit<MetricTarget, 'type'>): MetricTarget => {
  const type =
    parts.averageUtilization !== undefined
      ? 'Utilization'
      : parts.averageValue !== undefined
        ? 'AverageValue'
        : 'Value';
  return compact({ type, ...parts });
};

const usageTarget = ({ targetAverageUtilization, targetAverageValue }: Source): MetricTarget =>
  target({
    averageUtilization: optionalNumber(targetAverageUtilization),
    averageValue: optionalText(targetAverageValue),
  });

const sourcesToV2: Readonly<Record<string, (source: Source) => Partial<MetricSpec>>> = {
  resource: (source) => ({ resource: { name: text(source['name']), target: usageTarget(source) } }),
  containerResource: (source) => ({
    containerResource: {
      name: text(source['name']),
      container: text(source['container']),
      target: usageTarget(source),
    },
  }),
  pods: ({ metricName, selector, targetAverageValue }) => ({
    pods: {
      metric: metricOf(metricName, selector),
      target: { type: 'AverageValue', averageValue: text(targetAverageValue) },
    },
  }),
  object: ({ target: described, metricName, selector, targetValue, averageValue }) => ({
    object: {
      describedObject: referenceOf(described),
      metric: metricOf(metricName, selector),
      target: target({ value: optionalText(targetValue), averageValue: optionalText(averageValue) }),
    },
  }),
  external: ({ metricName, metricSelector, targetValue, targetAverageValue }) => ({
    external: {
      metric: metricOf(metricName, metricSelector),
      target: target({ value: optionalText(targetValue), averageValue: optionalText(targetAverageValue) }),
    },
  }),
};

const statusesToV2: Readonly<Record<string, (source: Source) => Partial<MetricStatus>>> = {
  resource: ({ name, currentAverageUtilization, currentAverageValue }) => ({
    resource: {
      name: text(name),
      current: compact({
        averageUtilization: optionalNumber(currentAverageUtilization),
        averageValue: optionalText(currentAverageValue),
      }),
    },
  }),
  containerResource: ({ name, container, currentAverageUtilization, currentAverageValue }) => ({
    containerResource: {
      name: text(name),
      container: text(container),
      current: compact({
        averageUtilization: optionalNumber(currentAverageUtilization),
        averageValue: optionalText(currentAverageValue),
      }),
    },
  }),
  pods: ({ metricName, selector, currentAverageValue }) => ({
    pods: {
      metric: metricOf(metricName, selector),
      current: compact({ averageValue: optionalText(currentAverageValue) }),
    },
  }),
  object: ({ target: described, metricName, selector, currentValue, averageValue }) => ({
    object: {
      describedObject: referenceOf(described),
      metric: metricOf(metricName, selector),
      current: compact({ value: optionalText(currentValue), averageValue: optionalText(averageValue) }),
    },
  }),
  external: ({ metricName, metricSelector, currentValue, currentAverageValue }) => ({
    external: {
      metric: metricOf(metricName, metricSelector),
      current: compact({
        value: optionalText(currentValue),
        averageValue: optionalText(currentAverageValue),
      }),
    },
  }),
};

const toV2 =
  <T extends { readonly type: string }>(sources: Readonly<Record<string, (source: Source) => Partial<T>>>) =>
  (metric: unknown): T => {
    const given = isObject(metric) ? metric : {};
    const parts = Object.entries(sources).flatMap(([name, convert]) => {
      const source = given[name];
      return isObject(source) ? [convert(source)] : [];
    });
    return Object.assign({ type: text(given['type']) }, ...parts) as T;
  };

export const metricToV2 = toV2<MetricSpec>(sourcesToV2);
export const metricStatusToV2 = toV2<MetricStatus>(statusesToV2);

const usageToV1 = ({ averageUtilization, averageValue }: MetricTarget): Source => ({
  targetAverageUtilization: averageUtilization,
  targetAverageValue: averageValue,
});

export const metricToV1 = ({
  type,
  resource,
  containerResource,
  pods,
  object,
  external,
}: MetricSpec): Source =>
  compact({
    type,
    resource: resource && compact({ name: resource.name, ...usageToV1(resource.target) }),
    containerResource:
      containerResource &&
      compact({
        name: containerResource.name,
        container: containerResource.container,
        ...usageToV1(containerResource.target),
      }),
    pods:
      pods &&
      compact({
        metricName: pods.metric.name,
        selector: pods.metric.selector,
        targetAverageValue: pods.target.averageValue ?? '0',
      }),
    object:
      object &&
      compact({
        target: object.describedObject,
        metricName: object.metric.name,
        selector: object.metric.selector,
        targetValue: object.target.value ?? '0',
        averageValue: object.target.averageValue,
      }),
    external:
      external &&
      compact({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        targetValue: external.target.value,
        targetAverageValue: external.target.averageValue,
      }),
  });

export const metricStatusToV1 = (status: MetricStatus): Source => {
  const { type, resource, containerResource, pods, object, external } = status;
  return compact({
    type,
    resource:
      resource &&
      compact({
        name: resource.name,
        currentAverageUtilization: resource.current.averageUtilization,
        currentAverageValue: resource.current.averageValue ?? '0',
      }),
    containerResource:
      containerResource &&
      compact({
        name: containerResource.name,
        container: containerResource.container,
        currentAverageUtilization: containerResource.current.averageUtilization,
        currentAverageValue: containerResource.current.averageValue ?? '0',
      }),
    pods:
      pods &&
      compact({
        metricName: pods.metric.name,
        selector: pods.metric.selector,
        currentAverageValue: pods.current.averageValue ?? '0',
      }),
    object:
      object &&
      compact({
        target: object.describedObject,
        metricName: object.metric.name,
        selector: object.metric.selector,
        currentValue: object.current.value ?? '0',
        averageValue: object.current.averageValue,
      }),
    external:
      external &&
      compact({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        currentValue: external.current.value ?? '0',
        currentAverageValue: external.current.averageValue,
      }),
  });
};
