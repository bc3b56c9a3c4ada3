// PodDisruptionBudgets: how many pods of an application may be missing because someone evicts them.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, integer, nameColumn, text } from '../columns.js';
import type { PodDisruptionBudget } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { countErrors, percentErrors } from '../validation/counts.js';
import { invalid, oneOf } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { labelSelectorErrors } from '../validation/selectors.js';

const shown = (value: number | string | undefined): string => (value === undefined ? 'N/A' : String(value));

const validate = ({ metadata, spec }: PodDisruptionBudget): readonly FieldError[] => {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec;
  return [
    ...nameErrors(metadata),
    ...(minAvailable !== undefined && maxUnavailable !== undefined
      ? [invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set')]
      : []),
    ...countErrors('spec.minAvailable', minAvailable),
    ...percentErrors('spec.minAvailable', minAvailable),
    ...countErrors('spec.maxUnavailable', maxUnavailable),
    ...percentErrors('spec.maxUnavailable', maxUnavailable),
    ...(selector === undefined ? [] : labelSelectorErrors('spec.selector', selector)),
    ...oneOf('spec.unhealthyPodEvictionPolicy', unhealthyPodEvictionPolicy, [
      'IfHealthyBudget',
      'AlwaysAllow',
    ]),
  ];
};

/** A draft may leave the spec out, whatever the type of an accepted budget says: it then selects nothing. */
const defaulted = (budget: PodDisruptionBudget): PodDisruptionBudget =>
  (budget.spec as PodDisruptionBudget['spec'] | undefined) === undefined ? { ...budget, spec: {} } : budget;

export const poddisruptionbudgets = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  namespaced: true,
  definition: 'io.k8s.api.policy.v1.PodDisruptionBudget',
  subresources: ['status'],
  generationFields: ['spec'],
  columns: [
    nameColumn,
    text('Min Available', 'The minimum number of pods that must be available.', ({ spec }) =>
      shown(spec.minAvailable),
    ),
    text('Max Unavailable', 'The maximum number of pods that may be unavailable.', ({ spec }) =>
      shown(spec.maxUnavailable),
    ),
    integer(
      'Allowed Disruptions',
      'Calculated number of pods that may be disrupted at this time.',
      ({ status }) => status?.disruptionsAllowed ?? 0,
    ),
    ageColumn,
  ],
  defaulted,
  validate,
});
