// Deployments: a number of equal pods, replaced step by step when their template changes.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, containerImages, containerNames, nameColumn, text, wide } from '../columns.js';
import { withChanges, withDefaults } from '../defaults.js';
import { child } from '../field-path.js';
import type { Deployment } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { formatLabelSelector } from '../label-selector.js';
import { defaultedTemplate } from '../pod-template/default-pod-spec.js';
import { forbidden, immutable, invalid, nonNegative, oneOf } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { workloadErrors } from '../pod-template/validate-workload.js';

type Spec = Deployment['spec'];
type Strategy = NonNullable<Spec['strategy']>;

const columns: readonly Column<Deployment>[] = [
  nameColumn,
  text(
    'Ready',
    'Number of the pod with ready state',
    ({ spec, status }) => `${String(status?.readyReplicas ?? 0)}/${String(spec.replicas ?? 1)}`,
  ),
  text(
    'Up-to-date',
    'Total number of non-terminated pods targeted by this deployment that have the desired template spec.',
    ({ status }) => status?.updatedReplicas ?? 0,
  ),
  text(
    'Available',
    'Total number of available pods (ready for at least minReadySeconds) targeted by this deployment.',
    ({ status }) => status?.availableReplicas ?? 0,
  ),
  ageColumn,
  wide('Containers', 'Names of each container in the template.', ({ spec }) =>
    containerNames(spec.template.spec?.containers),
  ),
  wide('Images', 'Images referenced by each container in the template.', ({ spec }) =>
    containerImages(spec.template.spec?.containers),
  ),
  wide('Selector', 'Label selector for pods.', ({ spec }) => formatLabelSelector(spec.selector)),
];

const defaultedStrategy = (given: Strategy): Strategy => {
  const strategy = withDefaults(given, { type: 'RollingUpdate' });
  if (strategy.type !== 'RollingUpdate') return strategy;
  return withChanges(strategy, {
    rollingUpdate: withDefaults(strategy.rollingUpdate ?? {}, { maxSurge: '25%', maxUnavailable: '25%' }),
  });
};

const defaulted = (deployment: Deployment): Deployment => {
  const filled = withDefaults(deployment.spec, {
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  });
  return withChanges(deployment, {
    spec: withChanges(filled, {
      strategy: defaultedStrategy(filled.strategy ?? {}),
      template: defaultedTemplate(filled.template),
    }),
  });
};

const percent = /^\d+%$/;

/** A count, or a part of the replicas such as `25%`. */
const countErrors = (field: string, value: number | string): readonly FieldError[] => {
  if (typeof value === 'number') return nonNegative(field, value);
  if (percent.test(value)) return [];
  return [
    invalid(
      field,
      value,
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ),
  ];
};

const isNothing = (value: number | string): boolean =>
  value === 0 || (typeof value === 'string' && /^0+%$/.test(value));

const strategyErrors = (field: string, { type, rollingUpdate }: Strategy): readonly FieldError[] => {
  const at = child(field, 'rollingUpdate');
  if (type === 'Recreate' && rollingUpdate !== undefined)
    return [forbidden(at, "may not be specified when strategy `type` is 'Recreate'")];
  if (type !== 'RollingUpdate') return oneOf(child(field, 'type'), type, ['Recreate', 'RollingUpdate']);
  const { maxSurge = 0, maxUnavailable = 0 } = rollingUpdate ?? {};
  const tooMany =
    typeof maxUnavailable === 'string' && percent.test(maxUnavailable) && parseInt(maxUnavailable, 10) > 100;
  return [
    ...countErrors(child(at, 'maxUnavailable'), maxUnavailable),
    ...countErrors(child(at, 'maxSurge'), maxSurge),
    ...(isNothing(maxUnavailable) && isNothing(maxSurge)
      ? [invalid(child(at, 'maxUnavailable'), maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
      : []),
    ...(tooMany
      ? [invalid(child(at, 'maxUnavailable'), maxUnavailable, 'must not be greater than 100%')]
      : []),
  ];
};

const deadlineErrors = ({
  progressDeadlineSeconds: deadline,
  minReadySeconds = 0,
}: Spec): readonly FieldError[] => {
  const field = 'spec.progressDeadlineSeconds';
  return [
    ...nonNegative(field, deadline),
    ...(deadline !== undefined && deadline <= minReadySeconds
      ? [invalid(field, deadline, 'must be greater than minReadySeconds')]
      : []),
  ];
};

const validate = ({ metadata, spec }: Deployment, old: Deployment | undefined): readonly FieldError[] => {
  if (old !== undefined && equal(spec, old.spec)) return [];
  return [
    ...nameErrors(metadata),
    ...workloadErrors('spec', spec, { owner: 'Deployment', article: 'deployment' }),
    ...strategyErrors('spec.strategy', spec.strategy ?? {}),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...deadlineErrors(spec),
    ...(old !== undefined && !equal(spec.selector, old.spec.selector)
      ? [immutable('spec.selector', spec.selector)]
      : []),
  ];
};

export const deployments = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  definition: 'io.k8s.api.apps.v1.Deployment',
  subresources: ['status', 'scale'],
  generationFields: ['spec'],
  columns,
  defaulted,
  validate,
});
