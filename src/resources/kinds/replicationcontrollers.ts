// ReplicationControllers: what kept a number of equal pods before ReplicaSets did.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import {
  ageColumn,
  containerImages,
  containerNames,
  formatLabels,
  integer,
  nameColumn,
  wide,
} from '../columns.js';
import { withChanges, withDefaults } from '../defaults.js';
import type { ReplicationController } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { selectsByMap } from '../label-selector.js';
import { defaultedTemplate } from '../pod-template/default-pod-spec.js';
import { alwaysTemplateErrors } from '../pod-template/validate-pod-spec.js';
import { invalid, nonNegative, required } from '../validation/field-errors.js';
import { labelErrors, nameErrors } from '../validation/metadata.js';

const columns: readonly Column<ReplicationController>[] = [
  nameColumn,
  integer('Desired', 'Replicas is the number of desired pods.', ({ spec }) => spec.replicas ?? 1),
  integer(
    'Current',
    'Replicas is the most recently observed number of pods.',
    ({ status }) => status?.replicas ?? 0,
  ),
  integer('Ready', 'The number of pods with a Ready Condition.', ({ status }) => status?.readyReplicas ?? 0),
  ageColumn,
  wide('Containers', 'Names of each container in the template.', ({ spec }) =>
    containerNames(spec.template?.spec?.containers),
  ),
  wide('Images', 'Images referenced by each container in the template.', ({ spec }) =>
    containerImages(spec.template?.spec?.containers),
  ),
  wide('Selector', 'Label selector for pods.', ({ spec }) => formatLabels(spec.selector)),
];

const isEmpty = (labels: { readonly [key: string]: string } | undefined): boolean =>
  Object.keys(labels ?? {}).length === 0;

/** What is not said of selector and labels is taken from the template. */
const defaulted = (controller: ReplicationController): ReplicationController => {
  const { metadata } = controller;
  const filled = withDefaults(controller.spec, { replicas: 1 });
  const labels = filled.template?.metadata?.labels;
  const labelled = labels !== undefined && !isEmpty(labels);
  return withChanges(controller, {
    metadata: labelled && isEmpty(metadata.labels) ? { ...metadata, labels } : metadata,
    spec: withChanges(filled, {
      template: filled.template && defaultedTemplate(filled.template),
      ...(labelled && isEmpty(filled.selector) ? { selector: labels } : {}),
    }),
  });
};

const templateErrors = ({ selector, template }: ReplicationController['spec']): readonly FieldError[] => {
  if (template === undefined) return [required('spec.template')];
  const labels = template.metadata?.labels;
  return [
    ...(isEmpty(selector) || selectsByMap(selector, labels)
      ? []
      : [
          invalid(
            'spec.template.metadata.labels',
            labels ?? null,
            '`selector` does not match template `labels`',
          ),
        ]),
    ...alwaysTemplateErrors('spec.template', template, 'ReplicationController'),
  ];
};

const validate = (
  { metadata, spec }: ReplicationController,
  old: ReplicationController | undefined,
): readonly FieldError[] => {
  if (old !== undefined && equal(spec, old.spec)) return [];
  return [
    ...nameErrors(metadata),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...(isEmpty(spec.selector) ? [required('spec.selector')] : labelErrors('spec.selector', spec.selector)),
    ...nonNegative('spec.replicas', spec.replicas),
    ...templateErrors(spec),
  ];
};

export const replicationcontrollers = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.ReplicationController',
  subresources: ['status', 'scale'],
  generationFields: ['spec'],
  columns,
  defaulted,
  validate,
  selectableFields: ({ metadata, status }) => ({
    name: metadata.name,
    'status.replicas': String(status?.replicas ?? 0),
  }),
});
