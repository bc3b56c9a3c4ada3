// CSIStorageCapacities: how much room a class of storage has where.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { nameColumn, text } from '../columns.js';
import type { CSIStorageCapacity } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { parseQuantity } from '../quantity.js';
import { allInvalid, immutable, invalid } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { dnsSubdomainErrors } from '../validation/names.js';
import { labelSelectorErrors } from '../validation/selectors.js';

const amountErrors = (field: string, amount: string | undefined): readonly FieldError[] =>
  amount !== undefined && (parseQuantity(amount)?.nanos ?? 0n) < 0n
    ? [invalid(field, amount, 'must be greater than or equal to 0')]
    : [];

const fixed = ['nodeTopology', 'storageClassName'] as const;

const validate = (
  capacity: CSIStorageCapacity,
  old: CSIStorageCapacity | undefined,
): readonly FieldError[] => [
  ...nameErrors(capacity.metadata),
  ...labelSelectorErrors('nodeTopology', capacity.nodeTopology),
  ...allInvalid('storageClassName', capacity.storageClassName, dnsSubdomainErrors(capacity.storageClassName)),
  ...amountErrors('capacity', capacity.capacity),
  ...amountErrors('maximumVolumeSize', capacity.maximumVolumeSize),
  ...(old === undefined
    ? []
    : fixed
        .filter((field) => !equal(capacity[field], old[field]))
        .map((field) => immutable(field, capacity[field]))),
];

export const csistoragecapacities = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  namespaced: true,
  definition: 'io.k8s.api.storage.v1.CSIStorageCapacity',
  columns: [
    nameColumn,
    text(
      'StorageClassName',
      'The class that the room belongs to.',
      ({ storageClassName }) => storageClassName,
    ),
    text('Capacity', 'How much room there is.', ({ capacity }) => capacity ?? '<unset>'),
  ],
  validate,
});
