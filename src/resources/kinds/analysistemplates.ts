// AnalysisTemplates: what is measured while a new version takes over, and what counts as success.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import type { AnalysisTemplate, ClusterAnalysisTemplate } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { analysisSpecErrors } from '../rollouts/validate-analysis.js';
import { nameErrors } from '../validation/metadata.js';

type Template = AnalysisTemplate | ClusterAnalysisTemplate;

const columns: readonly Column<Template>[] = [
  nameColumn,
  text('Metrics', 'What is measured', ({ spec }) => (spec.metrics ?? []).map(({ name }) => name).join(',')),
  ageColumn,
];

const validate = ({ metadata, spec }: Template): readonly FieldError[] => [
  ...nameErrors(metadata),
  ...analysisSpecErrors('spec', spec, { needsMetrics: (spec.templates ?? []).length === 0 }),
];

const shared = { group: 'argoproj.io', version: 'v1alpha1', generationFields: ['spec'], columns, validate };

export const analysistemplates = defineKind<AnalysisTemplate>({
  ...shared,
  kind: 'AnalysisTemplate',
  plural: 'analysistemplates',
  shortNames: ['at'],
  namespaced: true,
  definition: 'io.argoproj.v1alpha1.AnalysisTemplate',
});

export const clusteranalysistemplates = defineKind<ClusterAnalysisTemplate>({
  ...shared,
  kind: 'ClusterAnalysisTemplate',
  plural: 'clusteranalysistemplates',
  shortNames: ['cat'],
  namespaced: false,
  definition: 'io.argoproj.v1alpha1.ClusterAnalysisTemplate',
});
