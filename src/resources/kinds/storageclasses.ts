// StorageClasses: kinds of storage that claims can ask for, and who makes it.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { withDefaults } from '../defaults.js';
import { child, item } from '../field-path.js';
import type { StorageClass } from '../generated/types.js';
import { defineKind } from '../kind.js';
import {
  allInvalid,
  duplicate,
  forbidden,
  immutable,
  invalid,
  oneOf,
  required,
  tooLong,
} from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { qualifiedNameErrors } from '../validation/names.js';

/** The one whose annotation says so serves claims that name no class. */
export const isDefaultClass = ({ metadata }: StorageClass): boolean =>
  metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true' ||
  metadata.annotations?.['storageclass.beta.kubernetes.io/is-default-class'] === 'true';

const limits = { parameters: 512, parameterBytes: 256 * 1024 };

const parameterErrors = (parameters: StorageClass['parameters'] = {}): readonly FieldError[] => {
  const entries = Object.entries(parameters);
  const size = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return [
    ...(entries.length > limits.parameters ? [tooLong('parameters', limits.parameters)] : []),
    ...(Object.hasOwn(parameters, '') ? [invalid('parameters', '', 'field cannot be empty')] : []),
    ...(size > limits.parameterBytes ? [tooLong('parameters', limits.parameterBytes)] : []),
  ];
};

const topologyErrors = ({ allowedTopologies = [] }: StorageClass): readonly FieldError[] =>
  allowedTopologies.flatMap(({ matchLabelExpressions = [] }, index) =>
    matchLabelExpressions.flatMap(({ key, values }, position) => {
      const at = item(child(item('allowedTopologies', index), 'matchLabelExpressions'), position);
      return [
        ...allInvalid(child(at, 'key'), key, qualifiedNameErrors(key)),
        ...(values.length === 0 ? [required(child(at, 'values'))] : []),
        ...values.flatMap((value, place) =>
          values.indexOf(value) < place ? [duplicate(item(child(at, 'values'), place), value)] : [],
        ),
      ];
    }),
  );

const fixed = ['parameters', 'provisioner', 'reclaimPolicy'] as const;

const validate = (storageClass: StorageClass, old: StorageClass | undefined): readonly FieldError[] => {
  const { metadata, provisioner, reclaimPolicy, volumeBindingMode } = storageClass;
  return [
    ...nameErrors(metadata),
    ...(provisioner === ''
      ? [required('provisioner')]
      : allInvalid('provisioner', provisioner, qualifiedNameErrors(provisioner.toLowerCase()))),
    ...parameterErrors(storageClass.parameters),
    ...oneOf('reclaimPolicy', reclaimPolicy, ['Delete', 'Retain']),
    ...oneOf('volumeBindingMode', volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']),
    ...topologyErrors(storageClass),
    ...(old === undefined
      ? []
      : fixed
          .filter((field) => !equal(storageClass[field], old[field]))
          .map((field) => forbidden(field, `updates to ${field} are forbidden.`))),
    ...(old !== undefined && volumeBindingMode !== old.volumeBindingMode
      ? [immutable('volumeBindingMode', volumeBindingMode)]
      : []),
  ];
};

export const storageclasses = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
  definition: 'io.k8s.api.storage.v1.StorageClass',
  columns: [
    {
      ...nameColumn,
      cell: (storageClass: StorageClass) =>
        `${storageClass.metadata.name}${isDefaultClass(storageClass) ? ' (default)' : ''}`,
    },
    text('Provisioner', 'Who makes volumes of the class.', ({ provisioner }) => provisioner),
    text(
      'ReclaimPolicy',
      'What happens to a volume when its claim is gone.',
      ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete',
    ),
    text(
      'VolumeBindingMode',
      'When a claim gets its volume.',
      ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate',
    ),
    text(
      'AllowVolumeExpansion',
      'Whether claims may ask for more room.',
      ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    ),
    ageColumn,
  ],
  defaulted: (storageClass) =>
    withDefaults(storageClass, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  validate,
});
