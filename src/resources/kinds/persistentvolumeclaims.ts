// PersistentVolumeClaims: storage that an application asks for and keeps.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, nameColumn, text, wide } from '../columns.js';
import type { PersistentVolumeClaim } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { shortAccessModes } from '../storage/access-modes.js';
import { defaultedClaim } from '../storage/default-claim.js';
import { claimSpecErrors, claimUpdateErrors } from '../storage/validate-claim.js';
import { nameErrors } from '../validation/metadata.js';

const isPlaced = ({ spec }: PersistentVolumeClaim): boolean => (spec.volumeName ?? '') !== '';

const columns: readonly Column<PersistentVolumeClaim>[] = [
  nameColumn,
  text('Status', 'Whether a volume has been bound to the claim.', ({ metadata, status }) =>
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
  ),
  text('Volume', 'The volume that is bound to the claim.', ({ spec }) => spec.volumeName ?? ''),
  text('Capacity', 'What the volume really holds.', (claim) =>
    isPlaced(claim) ? (claim.status?.capacity?.['storage'] ?? '0') : '',
  ),
  text('Access Modes', 'How the volume can be mounted.', (claim) =>
    isPlaced(claim) ? shortAccessModes(claim.status?.accessModes) : '',
  ),
  text(
    'StorageClass',
    'StorageClass of the pvc',
    ({ metadata, spec }) =>
      metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? '',
  ),
  text(
    'VolumeAttributesClass',
    'VolumeAttributesClass of the pvc',
    ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
  ),
  ageColumn,
  wide('VolumeMode', 'Whether the volume is formatted.', ({ spec }) => spec.volumeMode ?? '<unset>'),
];

const validate = (
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim | undefined,
): readonly FieldError[] => {
  if (old !== undefined && equal(claim.spec, old.spec)) return [];
  return [
    ...nameErrors(claim.metadata),
    ...claimSpecErrors('spec', claim.spec),
    ...(old === undefined ? [] : claimUpdateErrors(claim, old)),
  ];
};

export const persistentvolumeclaims = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.PersistentVolumeClaim',
  subresources: ['status'],
  columns,
  defaulted: defaultedClaim,
  validate,
  selectableFields: ({ metadata }) => ({ name: metadata.name }),
});
