// Rules about the metrics that an autoscaler follows (Kubernetes' pkg/apis/autoscaling/validation).
import type { FieldError } from '../../base/errors.js';
import { child } from '../field-path.js';
import type { MetricIdentifier, MetricSpec, MetricTarget } from '../generated/types.js';
import { parseQuantity } from '../quantity.js';
import { forbidden, invalid, notSupported, required } from '../validation/field-errors.js';
import { labelSelectorErrors } from '../validation/selectors.js';

const sourceOf: Readonly<Record<string, keyof MetricSpec>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

/** One segment of a path. */
export const segmentErrors = (field: string, text: string): readonly FieldError[] =>
  ['/', '%']
    .filter((character) => text.includes(character))
    .map((character) => invalid(field, text, `may not contain '${character}'`));

interface Reference {
  readonly kind: string;
  readonly name: string;
}

export const referenceErrors = (field: string, { kind, name }: Reference): readonly FieldError[] => [
  ...(kind === '' ? [required(child(field, 'kind'))] : segmentErrors(child(field, 'kind'), kind)),
  ...(name === '' ? [required(child(field, 'name'))] : segmentErrors(child(field, 'name'), name)),
];

const identifierErrors = (field: string, { name, selector }: MetricIdentifier): readonly FieldError[] => [
  ...(name === ''
    ? [required(child(field, 'name'), 'must specify a metric name')]
    : segmentErrors(child(field, 'name'), name)),
  ...labelSelectorErrors(child(field, 'selector'), selector),
];

const isPositive = (quantity: string): boolean => (parseQuantity(quantity)?.nanos ?? 0n) > 0n;

const targetErrors = (field: string, target: MetricTarget): readonly FieldError[] => {
  const { type, value, averageValue, averageUtilization } = target;
  const types = ['Utilization', 'Value', 'AverageValue'];
  const positive = (name: string, quantity: string | undefined): readonly FieldError[] =>
    quantity === undefined || isPositive(quantity)
      ? []
      : [invalid(child(field, name), quantity, 'must be positive')];
  return [
    ...(type === ''
      ? [required(child(field, 'type'), 'must specify a metric target type')]
      : types.includes(type)
        ? []
        : [invalid(child(field, 'type'), type, 'must be either Utilization, Value, or AverageValue')]),
    ...positive('value', value),
    ...positive('averageValue', averageValue),
    ...(averageUtilization !== undefined && averageUtilization < 1
      ? [invalid(child(field, 'averageUtilization'), averageUtilization, 'must be greater than 0')]
      : []),
  ];
};

/** Of what containers use, either a part of their requests or an amount. */
const usageErrors = (
  field: string,
  { averageUtilization, averageValue }: MetricTarget,
): readonly FieldError[] => {
  if (averageUtilization === undefined && averageValue === undefined)
    return [
      required(
        child(field, 'averageUtilization'),
        'must set either a target raw value or a target utilization',
      ),
    ];
  return averageUtilization !== undefined && averageValue !== undefined
    ? [
        forbidden(
          child(field, 'averageValue'),
          'may not set both a target raw value and a target utilization',
        ),
      ]
    : [];
};

const resourceErrors = (
  field: string,
  { resource, containerResource }: MetricSpec,
): readonly FieldError[] => {
  const errorsOf = (at: string, source: NonNullable<typeof resource>): readonly FieldError[] => [
    ...(source.name === '' ? [required(child(at, 'name'), 'must specify a resource name')] : []),
    ...targetErrors(child(at, 'target'), source.target),
    ...usageErrors(child(at, 'target'), source.target),
  ];
  const container = child(field, 'containerResource');
  return [
    ...(resource === undefined ? [] : errorsOf(child(field, 'resource'), resource)),
    ...(containerResource?.container === ''
      ? [required(child(container, 'container'), 'must specify a container')]
      : []),
    ...(containerResource === undefined ? [] : errorsOf(container, containerResource)),
  ];
};

const objectErrors = (field: string, source: NonNullable<MetricSpec['object']>): readonly FieldError[] => {
  const { describedObject, metric, target } = source;
  return [
    ...referenceErrors(child(field, 'describedObject'), describedObject),
    ...identifierErrors(child(field, 'metric'), metric),
    ...targetErrors(child(field, 'target'), target),
    ...(target.value === undefined && target.averageValue === undefined
      ? [required(child(field, 'target.averageValue'), 'must set either a target value or averageValue')]
      : []),
  ];
};

const podsErrors = (
  field: string,
  { metric, target }: NonNullable<MetricSpec['pods']>,
): readonly FieldError[] => [
  ...identifierErrors(child(field, 'metric'), metric),
  ...targetErrors(child(field, 'target'), target),
  ...(target.averageValue === undefined || !isPositive(target.averageValue)
    ? [required(child(field, 'target.averageValue'), 'must specify a positive target averageValue')]
    : []),
];

const externalErrors = (
  field: string,
  { metric, target }: NonNullable<MetricSpec['external']>,
): readonly FieldError[] => {
  const { value, averageValue } = target;
  return [
    ...identifierErrors(child(field, 'metric'), metric),
    ...targetErrors(child(field, 'target'), target),
    ...(value === undefined && averageValue === undefined
      ? [
          required(
            child(field, 'target.averageValue'),
            'must set either a target value for metric or a per-pod target',
          ),
        ]
      : []),
    ...(value !== undefined && averageValue !== undefined
      ? [
          forbidden(
            child(field, 'target.value'),
            'may not set both a target value for metric and a per-pod target',
          ),
        ]
      : []),
  ];
};

/** `field` is the path of one metric. */
export const metricErrors = (field: string, metric: MetricSpec): readonly FieldError[] => {
  const at = child(field, 'type');
  if (metric.type === '') return [required(at, 'must specify a metric source type')];
  const expected = sourceOf[metric.type];
  if (expected === undefined) return [notSupported(at, metric.type, Object.keys(sourceOf))];
  const others = Object.values(sourceOf).filter(
    (source) => source !== expected && metric[source] !== undefined,
  );
  return [
    ...(metric[expected] === undefined
      ? [required(child(field, expected), 'must populate information for the given metric source')]
      : []),
    ...others.map((source) => forbidden(child(field, source), 'must populate the given metric source only')),
    ...resourceErrors(field, metric),
    ...(metric.object === undefined ? [] : objectErrors(child(field, 'object'), metric.object)),
    ...(metric.pods === undefined ? [] : podsErrors(child(field, 'pods'), metric.pods)),
    ...(metric.external === undefined ? [] : externalErrors(child(field, 'external'), metric.external)),
  ];
};
