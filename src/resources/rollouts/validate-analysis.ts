// Rules about what is measured: metrics, their conditions and limits, and the runs that rollouts ask for.
import type { FieldError } from '../../base/errors.js';
import { parseExpression } from '../expression/parse.js';
import { ExpressionError } from '../expression/syntax.js';
import { child, item } from '../field-path.js';
import type {
  AnalysisArgument,
  AnalysisMetric,
  AnalysisTemplateSpec,
  RolloutAnalysis,
  RolloutAnalysisArgument,
} from '../generated/types.js';
import { parseGoDuration } from '../go-duration.js';
import { jobSpecErrors } from '../pod-template/validate-job.js';
import { duplicates, invalid, oneOf, required } from '../validation/field-errors.js';

const provided = ['prometheus', 'web', 'job', 'capstan'] as const;

export const durationErrors = (field: string, value: string | undefined): readonly FieldError[] => {
  if (value === undefined || value.includes('{{')) return [];
  const ms = parseGoDuration(value);
  return ms === undefined || ms < 0
    ? [invalid(field, value, 'must be a duration such as 30s, 5m or 1h30m')]
    : [];
};

/** A condition with arguments in it is read when they have values. */
const conditionErrors = (field: string, condition: string | undefined): readonly FieldError[] => {
  if (condition === undefined || condition === '' || condition.includes('{{')) return [];
  try {
    parseExpression(condition);
    return [];
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return [invalid(field, condition, error.message)];
  }
};

/** A count that may be written as a text, or as an argument. */
const limitErrors = (
  field: string,
  value: number | string | undefined,
  least: number,
): readonly FieldError[] => {
  if (value === undefined || (typeof value === 'string' && value.includes('{{'))) return [];
  return /^-?\d+$/.test(String(value)) && Number(value) >= least
    ? []
    : [invalid(field, value, `must be a whole number from ${String(least)}`)];
};

const providerErrors = (field: string, { provider }: AnalysisMetric): readonly FieldError[] => {
  const given = Object.entries(provider).filter(([, value]) => value !== undefined);
  if (given.length !== 1)
    return [invalid(field, given.map(([name]) => name).join(', '), 'must name exactly one provider')];
  const { prometheus, web, job } = provider;
  if (prometheus !== undefined && (prometheus.query ?? '') === '')
    return [required(child(field, 'prometheus.query'))];
  if (web !== undefined)
    return [
      ...((web.url ?? '') === '' ? [required(child(field, 'web.url'))] : []),
      ...oneOf(child(field, 'web.method'), web.method, ['GET', 'POST', 'PUT']),
      ...(web.body !== undefined && web.jsonBody !== undefined
        ? [invalid(child(field, 'web.jsonBody'), web.jsonBody, 'may not be given together with body')]
        : []),
    ];
  if (job !== undefined)
    return job.spec === undefined
      ? [required(child(field, 'job.spec'))]
      : jobSpecErrors(child(field, 'job.spec'), job.spec);
  const [name = ''] = given[0] ?? [];
  return (provided as readonly string[]).includes(name)
    ? []
    : [
        invalid(
          child(field, name),
          name,
          `is not measured here; use one of ${provided.join(', ')} (web reads any JSON answer)`,
        ),
      ];
};

const metricErrors = (field: string, metric: AnalysisMetric): readonly FieldError[] => {
  const { count, interval, consecutiveSuccessLimit } = metric;
  const many = typeof count === 'number' ? count > 1 : /^\d+$/.test(count ?? '') && Number(count) > 1;
  return [
    ...(metric.name === '' ? [required(child(field, 'name'))] : []),
    ...durationErrors(child(field, 'interval'), interval),
    ...durationErrors(child(field, 'initialDelay'), metric.initialDelay),
    ...conditionErrors(child(field, 'successCondition'), metric.successCondition),
    ...conditionErrors(child(field, 'failureCondition'), metric.failureCondition),
    ...limitErrors(child(field, 'count'), count, 0),
    ...limitErrors(child(field, 'failureLimit'), metric.failureLimit, -1),
    ...limitErrors(child(field, 'inconclusiveLimit'), metric.inconclusiveLimit, 0),
    ...limitErrors(child(field, 'consecutiveErrorLimit'), metric.consecutiveErrorLimit, 0),
    ...limitErrors(child(field, 'consecutiveSuccessLimit'), consecutiveSuccessLimit, 0),
    ...(many && interval === undefined
      ? [required(child(field, 'interval'), 'must be specified when count > 1')]
      : []),
    ...providerErrors(child(field, 'provider'), metric),
  ];
};

/** A run resolves templates of templates, and so has metrics of its own in any case. */
export const analysisSpecErrors = (
  field: string,
  spec: AnalysisTemplateSpec,
  { needsMetrics }: { readonly needsMetrics: boolean },
): readonly FieldError[] => {
  const metrics = spec.metrics ?? [];
  const at = child(field, 'metrics');
  return [
    ...(metrics.length === 0 && needsMetrics ? [required(at, 'no metrics specified')] : []),
    ...metrics.flatMap((metric, index) => metricErrors(item(at, index), metric)),
    ...duplicates(
      metrics,
      ({ name }) => name,
      (index) => child(item(at, index), 'name'),
    ),
    ...(spec.args ?? []).flatMap((arg, index) => argErrors(item(child(field, 'args'), index), arg)),
  ];
};

const argErrors = (field: string, arg: AnalysisArgument): readonly FieldError[] => {
  const { name, value, valueFrom } = arg;
  const { secretKeyRef, fieldRef } = valueFrom ?? {};
  return [
    ...(name === '' ? [required(child(field, 'name'))] : []),
    ...(value !== undefined && valueFrom !== undefined
      ? [invalid(child(field, 'valueFrom'), name, 'may not be given together with value')]
      : []),
    ...(valueFrom !== undefined && (secretKeyRef === undefined) === (fieldRef === undefined)
      ? [invalid(child(field, 'valueFrom'), name, 'must have exactly one of secretKeyRef and fieldRef')]
      : []),
    ...(secretKeyRef !== undefined && ((secretKeyRef.name ?? '') === '' || (secretKeyRef.key ?? '') === '')
      ? [required(child(field, 'valueFrom.secretKeyRef'), 'must have name and key')]
      : []),
  ];
};

const rolloutArgErrors = (field: string, arg: RolloutAnalysisArgument): readonly FieldError[] => [
  ...((arg.name ?? '') === '' ? [required(child(field, 'name'))] : []),
  ...oneOf(child(field, 'valueFrom.podTemplateHashValue'), arg.valueFrom?.podTemplateHashValue, [
    'Stable',
    'Latest',
  ]),
];

/** What a rollout asks to be measured. */
export const rolloutAnalysisErrors = (
  field: string,
  analysis: RolloutAnalysis | undefined,
): readonly FieldError[] => {
  if (analysis === undefined) return [];
  const templates = analysis.templates ?? [];
  const at = child(field, 'templates');
  return [
    ...(templates.length === 0 ? [required(at, 'must name at least one AnalysisTemplate')] : []),
    ...templates.flatMap(({ templateName = '' }, index) =>
      templateName === '' ? [required(child(item(at, index), 'templateName'))] : [],
    ),
    ...(analysis.args ?? []).flatMap((arg, index) =>
      rolloutArgErrors(item(child(field, 'args'), index), arg),
    ),
  ];
};
