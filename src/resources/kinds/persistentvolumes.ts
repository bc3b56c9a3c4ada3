// PersistentVolumes: storage that exists, whoever asked for it.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, nameColumn, text, wide } from '../columns.js';
import { withChanges, withDefaults } from '../defaults.js';
import type { PersistentVolume, PersistentVolumeSpec } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { shortAccessModes } from '../storage/access-modes.js';
import { volumeSpecErrors, volumeUpdateErrors } from '../storage/validate-volume.js';
import { nameErrors } from '../validation/metadata.js';

const columns: readonly Column<PersistentVolume>[] = [
  nameColumn,
  text('Capacity', 'How much the volume holds.', ({ spec }) => spec.capacity?.['storage'] ?? '0'),
  text('Access Modes', 'How the volume can be mounted.', ({ spec }) => shortAccessModes(spec.accessModes)),
  text(
    'Reclaim Policy',
    'What happens to the volume when its claim is gone.',
    ({ spec }) => spec.persistentVolumeReclaimPolicy ?? '',
  ),
  text('Status', 'Whether the volume is available, bound or released.', ({ metadata, status }) =>
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
  ),
  text('Claim', 'The claim that the volume is bound to.', ({ spec }) =>
    spec.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`,
  ),
  text(
    'StorageClass',
    'StorageClass of the pv',
    ({ metadata, spec }) =>
      metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? '',
  ),
  text(
    'VolumeAttributesClass',
    'VolumeAttributesClass of the pv',
    ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
  ),
  text('Reason', 'Why the volume is in its state, in one word.', ({ status }) => status?.reason ?? ''),
  ageColumn,
  wide('VolumeMode', 'Whether the volume is formatted.', ({ spec }) => spec.volumeMode ?? '<unset>'),
];

/** What sources that are not for every machine leave out (Kubernetes' pkg/apis/core/v1/defaults.go). */
const defaultedSources = (spec: PersistentVolumeSpec): PersistentVolumeSpec =>
  withChanges(spec, {
    hostPath: spec.hostPath && withDefaults(spec.hostPath, { type: '' }),
    iscsi: spec.iscsi && withDefaults(spec.iscsi, { iscsiInterface: 'default' }),
    rbd: spec.rbd && withDefaults(spec.rbd, { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' }),
    azureDisk:
      spec.azureDisk &&
      withDefaults(spec.azureDisk, {
        cachingMode: 'ReadWrite',
        kind: 'Shared',
        fsType: 'ext4',
        readOnly: false,
      }),
    scaleIO: spec.scaleIO && withDefaults(spec.scaleIO, { storageMode: 'ThinProvisioned', fsType: 'xfs' }),
  });

const defaulted = (volume: PersistentVolume): PersistentVolume => {
  // A draft's spec may be missing, whatever the type of an accepted volume says.
  const spec = (volume.spec as PersistentVolumeSpec | undefined) ?? {};
  return withChanges(volume, {
    spec: defaultedSources(
      withDefaults(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' }),
    ),
    status: withDefaults(volume.status ?? {}, { phase: 'Pending' }),
  });
};

const validate = (volume: PersistentVolume, old: PersistentVolume | undefined): readonly FieldError[] => {
  if (old !== undefined && equal(volume.spec, old.spec)) return [];
  return [
    ...nameErrors(volume.metadata),
    ...volumeSpecErrors('spec', volume.spec),
    ...(old === undefined ? [] : volumeUpdateErrors(volume, old)),
  ];
};

export const persistentvolumes = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  namespaced: false,
  definition: 'io.k8s.api.core.v1.PersistentVolume',
  subresources: ['status'],
  columns,
  defaulted,
  validate,
  selectableFields: ({ metadata }) => ({ name: metadata.name }),
});
