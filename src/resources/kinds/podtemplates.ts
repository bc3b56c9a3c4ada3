// PodTemplates: pods as someone would make them, kept for programs that make them.
import type { FieldError } from '../../base/errors.js';
import { containerImages, containerNames, formatLabels, nameColumn, text } from '../columns.js';
import { withChanges } from '../defaults.js';
import { child } from '../field-path.js';
import type { PodTemplate } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { defaultedTemplate } from '../pod-template/default-pod-spec.js';
import { podSpecErrors } from '../pod-template/validate-pod-spec.js';
import { required } from '../validation/field-errors.js';
import { labelledErrors, nameErrors } from '../validation/metadata.js';

const validate = ({ metadata, template = {} }: PodTemplate): readonly FieldError[] => [
  ...nameErrors(metadata),
  ...labelledErrors('template.metadata', template.metadata),
  ...(template.spec === undefined
    ? [required(child('template.spec', 'containers'))]
    : podSpecErrors('template.spec', template.spec)),
];

export const podtemplates = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  namespaced: true,
  definition: 'io.k8s.api.core.v1.PodTemplate',
  generationFields: ['template'],
  columns: [
    nameColumn,
    text('Containers', 'Names of each container in the template.', ({ template }) =>
      containerNames(template?.spec?.containers),
    ),
    text('Images', 'Images referenced by each container in the template.', ({ template }) =>
      containerImages(template?.spec?.containers),
    ),
    text('Pod Labels', 'The labels for the pod template.', ({ template }) =>
      formatLabels(template?.metadata?.labels),
    ),
  ],
  defaulted: (podTemplate) =>
    withChanges(podTemplate, { template: podTemplate.template && defaultedTemplate(podTemplate.template) }),
  validate,
});
