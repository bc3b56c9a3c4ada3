// Experiments: versions that run for a while beside each other, and are measured.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, nameColumn, text, wide } from '../columns.js';
import { mapped, withChanges } from '../defaults.js';
import { child, item } from '../field-path.js';
import type { Experiment, ExperimentTemplate } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { defaultedTemplate } from '../pod-template/default-pod-spec.js';
import { workloadErrors } from '../pod-template/validate-workload.js';
import { durationErrors } from '../rollouts/validate-analysis.js';
import { duplicates, nonNegative, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';

const columns: readonly Column<Experiment>[] = [
  nameColumn,
  text(
    'Status',
    'Pending, Running, Successful, Failed, Error or Inconclusive',
    ({ status }) => status?.phase ?? '',
  ),
  ageColumn,
  wide('Message', 'Why', ({ status }) => status?.message ?? ''),
];

const defaulted = (experiment: Experiment): Experiment =>
  withChanges(experiment, {
    spec: withChanges(experiment.spec, {
      templates: mapped(experiment.spec.templates, (entry) =>
        withChanges(entry, { template: entry.template && defaultedTemplate(entry.template) }),
      ),
    }),
  });

const templateErrors = (field: string, entry: ExperimentTemplate): readonly FieldError[] => [
  ...(entry.name === '' ? [required(child(field, 'name'))] : []),
  ...(entry.selector === undefined
    ? [required(child(field, 'selector'))]
    : workloadErrors(
        field,
        { ...entry, selector: entry.selector },
        { owner: 'Experiment', article: 'experiment' },
      )),
];

const validate = ({ metadata, spec }: Experiment, old: Experiment | undefined): readonly FieldError[] => {
  if (old !== undefined && equal(spec, old.spec)) return [];
  const templates = spec.templates ?? [];
  const at = child('spec', 'templates');
  return [
    ...nameErrors(metadata),
    ...(templates.length === 0 ? [required(at)] : []),
    ...templates.flatMap((entry, index) => templateErrors(item(at, index), entry)),
    ...duplicates(
      templates,
      ({ name }) => name,
      (index) => child(item(at, index), 'name'),
    ),
    ...durationErrors('spec.duration', spec.duration),
    ...nonNegative('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds),
    ...nonNegative('spec.scaleDownDelaySeconds', spec.scaleDownDelaySeconds),
  ];
};

export const experiments = defineKind<Experiment>({
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Experiment',
  plural: 'experiments',
  shortNames: ['exp'],
  namespaced: true,
  definition: 'io.argoproj.v1alpha1.Experiment',
  subresources: ['status'],
  generationFields: ['spec'],
  columns,
  defaulted,
  validate,
});
