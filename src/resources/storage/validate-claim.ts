// Rules about PersistentVolumeClaims (Kubernetes' pkg/apis/core/validation).
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { child, item } from '../field-path.js';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../generated/types.js';
import { parseQuantity, zeroQuantity, compareQuantities } from '../quantity.js';
import { allInvalid, forbidden, immutable, invalid, oneOf, required } from '../validation/field-errors.js';
import { dnsSubdomainErrors } from '../validation/names.js';
import { labelSelectorErrors } from '../validation/selectors.js';
import { accessModeErrors } from './access-modes.js';

type Spec = PersistentVolumeClaimSpec;

export const volumeModes = ['Block', 'Filesystem'];

/** A size must be more than nothing. */
export const sizeErrors = (field: string, size: string | undefined): readonly FieldError[] => {
  if (size === undefined) return [required(field)];
  const parsed = parseQuantity(size);
  return parsed !== undefined && parsed.nanos <= 0n
    ? [invalid(field, size, 'must be greater than zero')]
    : [];
};

const sourceErrors = (field: string, { dataSource, dataSourceRef }: Spec): readonly FieldError[] => {
  const at = child(field, 'dataSource');
  const ref = child(field, 'dataSourceRef');
  const named = (path: string, source: typeof dataSource): readonly FieldError[] => {
    if (source === undefined) return [];
    const core = (source.apiGroup ?? '') === '';
    return [
      ...(source.name === '' ? [required(child(path, 'name'))] : []),
      ...(source.kind === '' ? [required(child(path, 'kind'))] : []),
      ...(core && source.kind !== '' && source.kind !== 'PersistentVolumeClaim'
        ? [
            invalid(
              path,
              source.kind,
              "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
            ),
          ]
        : []),
    ];
  };
  const differ =
    dataSource !== undefined &&
    dataSourceRef !== undefined &&
    (dataSource.kind !== dataSourceRef.kind ||
      dataSource.name !== dataSourceRef.name ||
      (dataSource.apiGroup ?? '') !== (dataSourceRef.apiGroup ?? ''));
  return [
    ...named(at, dataSource),
    ...named(ref, dataSourceRef),
    ...(differ ? [invalid(at, dataSource, 'must match dataSourceRef')] : []),
  ];
};

/** `field` is the path of the spec. */
export const claimSpecErrors = (field: string, spec: Spec): readonly FieldError[] => [
  ...accessModeErrors(child(field, 'accessModes'), spec.accessModes, 'at least 1 access mode is required'),
  ...labelSelectorErrors(child(field, 'selector'), spec.selector),
  ...sizeErrors(item(child(field, 'resources'), 'storage'), spec.resources?.requests?.['storage']),
  ...((spec.storageClassName ?? '') === ''
    ? []
    : allInvalid(
        child(field, 'storageClassName'),
        spec.storageClassName ?? '',
        dnsSubdomainErrors(spec.storageClassName ?? ''),
      )),
  ...oneOf(child(field, 'volumeMode'), spec.volumeMode, volumeModes),
  ...sourceErrors(field, spec),
];

const sizeOf = (size: string | undefined) => parseQuantity(size ?? '0') ?? zeroQuantity;

/** Whoever controls volumes may name one and fill in the default class; the owner of a bound claim may ask for more room. */
const comparable = (claim: PersistentVolumeClaim, old: PersistentVolumeClaim): Spec => {
  const { spec } = claim;
  const requests = { ...spec.resources?.requests, storage: old.spec.resources?.requests?.['storage'] };
  const bound = claim.status?.phase === 'Bound';
  return {
    ...spec,
    volumeName: (old.spec.volumeName ?? '') === '' ? old.spec.volumeName : spec.volumeName,
    storageClassName:
      old.spec.storageClassName === undefined ? old.spec.storageClassName : spec.storageClassName,
    volumeAttributesClassName: old.spec.volumeAttributesClassName,
    volumeMode: old.spec.volumeMode,
    ...(bound && spec.resources?.requests !== undefined
      ? { resources: { ...spec.resources, requests: requests as Readonly<Record<string, string>> } }
      : {}),
  };
};

/** Less than was asked for is fine after an expansion that failed, but never less than the volume has. */
const shrinkErrors = (
  { spec }: PersistentVolumeClaim,
  { spec: before, status }: PersistentVolumeClaim,
): readonly FieldError[] => {
  const [asked, was] = [spec, before].map(({ resources }) => sizeOf(resources?.requests?.['storage']));
  if (asked === undefined || was === undefined || compareQuantities(asked, was) >= 0) return [];
  const has = sizeOf(status?.capacity?.['storage']);
  return compareQuantities(asked, has) > 0
    ? []
    : [forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity')];
};

export const claimUpdateErrors = (
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): readonly FieldError[] => [
  ...(equal(comparable(claim, old), old.spec)
    ? []
    : [
        forbidden(
          'spec',
          'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
        ),
      ]),
  ...shrinkErrors(claim, old),
  ...(claim.spec.volumeMode === old.spec.volumeMode
    ? []
    : [immutable('spec.volumeMode', claim.spec.volumeMode)]),
];
