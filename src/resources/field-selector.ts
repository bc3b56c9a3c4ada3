// Field selectors: `metadata.name=web,spec.nodeName!=`. Only fields that a kind declares selectable can be used.
import { ClusterError } from '../base/errors.js';
import type { Kind } from './kind.js';
import type { Resource } from './resource.js';

export interface FieldRequirement {
  readonly field: string;
  readonly negated: boolean;
  readonly value: string;
}

/** All must hold; without any, everything matches. */
export type FieldRequirements = readonly FieldRequirement[];

const bad = (text: string, why: string): ClusterError =>
  new ClusterError('BadRequest', `unable to parse field selector ${JSON.stringify(text)}: ${why}`);

/** Splits at commas that no backslash protects. */
const terms = (text: string): readonly string[] => text.match(/(?:\\.|[^,\\])+/gs) ?? [];

const unescaped = (text: string, value: string): string => {
  if (/(?<!\\)(?:\\\\)*\\(?![\\,=])/s.test(value))
    throw bad(text, `invalid escape in ${JSON.stringify(value)}: only \\\\ \\, and \\= can be written`);
  return value.replace(/\\([\\,=])/g, '$1');
};

/** Throws BadRequest. '' gives no requirements. */
export const parseFieldSelector = (text: string): FieldRequirements =>
  terms(text).map((term) => {
    const match = /^((?:\\.|[^=!\\])+)(==|!=|=)((?:\\.|[^=\\])*)$/s.exec(term);
    if (match === null)
      throw bad(text, `${JSON.stringify(term)} is not of the form field=value or field!=value`);
    const [, field = '', operator, value = ''] = match;
    return { field: field.trim(), negated: operator === '!=', value: unescaped(text, value) };
  });

/** Fields by which an object can be selected, with their values. */
export const selectableFieldsOf = (kind: Kind, object: Resource): Readonly<Record<string, string>> => ({
  'metadata.name': object.metadata.name,
  ...(kind.namespaced ? { 'metadata.namespace': object.metadata.namespace ?? '' } : {}),
  ...kind.selectableFields(object),
});

const labelOnly: ReadonlySet<string> = new Set(['metadata.name', 'metadata.namespace']);

/** Objects without any value of theirs still name their selectable fields, so the names can be checked up front. */
const probe: Resource & Readonly<Record<string, unknown>> = {
  spec: {},
  status: {},
  involvedObject: {},
  apiVersion: '',
  kind: '',
  metadata: { name: '', namespace: '', uid: '', resourceVersion: '', creationTimestamp: '' },
};

/** Throws BadRequest for a field that the kind does not select by. */
export const checkFieldSelector = (kind: Kind, requirements: FieldRequirements): void => {
  const known = selectableFieldsOf(kind, probe);
  for (const { field } of requirements)
    if (!Object.hasOwn(known, field))
      throw new ClusterError(
        'BadRequest',
        `field label not supported: ${field}: ${kind.plural} can be selected by ${Object.keys(known).sort().join(', ')}`,
      );
};

export const matchesFields = (kind: Kind, requirements: FieldRequirements, object: Resource): boolean => {
  if (requirements.length === 0) return true;
  const onlyNames = requirements.every(({ field }) => labelOnly.has(field));
  const fields: Readonly<Record<string, string>> = onlyNames
    ? { 'metadata.name': object.metadata.name, 'metadata.namespace': object.metadata.namespace ?? '' }
    : selectableFieldsOf(kind, object);
  return requirements.every(({ field, negated, value }) => ((fields[field] ?? '') === value) !== negated);
};
