// Rules about environment variables and where their values come from.
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type {
  Container,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../generated/types.js';
import { allInvalid, invalid, notSupported, required } from '../validation/field-errors.js';
import { configKeyErrors, envNameErrors, qualifiedNameErrors } from '../validation/names.js';

const environmentFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** A volume cannot show what is known only when the pod runs. */
const volumeFields = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

const resources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

/** `metadata.labels['app']` and `metadata.annotations['a.io/b']`. */
const subscript = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/s;

export const fieldRefErrors = (
  field: string,
  { apiVersion, fieldPath }: ObjectFieldSelector,
  use: 'environment' | 'volume',
): readonly FieldError[] => {
  const at = child(field, 'fieldPath');
  if (apiVersion !== undefined && apiVersion !== 'v1')
    return [invalid(field, fieldPath, `unsupported pod version: ${apiVersion}`)];
  if (fieldPath === '') return [required(at)];
  const [, , key] = subscript.exec(fieldPath) ?? [];
  if (key !== undefined) return allInvalid(at, key, qualifiedNameErrors(key));
  const supported = use === 'environment' ? environmentFields : volumeFields;
  return supported.includes(fieldPath) ? [] : [notSupported(at, fieldPath, supported)];
};

export const resourceFieldErrors = (
  field: string,
  { resource, containerName = '' }: ResourceFieldSelector,
  use: 'environment' | 'volume',
): readonly FieldError[] => {
  if (use === 'volume' && containerName === '') return [required(child(field, 'containerName'))];
  if (resource === '') return [required(child(field, 'resource'))];
  return resources.includes(resource) || /^(?:limits|requests)\.hugepages-/.test(resource)
    ? []
    : [notSupported(child(field, 'resource'), resource, resources)];
};

const keyRefErrors = (
  field: string,
  ref: { readonly name?: string | undefined; readonly key: string },
): readonly FieldError[] => [
  ...((ref.name ?? '') === '' ? [required(child(field, 'name'))] : []),
  ...(ref.key === ''
    ? [required(child(field, 'key'))]
    : allInvalid(child(field, 'key'), ref.key, configKeyErrors(ref.key))),
];

const sourceErrors = (field: string, source: EnvVarSource): readonly FieldError[] => {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = source;
  const given = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef].filter(
    (one) => one !== undefined,
  );
  if (given.length === 0)
    return [
      invalid(
        field,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
      ),
    ];
  return [
    ...(given.length > 1 ? [invalid(field, '', 'may not have more than one field specified at a time')] : []),
    ...(fieldRef === undefined ? [] : fieldRefErrors(child(field, 'fieldRef'), fieldRef, 'environment')),
    ...(resourceFieldRef === undefined
      ? []
      : resourceFieldErrors(child(field, 'resourceFieldRef'), resourceFieldRef, 'environment')),
    ...(configMapKeyRef === undefined ? [] : keyRefErrors(child(field, 'configMapKeyRef'), configMapKeyRef)),
    ...(secretKeyRef === undefined ? [] : keyRefErrors(child(field, 'secretKeyRef'), secretKeyRef)),
  ];
};

const variableErrors = (field: string, { name, value = '', valueFrom }: EnvVar): readonly FieldError[] => [
  ...(name === ''
    ? [required(child(field, 'name'))]
    : allInvalid(child(field, 'name'), name, envNameErrors(name))),
  ...(valueFrom === undefined
    ? []
    : value !== ''
      ? [invalid(child(field, 'valueFrom'), '', 'may not be specified when `value` is not empty')]
      : sourceErrors(child(field, 'valueFrom'), valueFrom)),
];

const fromErrors = (
  field: string,
  { prefix = '', configMapRef, secretRef }: EnvFromSource,
): readonly FieldError[] => {
  const nameless = (ref: { readonly name?: string | undefined } | undefined): boolean =>
    ref !== undefined && (ref.name ?? '') === '';
  return [
    ...(prefix === '' ? [] : allInvalid(child(field, 'prefix'), prefix, envNameErrors(prefix))),
    ...(nameless(configMapRef) ? [required(child(field, 'configMapRef.name'))] : []),
    ...(nameless(secretRef) ? [required(child(field, 'secretRef.name'))] : []),
    ...(configMapRef === undefined && secretRef === undefined
      ? [invalid(field, '', 'must specify one of: `configMapRef` or `secretRef`')]
      : []),
    ...(configMapRef !== undefined && secretRef !== undefined
      ? [invalid(field, '', 'may not have more than one field specified at a time')]
      : []),
  ];
};

export const environmentErrors = (field: string, { env, envFrom }: Container): readonly FieldError[] => [
  ...(env ?? []).flatMap((variable, index) => variableErrors(item(child(field, 'env'), index), variable)),
  ...(envFrom ?? []).flatMap((source, index) => fromErrors(item(child(field, 'envFrom'), index), source)),
];
