// Secrets: small amounts of confidential data, base64-encoded on the wire.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { item } from '../field-path.js';
import type { Secret } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { frozenErrors, keyErrors, sizeErrors } from '../validation/data.js';
import { immutable, invalid, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';

const encoded = (value: string): string => Buffer.from(value, 'utf8').toString('base64');

/** `stringData` is a way to write only: it ends up in `data`, over what stands there. */
const defaulted = (secret: Secret): Secret => {
  if (secret.stringData === undefined && (secret.type ?? '') !== '') return secret;
  const { stringData, type, ...rest } = secret;
  const written = Object.entries(stringData ?? {}).map(([key, value]) => [key, encoded(value)] as const);
  return {
    ...rest,
    ...(written.length === 0 ? {} : { data: { ...secret.data, ...Object.fromEntries(written) } }),
    type: type === undefined || type === '' ? 'Opaque' : type,
  };
};

const isJson = (base64: string): boolean => {
  try {
    JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
};

const jsonErrors = (key: string, data: NonNullable<Secret['data']>): readonly FieldError[] => {
  const field = item('data', key);
  const value = data[key];
  if (value === undefined) return [required(field)];
  return isJson(value) ? [] : [invalid(field, '<secret contents redacted>', 'must be valid JSON')];
};

const missing = (keys: readonly string[], data: NonNullable<Secret['data']>): readonly FieldError[] =>
  keys.filter((key) => data[key] === undefined).map((key) => required(item('data', key)));

/** What each well-known type must contain. */
const typeErrors = ({ type, metadata, data = {} }: Secret): readonly FieldError[] => {
  switch (type) {
    case 'kubernetes.io/tls':
      return missing(['tls.crt', 'tls.key'], data);
    case 'kubernetes.io/ssh-auth':
      return (data['ssh-privatekey'] ?? '') === '' ? [required(item('data', 'ssh-privatekey'))] : [];
    case 'kubernetes.io/basic-auth':
      return data['username'] === undefined && data['password'] === undefined
        ? missing(['username', 'password'], data)
        : [];
    case 'kubernetes.io/dockerconfigjson':
      return jsonErrors('.dockerconfigjson', data);
    case 'kubernetes.io/dockercfg':
      return jsonErrors('.dockercfg', data);
    case 'kubernetes.io/service-account-token':
      return (metadata.annotations?.['kubernetes.io/service-account.name'] ?? '') === ''
        ? [required('metadata.annotations[kubernetes.io/service-account.name]')]
        : [];
    case undefined:
    default:
      return [];
  }
};

const validate = (secret: Secret, old: Secret | undefined): readonly FieldError[] => {
  const { metadata, data, type } = secret;
  return [
    ...nameErrors(metadata),
    ...keyErrors('data', data),
    ...sizeErrors('data', [], Object.values(data ?? {})),
    ...typeErrors(secret),
    ...(old !== undefined && type !== old.type ? [immutable('type', type)] : []),
    ...frozenErrors(secret, old, ['data']),
  ];
};

export const secrets = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  shortNames: [],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.Secret',
  subresources: [],
  generationFields: [],
  confidential: ['data', 'stringData'],
  columns: [
    nameColumn,
    text('Type', 'Used to facilitate programmatic handling of secret data.', ({ type }) => type ?? ''),
    text('Data', 'How many values the secret has.', ({ data }) => Object.keys(data ?? {}).length),
    ageColumn,
  ],
  defaulted,
  validate,
  selectableFields: ({ type }) => ({ type: type ?? '' }),
});
