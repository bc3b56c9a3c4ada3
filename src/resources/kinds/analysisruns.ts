// AnalysisRuns: the measurements of one analysis, and its verdict.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, nameColumn, text, wide } from '../columns.js';
import type { AnalysisRun } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { analysisSpecErrors } from '../rollouts/validate-analysis.js';
import { nameErrors } from '../validation/metadata.js';

const columns: readonly Column<AnalysisRun>[] = [
  nameColumn,
  text(
    'Status',
    'Pending, Running, Successful, Failed, Error or Inconclusive',
    ({ status }) => status?.phase ?? '',
  ),
  ageColumn,
  wide('Message', 'Why', ({ status }) => status?.message ?? ''),
];

const validate = ({ metadata, spec }: AnalysisRun, old: AnalysisRun | undefined): readonly FieldError[] =>
  old !== undefined && equal(spec, old.spec)
    ? []
    : [...nameErrors(metadata), ...analysisSpecErrors('spec', spec, { needsMetrics: true })];

export const analysisruns = defineKind<AnalysisRun>({
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'AnalysisRun',
  plural: 'analysisruns',
  shortNames: ['ar'],
  namespaced: true,
  definition: 'io.argoproj.v1alpha1.AnalysisRun',
  subresources: ['status'],
  generationFields: ['spec'],
  columns,
  validate,
});
