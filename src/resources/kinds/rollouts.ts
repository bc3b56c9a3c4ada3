// Rollouts: equal pods whose new version takes over step by step (argoproj.io/v1alpha1, as Argo Rollouts has it).
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, containerImages, containerNames, nameColumn, text, wide } from '../columns.js';
import { withChanges, withDefaults } from '../defaults.js';
import { child } from '../field-path.js';
import type { Rollout, RolloutSpec, RolloutStrategy } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { formatLabelSelector } from '../label-selector.js';
import { defaultedTemplate } from '../pod-template/default-pod-spec.js';
import { workloadErrors } from '../pod-template/validate-workload.js';
import { stepsOf } from '../rollouts/strategy-of.js';
import { blueGreenErrors } from '../rollouts/validate-blue-green.js';
import { canaryErrors } from '../rollouts/validate-canary.js';
import { immutable, invalid, nonNegative, oneOf, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { labelSelectorErrors } from '../validation/selectors.js';

const stepOf = ({ spec, status }: Rollout): string => {
  const { length } = stepsOf(spec);
  return length === 0 ? '' : `${String(Math.min(status?.currentStepIndex ?? 0, length))}/${String(length)}`;
};

const columns: readonly Column<Rollout>[] = [
  nameColumn,
  text('Desired', 'Number of desired pods', ({ spec }) => spec.replicas ?? 1),
  text(
    'Current',
    'Total number of non-terminated pods targeted by this rollout',
    ({ status }) => status?.replicas ?? 0,
  ),
  text(
    'Up-to-date',
    'Total number of non-terminated pods targeted by this rollout that have the desired template spec',
    ({ status }) => status?.updatedReplicas ?? 0,
  ),
  text(
    'Available',
    'Total number of available pods (ready for at least minReadySeconds) targeted by this rollout',
    ({ status }) => status?.availableReplicas ?? 0,
  ),
  text('Phase', 'Healthy, Degraded, Progressing or Paused', ({ status }) => status?.phase ?? ''),
  text('Step', 'The step that is being done', stepOf),
  ageColumn,
  wide('Message', 'Why it stands where it stands', ({ status }) => status?.message ?? ''),
  wide('Containers', 'Names of each container in the template.', ({ spec }) =>
    containerNames(spec.template?.spec?.containers),
  ),
  wide('Images', 'Images referenced by each container in the template.', ({ spec }) =>
    containerImages(spec.template?.spec?.containers),
  ),
  wide('Selector', 'Label selector for pods.', ({ spec }) => formatLabelSelector(spec.selector ?? {})),
];

const defaulted = (rollout: Rollout): Rollout =>
  withChanges(rollout, {
    spec: withChanges(withDefaults(rollout.spec, { replicas: 1 }), {
      template: rollout.spec.template && defaultedTemplate(rollout.spec.template),
    }),
  });

const strategyErrors = (field: string, strategy: RolloutStrategy | undefined): readonly FieldError[] => {
  const { canary, blueGreen } = strategy ?? {};
  if (canary !== undefined && blueGreen !== undefined)
    return [invalid(field, 'canary, blueGreen', 'Multiple Strategies can not be listed')];
  if (canary !== undefined) return canaryErrors(child(field, 'canary'), canary);
  if (blueGreen !== undefined) return blueGreenErrors(child(field, 'blueGreen'), blueGreen);
  return [required(field, "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'")];
};

const workloadKinds = ['Deployment', 'ReplicaSet'];

const workloadRefErrors = (spec: RolloutSpec): readonly FieldError[] => {
  const { workloadRef, template, selector } = spec;
  const field = 'spec.workloadRef';
  if (workloadRef === undefined) return [];
  return [
    ...(template === undefined
      ? []
      : [invalid(field, workloadRef, 'template must be empty for workload reference rollout')]),
    ...((workloadRef.name ?? '') === '' ? [required(child(field, 'name'))] : []),
    ...(workloadRef.kind === undefined ? [required(child(field, 'kind'))] : []),
    ...oneOf(child(field, 'kind'), workloadRef.kind, workloadKinds),
    ...oneOf(child(field, 'scaleDown'), workloadRef.scaleDown, ['never', 'onsuccess', 'progressively']),
    ...(selector === undefined ? [] : labelSelectorErrors('spec.selector', selector)),
  ];
};

const podErrors = (spec: RolloutSpec): readonly FieldError[] => {
  if (spec.workloadRef !== undefined) return workloadRefErrors(spec);
  if (spec.selector === undefined) return [required('spec.selector')];
  if (spec.template === undefined) return [required('spec.template')];
  return workloadErrors(
    'spec',
    { ...spec, selector: spec.selector },
    { owner: 'Rollout', article: 'rollout' },
  );
};

const deadlineErrors = (spec: RolloutSpec): readonly FieldError[] => {
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec;
  const field = 'spec.progressDeadlineSeconds';
  return [
    ...nonNegative(field, deadline),
    ...((deadline ?? 600) <= minReadySeconds
      ? [invalid(field, deadline ?? 600, 'must be greater than minReadySeconds')]
      : []),
  ];
};

const validate = ({ metadata, spec }: Rollout, old: Rollout | undefined): readonly FieldError[] => {
  if (old !== undefined && equal(spec, old.spec)) return [];
  return [
    ...nameErrors(metadata),
    ...podErrors(spec),
    ...strategyErrors('spec.strategy', spec.strategy),
    ...nonNegative('spec.replicas', spec.workloadRef === undefined ? undefined : spec.replicas),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...nonNegative('spec.rollbackWindow.revisions', spec.rollbackWindow?.revisions),
    ...deadlineErrors(spec),
    ...(old?.spec.selector !== undefined && !equal(spec.selector, old.spec.selector)
      ? [immutable('spec.selector', spec.selector)]
      : []),
  ];
};

export const rollouts = defineKind<Rollout>({
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Rollout',
  plural: 'rollouts',
  shortNames: ['ro'],
  categories: ['all'],
  namespaced: true,
  definition: 'io.argoproj.v1alpha1.Rollout',
  subresources: ['status', 'scale'],
  generationFields: ['spec'],
  columns,
  defaulted,
  validate,
});
