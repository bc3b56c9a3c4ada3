// CSIDrivers: what a storage driver needs and can do.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { withChanges, withDefaults } from '../defaults.js';
import { item } from '../field-path.js';
import type { CSIDriver } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { csiDriverNameErrors } from '../storage/driver-name.js';
import { duplicate, immutable, invalid, oneOf } from '../validation/field-errors.js';

type Spec = CSIDriver['spec'];

const flag = (
  name: string,
  description: string,
  cell: (spec: Spec) => boolean | undefined,
): Column<CSIDriver> => ({
  name,
  type: 'boolean',
  description,
  priority: 0,
  cell: ({ spec }) => cell(spec) ?? false,
});

const columns: readonly Column<CSIDriver>[] = [
  nameColumn,
  flag('AttachRequired', 'Whether volumes must be attached to a node.', (spec) => spec.attachRequired),
  flag('PodInfoOnMount', 'Whether the driver is told which pod mounts.', (spec) => spec.podInfoOnMount),
  flag('StorageCapacity', 'Whether the driver tells how much room it has.', (spec) => spec.storageCapacity),
  text('TokenRequests', 'Audiences of the tokens that the driver gets.', ({ spec }) =>
    spec.tokenRequests === undefined
      ? '<unset>'
      : spec.tokenRequests.map(({ audience }) => audience).join(','),
  ),
  flag(
    'RequiresRepublish',
    'Whether volumes are published again and again.',
    (spec) => spec.requiresRepublish,
  ),
  text('Modes', 'Kinds of volumes that the driver serves.', ({ spec }) =>
    spec.volumeLifecycleModes === undefined ? '<none>' : spec.volumeLifecycleModes.join(','),
  ),
  ageColumn,
];

const defaulted = (driver: CSIDriver): CSIDriver =>
  withChanges(driver, {
    spec: withDefaults(driver.spec, {
      attachRequired: true,
      podInfoOnMount: false,
      storageCapacity: false,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      volumeLifecycleModes: ['Persistent'],
      requiresRepublish: false,
      seLinuxMount: false,
    }),
  });

const shortestToken = 600;
const longestToken = 2 ** 32;

const tokenErrors = ({ tokenRequests = [] }: Spec): readonly FieldError[] => {
  const seen = new Set<string>();
  return tokenRequests.flatMap(({ audience, expirationSeconds }, index) => {
    const at = item('spec.tokenRequests', index);
    const again = seen.has(audience);
    seen.add(audience);
    return [
      ...(again ? [duplicate(`${at}.audience`, audience)] : []),
      ...(expirationSeconds !== undefined && expirationSeconds < shortestToken
        ? [
            invalid(
              `${at}.expirationSeconds`,
              expirationSeconds,
              'may not specify a duration less than 10 minutes',
            ),
          ]
        : []),
      ...(expirationSeconds !== undefined && expirationSeconds > longestToken
        ? [
            invalid(
              `${at}.expirationSeconds`,
              expirationSeconds,
              'may not specify a duration larger than 2^32 seconds',
            ),
          ]
        : []),
    ];
  });
};

const fixed = ['attachRequired', 'volumeLifecycleModes'] as const;

const validate = ({ metadata, spec }: CSIDriver, old: CSIDriver | undefined): readonly FieldError[] => [
  ...csiDriverNameErrors('metadata.name', metadata.name),
  ...oneOf('spec.fsGroupPolicy', spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType']),
  ...(spec.volumeLifecycleModes ?? []).flatMap((mode, index) =>
    oneOf(item('spec.volumeLifecycleModes', index), mode, ['Ephemeral', 'Persistent']),
  ),
  ...tokenErrors(spec),
  ...(old === undefined
    ? []
    : fixed
        .filter((field) => !equal(spec[field], old.spec[field]))
        .map((field) => immutable(`spec.${field}`, spec[field]))),
];

export const csidrivers = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  namespaced: false,
  definition: 'io.k8s.api.storage.v1.CSIDriver',
  columns,
  defaulted,
  validate,
});
