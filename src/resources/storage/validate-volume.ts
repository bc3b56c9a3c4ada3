// Rules about PersistentVolumes (Kubernetes' pkg/apis/core/validation).
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { child, item } from '../field-path.js';
import type { PersistentVolume, PersistentVolumeSpec } from '../generated/types.js';
import { nodeSelectorErrors } from '../pod-template/validate-scheduling.js';
import {
  allInvalid,
  forbidden,
  immutable,
  invalid,
  notSupported,
  oneOf,
  required,
} from '../validation/field-errors.js';
import { dnsSubdomainErrors } from '../validation/names.js';
import { accessModeErrors } from './access-modes.js';
import { csiDriverNameErrors } from './driver-name.js';
import { sizeErrors, volumeModes } from './validate-claim.js';

type Spec = PersistentVolumeSpec;

const notSources: ReadonlySet<string> = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);

/** Names of the fields that say where the data is. */
const sourcesOf = (spec: Spec): readonly string[] =>
  Object.entries(spec)
    .filter(([name, value]) => value !== undefined && !notSources.has(name))
    .map(([name]) => name)
    .sort();

const filled = (field: string, value: string | undefined): readonly FieldError[] =>
  (value ?? '') === '' ? [required(field)] : [];

const pathErrors = (field: string, path: string): readonly FieldError[] => {
  if (path === '') return [required(field)];
  return path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : [];
};

const sourceErrors = (field: string, spec: Spec): readonly FieldError[] => {
  const { hostPath, local, nfs, csi } = spec;
  return [
    ...(hostPath === undefined ? [] : pathErrors(child(field, 'hostPath.path'), hostPath.path)),
    ...(hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle'
      ? [
          forbidden(
            child(field, 'persistentVolumeReclaimPolicy'),
            "may not be 'recycle' for a hostPath mount of '/'",
          ),
        ]
      : []),
    ...(local === undefined ? [] : pathErrors(child(field, 'local.path'), local.path)),
    ...(local !== undefined && spec.nodeAffinity === undefined
      ? [required('metadata.annotations', 'Local volume requires node affinity')]
      : []),
    ...(nfs === undefined
      ? []
      : [
          ...filled(child(field, 'nfs.server'), nfs.server),
          ...filled(child(field, 'nfs.path'), nfs.path),
          ...(nfs.path === '' || nfs.path.startsWith('/')
            ? []
            : [invalid(child(field, 'nfs.path'), nfs.path, 'must be an absolute path')]),
        ]),
    ...(csi === undefined
      ? []
      : [
          ...csiDriverNameErrors(child(field, 'csi.driver'), csi.driver),
          ...filled(child(field, 'csi.volumeHandle'), csi.volumeHandle),
        ]),
  ];
};

const oneSourceErrors = (field: string, spec: Spec): readonly FieldError[] => {
  const [first, ...others] = sourcesOf(spec);
  if (first === undefined) return [required(field, 'must specify a volume type')];
  return others.map((name) => forbidden(child(field, name), 'may not specify more than 1 volume type'));
};

const capacityErrors = (field: string, capacity: Spec['capacity']): readonly FieldError[] => {
  const names = Object.keys(capacity ?? {});
  if (names.length === 0) return [required(field)];
  if (names.length > 1 || names[0] !== 'storage') return [notSupported(field, capacity, ['storage'])];
  return sizeErrors(item(field, 'storage'), capacity?.['storage']);
};

const affinityErrors = (field: string, affinity: Spec['nodeAffinity']): readonly FieldError[] => {
  if (affinity === undefined) return [];
  const at = child(field, 'required');
  return affinity.required === undefined
    ? [required(at, 'must specify required node constraints')]
    : nodeSelectorErrors(at, affinity.required);
};

/** `field` is the path of the spec: a VolumeAttachment can hold one too. */
export const volumeSpecErrors = (field: string, spec: Spec): readonly FieldError[] => [
  ...accessModeErrors(child(field, 'accessModes'), spec.accessModes),
  ...capacityErrors(child(field, 'capacity'), spec.capacity),
  ...oneOf(child(field, 'persistentVolumeReclaimPolicy'), spec.persistentVolumeReclaimPolicy, [
    'Delete',
    'Recycle',
    'Retain',
  ]),
  ...affinityErrors(child(field, 'nodeAffinity'), spec.nodeAffinity),
  ...oneSourceErrors(field, spec),
  ...sourceErrors(field, spec),
  ...((spec.storageClassName ?? '') === ''
    ? []
    : allInvalid(
        child(field, 'storageClassName'),
        spec.storageClassName ?? '',
        dnsSubdomainErrors(spec.storageClassName ?? ''),
      )),
  ...oneOf(child(field, 'volumeMode'), spec.volumeMode, volumeModes),
];

const sourcePart = (spec: Spec): unknown =>
  Object.fromEntries(Object.entries(spec).filter(([name]) => !notSources.has(name)));

export const volumeUpdateErrors = (
  { spec }: PersistentVolume,
  { spec: old }: PersistentVolume,
): readonly FieldError[] => [
  ...(equal(sourcePart(spec), sourcePart(old))
    ? []
    : [forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation')]),
  ...(spec.volumeMode === old.volumeMode ? [] : [immutable('spec.volumeMode', spec.volumeMode)]),
  ...(old.nodeAffinity === undefined || equal(spec.nodeAffinity, old.nodeAffinity)
    ? []
    : [immutable('spec.nodeAffinity', spec.nodeAffinity)]),
];
