// Does an object fit its kind's schema? Types and required fields by validators compiled ahead of time, with field paths
// and messages like Kubernetes'; and `prune`, which turns what a client sent into what Kubernetes would have kept of it.
import { createRequire } from 'node:module';
import type { ErrorObject } from 'ajv';
import type { FieldError } from '../base/errors.js';
import { isObject } from '../base/json.js';
import { fieldPath } from './field-path.js';
import type { Kind } from './kind.js';
import type { SchemaCheck } from './kind-schema.js';
import { canonicalQuantity, quantitySyntax } from './quantity.js';
import type { SchemaNode } from './schema-node.js';
import { schemaOf } from './schema-node.js';
import { patterns } from './schema-patterns.js';
import { shown } from './validation/field-errors.js';

interface Validator {
  (object: unknown): boolean;
  errors?: readonly ErrorObject[] | null;
}

/** Node's module cache keeps the compiled validators once for the process; they are loaded at the first check. */
const load = createRequire(import.meta.url);
const validatorOf = (definition: string): Validator | undefined =>
  (load('./generated/validators.cjs') as Readonly<Record<string, Validator>>)[definition];

const fits: SchemaCheck = { errors: [], unknown: [] };

/** Null counts as absent, as in Kubernetes. Costs about a microsecond when the object fits. */
export const checkSchema = (
  kind: Pick<Kind, 'definition' | 'schema' | 'confidential'>,
  object: unknown,
): SchemaCheck => {
  if (kind.schema !== undefined) return kind.schema.check(object);
  const validate = validatorOf(kind.definition);
  if (validate === undefined || validate(object)) return fits;
  const root = schemaOf(kind);
  const errors: FieldError[] = [];
  const unknown: string[] = [];
  for (const error of validate.errors ?? []) {
    const steps = error.instancePath.split('/').slice(1).map(unescapeStep);
    if (error.keyword === 'additionalProperties')
      unknown.push(fieldPath(root, [...steps, String(error.params['additionalProperty'])]));
    else {
      const hide = kind.confidential?.includes(steps[0] ?? '') === true;
      errors.push(fieldError(root, steps, { error, value: valueAt(object, steps), hide }));
    }
  }
  return { errors, unknown };
};

const unescapeStep = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');

const valueAt = (object: unknown, steps: readonly string[]): unknown =>
  steps.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined,
    object,
  );

const formatMessages: Readonly<Record<string, string>> = {
  [patterns.quantity]: quantitySyntax,
  [patterns.byte]: 'must be base64-encoded data',
  [patterns.dateTime]: 'must be a date and time in RFC 3339, such as 2025-01-31T12:00:00Z',
};

/** Kubernetes' own words in place of a Secret's value. */
const redacted = '<secret contents redacted>';

const typeNames = (type: unknown): string => {
  const names = [type].flat().filter((name) => name !== 'null');
  return names.join(' or ');
};

const fieldError = (
  root: SchemaNode,
  steps: readonly string[],
  { error, value, hide }: { readonly error: ErrorObject; readonly value: unknown; readonly hide: boolean },
): FieldError => {
  const invalid = (type: FieldError['type'], why: string): FieldError => ({
    type,
    field: fieldPath(root, steps),
    message: `Invalid value: ${shown(hide ? redacted : value)}: ${why}`,
  });
  switch (error.keyword) {
    case 'required':
      return {
        type: 'FieldValueRequired',
        field: fieldPath(root, [...steps, String(error.params['missingProperty'])]),
        message: 'Required value',
      };
    case 'type':
      return value === null && steps.length > 0
        ? { type: 'FieldValueRequired', field: fieldPath(root, steps), message: 'Required value' }
        : invalid('FieldValueTypeInvalid', `must be of type ${typeNames(error.params['type'])}`);
    case 'pattern':
      return invalid(
        'FieldValueInvalid',
        formatMessages[String(error.params['pattern'])] ?? 'has the wrong form',
      );
    default:
      return invalid('FieldValueInvalid', 'must fit in 32 bits');
  }
};

/** What Go makes of null in a map: the zero value. */
const zeroValue = (node: SchemaNode): string | undefined => {
  if (node.type !== 'scalar') return undefined;
  return node.format === 'quantity' ? '0' : '';
};

const pruneScalar = (node: SchemaNode, value: unknown): unknown => {
  if (node.format === 'quantity')
    return typeof value === 'string' || typeof value === 'number' ? canonicalQuantity(value) : value;
  if (node.format === 'byte' && typeof value === 'string' && /[\r\n]/.test(value))
    return value.replace(/[\r\n]+/g, '');
  return value;
};

const pruneMembers = (node: SchemaNode, object: Record<string, unknown>): unknown => {
  let changed = false;
  const kept: Record<string, unknown> = {};
  for (const key of Object.keys(object)) {
    const value = object[key];
    const next = node.field(key);
    const result =
      next === undefined
        ? undefined
        : value === null && node.type === 'map'
          ? zeroValue(next)
          : prunedBy(next, value);
    if (result !== value) changed = true;
    if (result !== undefined && result !== null) kept[key] = result;
    else changed = true;
  }
  return changed ? kept : object;
};

const prunedBy = (node: SchemaNode, value: unknown): unknown => {
  switch (node.type) {
    case 'any':
      return value;
    case 'scalar':
      return pruneScalar(node, value);
    case 'array': {
      const element = node.element();
      if (
        !Array.isArray(value) ||
        element === undefined ||
        (element.type === 'scalar' && element.format === undefined)
      )
        return value;
      let changed = false;
      const items: unknown[] = [];
      for (const entry of value as readonly unknown[]) {
        const result = prunedBy(element, entry);
        items.push(result);
        if (result !== entry) changed = true;
      }
      return changed ? items : value;
    }
    case 'object':
    case 'map':
      return isObject(value) ? pruneMembers(node, value) : value;
  }
};

/**
 * Without unknown fields and nulls, quantities in their canonical form (`0.5` -> `500m`), base64 without line breaks.
 * Gives the same object back when there is nothing to change; idempotent. For objects that passed `checkSchema`.
 */
export const prune = <T>(kind: Pick<Kind, 'definition' | 'schema'>, object: T): T =>
  kind.schema === undefined ? (prunedBy(schemaOf(kind), object) as T) : kind.schema.prune(object);

/** As `prune`, by any schema. */
export const pruneBy = (node: SchemaNode, value: unknown): unknown => prunedBy(node, value);
