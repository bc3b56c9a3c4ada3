// Rules about what a Job asks for, also inside a CronJob (Kubernetes' pkg/apis/batch/validation).
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { child } from '../field-path.js';
import type { Job, JobSpec, PodFailurePolicyRule } from '../generated/types.js';
import {
  forbidden,
  immutable,
  invalid,
  nonNegative,
  notSupported,
  oneOf,
  required,
} from '../validation/field-errors.js';
import { labelledErrors } from '../validation/metadata.js';
import { podSpecErrors } from './validate-pod-spec.js';

/** Indexes of one Job, and pods of it at one time. */
const mostIndexes = 100_000;

const templateErrors = (field: string, { template }: JobSpec): readonly FieldError[] => {
  const at = child(field, 'spec');
  const { spec } = template;
  if (spec === undefined) return [required(child(at, 'containers'))];
  const policy = child(at, 'restartPolicy');
  const restart =
    spec.restartPolicy === 'Always' || spec.restartPolicy === undefined
      ? [required(policy, 'valid values: "OnFailure", "Never"')]
      : spec.restartPolicy === 'OnFailure' || spec.restartPolicy === 'Never'
        ? []
        : [notSupported(policy, spec.restartPolicy, ['OnFailure', 'Never'])];
  return [
    ...labelledErrors(child(field, 'metadata'), template.metadata),
    ...podSpecErrors(at, spec).filter((error) => error.field !== policy),
    ...restart,
  ];
};

const ruleErrors = (field: string, rule: PodFailurePolicyRule, spec: JobSpec): readonly FieldError[] => {
  const { action, onExitCodes, onPodConditions } = rule;
  const actions = ['FailJob', 'FailIndex', 'Ignore', 'Count'];
  const both = onExitCodes !== undefined && (onPodConditions?.length ?? 0) > 0;
  const neither = onExitCodes === undefined && (onPodConditions?.length ?? 0) === 0;
  const codes = child(field, 'onExitCodes');
  return [
    ...oneOf(child(field, 'action'), action, actions),
    ...(action === 'FailIndex' && spec.backoffLimitPerIndex === undefined
      ? [invalid(child(field, 'action'), action, 'requires the backoffLimitPerIndex to be set')]
      : []),
    ...(both
      ? [invalid(field, rule, 'specifying both OnExitCodes and OnPodConditions is not supported')]
      : []),
    ...(neither
      ? [invalid(field, rule, 'specifying one of OnExitCodes and OnPodConditions is required')]
      : []),
    ...(onExitCodes === undefined
      ? []
      : oneOf(child(codes, 'operator'), onExitCodes.operator, ['In', 'NotIn'])),
    ...(onExitCodes?.operator === 'In' && onExitCodes.values.includes(0)
      ? [invalid(child(codes, 'values'), 0, 'must not be 0 for the In operator')]
      : []),
    ...(onExitCodes !== undefined && onExitCodes.values.length === 0
      ? [invalid(child(codes, 'values'), [], 'at least one value is required')]
      : []),
  ];
};

const policyErrors = (field: string, spec: JobSpec): readonly FieldError[] => {
  const { podFailurePolicy: policy, podReplacementPolicy: replacement } = spec;
  const restart = spec.template.spec?.restartPolicy;
  const at = child(field, 'podFailurePolicy');
  return [
    ...oneOf(child(field, 'podReplacementPolicy'), replacement, ['TerminatingOrFailed', 'Failed']),
    ...(policy !== undefined && replacement === 'TerminatingOrFailed'
      ? [notSupported(child(field, 'podReplacementPolicy'), replacement, ['Failed'])]
      : []),
    ...(policy !== undefined && restart !== 'Never'
      ? [
          invalid(
            child(field, 'template.spec.restartPolicy'),
            restart,
            'only "Never" is supported when podFailurePolicy is specified',
          ),
        ]
      : []),
    ...(policy?.rules ?? []).flatMap((rule, index) =>
      ruleErrors(`${child(at, 'rules')}[${String(index)}]`, rule, spec),
    ),
  ];
};

const indexedErrors = (field: string, spec: JobSpec): readonly FieldError[] => {
  const { completions, parallelism = 1, completionMode, backoffLimitPerIndex, maxFailedIndexes } = spec;
  const indexed = completionMode === 'Indexed';
  return [
    ...oneOf(child(field, 'completionMode'), completionMode, ['NonIndexed', 'Indexed']),
    ...(indexed && completions === undefined
      ? [required(child(field, 'completions'), 'when completion mode is Indexed')]
      : []),
    ...(indexed && (completions ?? 0) > mostIndexes
      ? [
          invalid(
            child(field, 'completions'),
            completions,
            `must be less than or equal to ${String(mostIndexes)}`,
          ),
        ]
      : []),
    ...(indexed && parallelism > mostIndexes
      ? [
          invalid(
            child(field, 'parallelism'),
            parallelism,
            `must be less than or equal to ${String(mostIndexes)} when completion mode is Indexed`,
          ),
        ]
      : []),
    ...(!indexed && backoffLimitPerIndex !== undefined
      ? [
          invalid(
            child(field, 'backoffLimitPerIndex'),
            backoffLimitPerIndex,
            'requires indexed completion mode',
          ),
        ]
      : []),
    ...(maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined
      ? [required(child(field, 'backoffLimitPerIndex'), 'when maxFailedIndexes is specified')]
      : []),
    ...(!indexed && spec.successPolicy !== undefined
      ? [invalid(child(field, 'successPolicy'), spec.successPolicy, 'requires indexed completion mode')]
      : []),
  ];
};

export const jobSpecErrors = (field: string, spec: JobSpec): readonly FieldError[] => [
  ...nonNegative(child(field, 'parallelism'), spec.parallelism),
  ...nonNegative(child(field, 'completions'), spec.completions),
  ...nonNegative(child(field, 'backoffLimit'), spec.backoffLimit),
  ...nonNegative(child(field, 'activeDeadlineSeconds'), spec.activeDeadlineSeconds),
  ...nonNegative(child(field, 'ttlSecondsAfterFinished'), spec.ttlSecondsAfterFinished),
  ...nonNegative(child(field, 'backoffLimitPerIndex'), spec.backoffLimitPerIndex),
  ...nonNegative(child(field, 'maxFailedIndexes'), spec.maxFailedIndexes),
  ...indexedErrors(field, spec),
  ...policyErrors(field, spec),
  ...templateErrors(child(field, 'template'), spec),
];

const fixed = [
  'selector',
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'successPolicy',
  'managedBy',
] as const;

/** The template may change while the Job is suspended and has not begun. */
export const jobUpdateErrors = (field: string, spec: JobSpec, old: Job): readonly FieldError[] => {
  const elastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
  const waits = old.spec.suspend === true && old.status?.startTime === undefined;
  return [
    ...fixed
      .filter((member) => !equal(spec[member], old.spec[member]))
      .map((member) => immutable(child(field, member), spec[member])),
    ...(spec.completions !== old.spec.completions && !elastic
      ? [immutable(child(field, 'completions'), spec.completions)]
      : []),
    ...(!equal(spec.template, old.spec.template) && !waits
      ? [immutable(child(field, 'template'), spec.template)]
      : []),
    ...(spec.manualSelector === true && spec.selector === undefined
      ? [forbidden(child(field, 'manualSelector'), 'needs a selector')]
      : []),
  ];
};
