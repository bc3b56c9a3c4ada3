// PriorityClasses: names for how much a pod matters beside others.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, integer, nameColumn, text } from '../columns.js';
import { withDefaults } from '../defaults.js';
import type { PriorityClass } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { forbidden, immutable, oneOf } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';

/** Kubernetes' `HighestUserDefinablePriority`; what lies above belongs to the cluster itself. */
export const highestUserPriority = 1_000_000_000;

const reserved = 'system-';

export const systemPriorityClasses: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2 * highestUserPriority,
  'system-node-critical': 2 * highestUserPriority + 1000,
};

const reservedErrors = ({
  metadata: { name },
  value,
  globalDefault,
}: PriorityClass): readonly FieldError[] => {
  if (!name.startsWith(reserved))
    return value > highestUserPriority
      ? [
          forbidden(
            'value',
            `maximum allowed value of a user defined priority is ${String(highestUserPriority)}`,
          ),
        ]
      : [];
  const known = systemPriorityClasses[name];
  const why =
    known === undefined
      ? `${name} is not a known system priority class`
      : value !== known
        ? `value of ${name} PriorityClass must be ${String(known)}`
        : globalDefault === true
          ? `globalDefault of ${name} PriorityClass must be false`
          : undefined;
  return why === undefined
    ? []
    : [
        forbidden(
          'metadata.name',
          `priority class names with 'system-' prefix are reserved for system use only. error: ${why}`,
        ),
      ];
};

const validate = (priorityClass: PriorityClass, old: PriorityClass | undefined): readonly FieldError[] => {
  const { metadata, value, preemptionPolicy } = priorityClass;
  return [
    ...nameErrors(metadata),
    ...reservedErrors(priorityClass),
    ...oneOf('preemptionPolicy', preemptionPolicy, ['Never', 'PreemptLowerPriority']),
    ...(old !== undefined && old.value !== value
      ? [forbidden('value', 'may not be changed in an update.')]
      : []),
    ...(old !== undefined && old.preemptionPolicy !== preemptionPolicy
      ? [immutable('preemptionPolicy', preemptionPolicy)]
      : []),
  ];
};

export const priorityclasses = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
  definition: 'io.k8s.api.scheduling.v1.PriorityClass',
  columns: [
    nameColumn,
    integer('Value', 'The priority that pods of this class get.', ({ value }) => value),
    {
      name: 'Global-Default',
      type: 'boolean',
      description: 'Whether pods that name no class get this one.',
      priority: 0,
      cell: ({ globalDefault }) => globalDefault ?? false,
    },
    ageColumn,
    text(
      'PreemptionPolicy',
      'Whether pods of this class may take the place of lesser ones.',
      ({ preemptionPolicy }) => preemptionPolicy ?? '',
    ),
  ],
  defaulted: (priorityClass) => withDefaults(priorityClass, { preemptionPolicy: 'PreemptLowerPriority' }),
  validate,
});
