// What `kubectl get hpa` shows of the metrics: where each stands and where it should be.
import type { MetricSpec, MetricStatus } from '../generated/types.js';

const unknown = '<unknown>';

const percent = (value: number | undefined, whenAbsent: string): string =>
  value === undefined ? whenAbsent : `${String(value)}%`;

type Usage = NonNullable<MetricSpec['resource']>;

const usageText = ({ name, target }: Usage, status: MetricStatus['resource']): string =>
  target.averageValue === undefined
    ? `${name}: ${percent(status?.current.averageUtilization, unknown)}/${percent(target.averageUtilization, '<auto>')}`
    : `${name}: ${status?.current.averageValue ?? unknown}/${target.averageValue}`;

const amountText = (
  target: NonNullable<MetricSpec['external']>['target'],
  current: NonNullable<MetricStatus['external']>['current'] | undefined,
): string =>
  target.averageValue === undefined
    ? `${current?.value ?? unknown}/${target.value ?? ''}`
    : `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;

const metricText = (metric: MetricSpec, status: MetricStatus | undefined): string => {
  const { type, resource, containerResource, pods, object, external } = metric;
  if (type === 'Resource' && resource !== undefined) return usageText(resource, status?.resource);
  if (type === 'ContainerResource' && containerResource !== undefined)
    return usageText(containerResource, status?.containerResource);
  if (type === 'Pods' && pods !== undefined)
    return `${status?.pods?.current.averageValue ?? unknown}/${pods.target.averageValue ?? ''}`;
  if (type === 'Object' && object !== undefined) return amountText(object.target, status?.object?.current);
  if (type === 'External' && external !== undefined)
    return amountText(external.target, status?.external?.current);
  return '<unknown type>';
};

const shown = 2;

export const targetsText = (
  metrics: readonly MetricSpec[] | undefined = [],
  statuses: readonly MetricStatus[] | undefined = [],
): string => {
  if (metrics.length === 0) return '<none>';
  const texts = metrics.map((metric, index) => metricText(metric, statuses[index]));
  const first = texts.slice(0, shown).join(', ');
  return texts.length > shown ? `${first} + ${String(texts.length - shown)} more...` : first;
};
