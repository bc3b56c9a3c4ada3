// What must never stand in a log, whatever a policy asks for: values of Secrets, and tokens.
import { isObject } from '../../base/json.js';
import type { Attributes } from '../authorize/attributes.js';

const confidential: ReadonlySet<string> = new Set([
  '/secrets',
  '/serviceaccounts/token',
  'authentication.k8s.io/tokenreviews',
]);

/** The bodies of such requests and answers are never recorded. */
export const isConfidential = (wanted: Attributes): boolean => {
  if (wanted.type === 'path') return false;
  const part = wanted.subresource === '' ? wanted.resource : `${wanted.resource}/${wanted.subresource}`;
  return (
    confidential.has(`${wanted.group}/${wanted.resource}`) || confidential.has(`${wanted.group}/${part}`)
  );
};

const gone = '<redacted>';

const hidden: Readonly<Record<string, readonly string[]>> = {
  Secret: ['data', 'stringData'],
  TokenReview: ['spec', 'status'],
  TokenRequest: ['status'],
};

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

const withoutAnnotation = (metadata: unknown): unknown => {
  if (!isObject(metadata) || !isObject(metadata['annotations'])) return metadata;
  if (!Object.hasOwn(metadata['annotations'], lastApplied)) return metadata;
  return { ...metadata, annotations: { ...metadata['annotations'], [lastApplied]: gone } };
};

/** A copy without values of Secrets and tokens, wherever in the value such an object stands. */
export const redacted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(redacted);
  if (!isObject(value)) return value;
  const members = typeof value['kind'] === 'string' ? (hidden[value['kind']] ?? []) : [];
  const entries = Object.entries(value).map(([name, member]): [string, unknown] => {
    if (members.includes(name)) return [name, gone];
    if (name === 'metadata' && members.length > 0) return [name, withoutAnnotation(member)];
    return [name, redacted(member)];
  });
  return Object.fromEntries(entries);
};

const secretParameter =
  /([?&](?:access_token|id_token|token|password|secret|authorization|signature)=)[^&]*/gi;

/** A request's target without what its query says that only its sender may know. */
export const redactedTarget = (target: string): string =>
  target.includes('?') ? target.replace(secretParameter, `$1${gone}`) : target;
