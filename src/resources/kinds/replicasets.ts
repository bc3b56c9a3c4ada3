// ReplicaSets: a number of equal pods of one template.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, containerImages, containerNames, integer, nameColumn, wide } from '../columns.js';
import { withChanges, withDefaults } from '../defaults.js';
import type { ReplicaSet } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { formatLabelSelector } from '../label-selector.js';
import { defaultedTemplate } from '../pod-template/default-pod-spec.js';
import { workloadErrors } from '../pod-template/validate-workload.js';
import { immutable } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';

const columns: readonly Column<ReplicaSet>[] = [
  nameColumn,
  integer('Desired', 'Replicas is the number of desired pods.', ({ spec }) => spec.replicas ?? 1),
  integer(
    'Current',
    'Replicas is the most recently observed number of non-terminating pods.',
    ({ status }) => status?.replicas ?? 0,
  ),
  integer(
    'Ready',
    'The number of non-terminating pods with a Ready Condition.',
    ({ status }) => status?.readyReplicas ?? 0,
  ),
  ageColumn,
  wide('Containers', 'Names of each container in the template.', ({ spec }) =>
    containerNames(spec.template?.spec?.containers),
  ),
  wide('Images', 'Images referenced by each container in the template.', ({ spec }) =>
    containerImages(spec.template?.spec?.containers),
  ),
  wide('Selector', 'Label selector for pods.', ({ spec }) => formatLabelSelector(spec.selector)),
];

const defaulted = (set: ReplicaSet): ReplicaSet => {
  const filled = withDefaults(set.spec, { replicas: 1 });
  return withChanges(set, {
    spec: withChanges(filled, { template: filled.template && defaultedTemplate(filled.template) }),
  });
};

const validate = ({ metadata, spec }: ReplicaSet, old: ReplicaSet | undefined): readonly FieldError[] => {
  if (old !== undefined && equal(spec, old.spec)) return [];
  return [
    ...nameErrors(metadata),
    ...workloadErrors('spec', spec, { owner: 'ReplicaSet', article: 'replicaset' }),
    ...(old !== undefined && !equal(spec.selector, old.spec.selector)
      ? [immutable('spec.selector', spec.selector)]
      : []),
  ];
};

export const replicasets = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  definition: 'io.k8s.api.apps.v1.ReplicaSet',
  subresources: ['status', 'scale'],
  generationFields: ['spec'],
  columns,
  defaulted,
  validate,
  selectableFields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
});
