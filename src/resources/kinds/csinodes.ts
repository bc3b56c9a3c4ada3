// CSINodes: which storage drivers a node has.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, integer, nameColumn } from '../columns.js';
import { child, item } from '../field-path.js';
import type { CSINode, CSINodeDriver } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { csiDriverNameErrors } from '../storage/driver-name.js';
import {
  allInvalid,
  duplicate,
  duplicates,
  invalid,
  nonNegative,
  required,
} from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { qualifiedNameErrors } from '../validation/names.js';

const longestNodeId = 192;

const driverErrors = (field: string, driver: CSINodeDriver): readonly FieldError[] => {
  const { name, nodeID, topologyKeys = [], allocatable } = driver;
  const keys = child(field, 'topologyKeys');
  return [
    ...csiDriverNameErrors(child(field, 'name'), name),
    ...(nodeID === '' ? [required(child(field, 'nodeID'))] : []),
    ...(nodeID.length > longestNodeId
      ? [invalid(child(field, 'nodeID'), nodeID, `must be ${String(longestNodeId)} characters or less`)]
      : []),
    ...topologyKeys.flatMap((key, index) => [
      ...(key === ''
        ? [required(item(keys, index))]
        : allInvalid(item(keys, index), key, qualifiedNameErrors(key))),
      ...(topologyKeys.indexOf(key) < index ? [duplicate(item(keys, index), key)] : []),
    ]),
    ...nonNegative(child(field, 'allocatable.count'), allocatable?.count),
  ];
};

/** How much a driver can attach may change; who it is may not. */
const changeErrors = (drivers: readonly CSINodeDriver[], old: CSINode): readonly FieldError[] =>
  drivers.flatMap((driver, index) => {
    const before = old.spec.drivers.find(({ name }) => name === driver.name);
    return before === undefined ||
      equal({ ...driver, allocatable: undefined }, { ...before, allocatable: undefined })
      ? []
      : [invalid(item('spec.drivers', index), driver, 'field is immutable')];
  });

const validate = ({ metadata, spec }: CSINode, old: CSINode | undefined): readonly FieldError[] => [
  ...nameErrors(metadata),
  ...spec.drivers.flatMap((driver, index) => driverErrors(item('spec.drivers', index), driver)),
  ...duplicates(
    spec.drivers,
    ({ name }) => name,
    (index) => child(item('spec.drivers', index), 'name'),
  ),
  ...(old === undefined ? [] : changeErrors(spec.drivers, old)),
];

export const csinodes = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  namespaced: false,
  definition: 'io.k8s.api.storage.v1.CSINode',
  columns: [
    nameColumn,
    integer('Drivers', 'Number of drivers on the node.', ({ spec }) => spec.drivers.length),
    ageColumn,
  ],
  validate,
});
