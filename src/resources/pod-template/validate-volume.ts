// Rules about volumes and where containers mount them.
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type { Container, KeyToPath, PodSpec, Volume, VolumeMount } from '../generated/types.js';
import { parseQuantity } from '../quantity.js';
import {
  allInvalid,
  duplicates,
  forbidden,
  invalid,
  notFound,
  oneOf,
  required,
} from '../validation/field-errors.js';
import { configKeyErrors, dnsLabelErrors } from '../validation/names.js';
import { fieldRefErrors, resourceFieldErrors } from './validate-environment.js';

/** A path below a directory: not absolute, and not out of it. */
const localPathErrors = (field: string, path: string): readonly FieldError[] => [
  ...(path.startsWith('/') ? [invalid(field, path, 'must be a relative path')] : []),
  ...backstepErrors(field, path),
];

const backstepErrors = (field: string, path: string): readonly FieldError[] =>
  path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : [];

const modeErrors = (field: string, mode: number | undefined): readonly FieldError[] =>
  mode !== undefined && (mode < 0 || mode > 0o777)
    ? [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
    : [];

const targetErrors = (field: string, path: string): readonly FieldError[] => {
  if (path === '') return [required(field)];
  return [
    ...localPathErrors(field, path),
    ...(path.startsWith('..') && !path.split('/').includes('..')
      ? [invalid(field, path, "must not start with '..'")]
      : []),
  ];
};

const itemsErrors = (field: string, items: readonly KeyToPath[] | undefined): readonly FieldError[] =>
  (items ?? []).flatMap(({ key, path, mode }, index) => {
    const at = item(child(field, 'items'), index);
    return [
      ...(key === ''
        ? [required(child(at, 'key'))]
        : allInvalid(child(at, 'key'), key, configKeyErrors(key))),
      ...targetErrors(child(at, 'path'), path),
      ...modeErrors(child(at, 'mode'), mode),
    ];
  });

type DownwardFile = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

const downwardErrors = (field: string, files: readonly DownwardFile[] | undefined): readonly FieldError[] =>
  (files ?? []).flatMap((file, index) => {
    const at = item(child(field, 'items'), index);
    const { path, mode, fieldRef, resourceFieldRef } = file;
    const source =
      fieldRef !== undefined
        ? resourceFieldRef === undefined
          ? fieldRefErrors(child(at, 'fieldRef'), fieldRef, 'volume')
          : [invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously')]
        : resourceFieldRef !== undefined
          ? resourceFieldErrors(child(at, 'resourceFieldRef'), resourceFieldRef, 'volume')
          : [required(at, 'one of fieldRef and resourceFieldRef is required')];
    return [...source, ...targetErrors(child(at, 'path'), path), ...modeErrors(child(at, 'mode'), mode)];
  });

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

const named = (field: string, name: string | undefined): readonly FieldError[] =>
  (name ?? '') === '' ? [required(field)] : [];

const projectedErrors = (
  field: string,
  projected: NonNullable<Volume['projected']>,
): readonly FieldError[] => [
  ...modeErrors(child(field, 'defaultMode'), projected.defaultMode),
  ...(projected.sources ?? []).flatMap((source, index) => {
    const at = item(child(field, 'sources'), index);
    const { secret, configMap, downwardAPI, serviceAccountToken: token } = source;
    const [first, ...others] = Object.entries(source)
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name);
    if (first === undefined) return [required(at, 'must specify a projection type')];
    return [
      ...others.map((name) => forbidden(child(at, name), 'may not specify more than 1 volume type')),
      ...((secret && [
        ...named(child(at, 'secret.name'), secret.name),
        ...itemsErrors(child(at, 'secret'), secret.items),
      ]) ||
        []),
      ...((configMap && [
        ...named(child(at, 'configMap.name'), configMap.name),
        ...itemsErrors(child(at, 'configMap'), configMap.items),
      ]) ||
        []),
      ...downwardErrors(child(at, 'downwardAPI'), downwardAPI?.items),
      ...(token === undefined ? [] : targetErrors(child(at, 'serviceAccountToken.path'), token.path)),
      ...(token?.expirationSeconds !== undefined && token.expirationSeconds < 600
        ? [
            invalid(
              child(at, 'serviceAccountToken.expirationSeconds'),
              token.expirationSeconds,
              'may not specify a duration less than 10 minutes',
            ),
          ]
        : []),
    ];
  }),
];

/** Rules of each source by its field; sources without an entry have none beyond the schema. */
const sourceErrors = (field: string, volume: Volume): readonly FieldError[] => {
  const {
    hostPath,
    emptyDir,
    secret,
    configMap,
    downwardAPI,
    projected,
    persistentVolumeClaim: claim,
  } = volume;
  const size = emptyDir?.sizeLimit === undefined ? undefined : parseQuantity(emptyDir.sizeLimit);
  return [
    ...(hostPath === undefined
      ? []
      : [
          ...(hostPath.path === ''
            ? [required(child(field, 'hostPath.path'))]
            : backstepErrors(child(field, 'hostPath.path'), hostPath.path)),
          ...oneOf(child(field, 'hostPath.type'), hostPath.type, hostPathTypes),
        ]),
    ...(size !== undefined && size.nanos < 0n
      ? [forbidden(child(field, 'emptyDir.sizeLimit'), 'SizeLimit field must be a valid resource quantity')]
      : []),
    ...(secret === undefined
      ? []
      : [
          ...named(child(field, 'secret.secretName'), secret.secretName),
          ...modeErrors(child(field, 'secret.defaultMode'), secret.defaultMode),
          ...itemsErrors(child(field, 'secret'), secret.items),
        ]),
    ...(configMap === undefined
      ? []
      : [
          ...named(child(field, 'configMap.name'), configMap.name),
          ...modeErrors(child(field, 'configMap.defaultMode'), configMap.defaultMode),
          ...itemsErrors(child(field, 'configMap'), configMap.items),
        ]),
    ...modeErrors(child(field, 'downwardAPI.defaultMode'), downwardAPI?.defaultMode),
    ...downwardErrors(child(field, 'downwardAPI'), downwardAPI?.items),
    ...(projected === undefined ? [] : projectedErrors(child(field, 'projected'), projected)),
    ...(claim === undefined ? [] : named(child(field, 'persistentVolumeClaim.claimName'), claim.claimName)),
  ];
};

export const volumesErrors = (field: string, { volumes = [] }: PodSpec): readonly FieldError[] => [
  ...volumes.flatMap((volume, index) => {
    const at = item(field, index);
    const sources = Object.entries(volume).filter(([key, value]) => key !== 'name' && value !== undefined);
    return [
      ...(volume.name === ''
        ? [required(child(at, 'name'))]
        : allInvalid(child(at, 'name'), volume.name, dnsLabelErrors(volume.name))),
      ...sources
        .slice(1)
        .map(([name]) => forbidden(child(at, name), 'may not specify more than 1 volume type')),
      ...sourceErrors(at, volume),
    ];
  }),
  ...duplicates(
    volumes,
    ({ name }) => name,
    (index) => child(item(field, index), 'name'),
  ),
];

const propagations = ['Bidirectional', 'HostToContainer', 'None'];

const mountErrors = (
  field: string,
  mount: VolumeMount,
  { volumes, privileged }: { readonly volumes: ReadonlySet<string>; readonly privileged: boolean },
): readonly FieldError[] => {
  const { name, mountPath, subPath = '', subPathExpr = '', mountPropagation } = mount;
  return [
    ...(name === ''
      ? [required(child(field, 'name'))]
      : volumes.has(name)
        ? []
        : [notFound(child(field, 'name'), name)]),
    ...(mountPath === '' ? [required(child(field, 'mountPath'))] : []),
    ...(subPath !== '' && subPathExpr !== ''
      ? [invalid(child(field, 'subPathExpr'), subPathExpr, 'subPathExpr and subPath are mutually exclusive')]
      : []),
    ...localPathErrors(child(field, 'subPath'), subPath),
    ...localPathErrors(child(field, 'subPathExpr'), subPathExpr),
    ...oneOf(child(field, 'mountPropagation'), mountPropagation, propagations),
    ...(mountPropagation === 'Bidirectional' && !privileged
      ? [
          forbidden(
            child(field, 'mountPropagation'),
            'Bidirectional mount propagation is available only to privileged containers',
          ),
        ]
      : []),
  ];
};

export const mountsErrors = (
  field: string,
  { volumeMounts = [], securityContext }: Container,
  volumes: ReadonlySet<string>,
): readonly FieldError[] => {
  const privileged = securityContext?.privileged === true;
  const seen = new Set<string>();
  return volumeMounts.flatMap((mount, index) => {
    const at = item(field, index);
    const taken = seen.has(mount.mountPath);
    seen.add(mount.mountPath);
    return [
      ...mountErrors(at, mount, { volumes, privileged }),
      ...(taken && mount.mountPath !== ''
        ? [invalid(child(at, 'mountPath'), mount.mountPath, 'must be unique')]
        : []),
    ];
  });
};
