// Does a value fit the schema of a custom resource? Errors in the words of kube-openapi `pkg/validation`.
import type { FieldError } from '../../base/errors.js';
import { canonical, equal, isObject } from '../../base/json.js';
import { child, item } from '../field-path.js';
import { duplicate, invalid, notSupported, required } from '../validation/field-errors.js';
import { isEmbedded, isIntOrString, memberSchema, propertyOf } from './custom-schema.js';
import type { CustomSchema } from './custom-schema.js';
import { numberErrors, stringErrors } from './validate-scalar.js';

/** JSON's name of a value's type, as messages give it in place of structures. */
export const typeName = (value: unknown): string => {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
};

const shownValue = (value: unknown): unknown => (typeof value === 'object' ? typeName(value) : value);

const tooMany = (field: string, count: number, most: number): FieldError => ({
  type: 'FieldValueInvalid',
  field,
  message: `Too many: ${String(count)}: must have at most ${String(most)} items`,
});

const typeError = (path: string, value: unknown, wanted: string): FieldError => {
  const body = path === '' ? '<nil>' : path;
  return {
    type: 'FieldValueTypeInvalid',
    field: path,
    message: `Invalid value: ${JSON.stringify(typeName(value))}: ${body} in body must be of type ${wanted}: ${JSON.stringify(typeName(value))}`,
  };
};

const fitsType = (schema: CustomSchema, value: unknown): boolean => {
  if (isIntOrString(schema)) return Number.isInteger(value) || typeof value === 'string';
  switch (schema.type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case undefined:
    default:
      return true;
  }
};

const membersErrors = (schema: CustomSchema, object: Record<string, unknown>, path: string): FieldError[] => {
  const errors: FieldError[] = [];
  const count = Object.keys(object).length;
  if (schema.maxProperties !== undefined && count > schema.maxProperties)
    errors.push(tooMany(path, count, schema.maxProperties));
  if (schema.minProperties !== undefined && count < schema.minProperties)
    errors.push(
      invalid(
        path,
        typeName(object),
        `${path} in body should have at least ${String(schema.minProperties)} properties`,
      ),
    );
  for (const name of schema.required ?? [])
    if (!Object.hasOwn(object, name) || object[name] === undefined) errors.push(required(child(path, name)));
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const member = memberSchema(schema, name);
    if (member === undefined) continue;
    const named = propertyOf(schema, name) !== undefined;
    errors.push(...valueErrors(member, value, named ? child(path, name) : item(path, name)));
  }
  return errors;
};

const sameItems = (schema: CustomSchema, list: readonly unknown[], path: string): FieldError[] => {
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'set' && type !== 'map' && schema.uniqueItems !== true) return [];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  list.forEach((entry, index) => {
    const key =
      type === 'map' && isObject(entry)
        ? Object.fromEntries(
            keys.map((name) => [name, entry[name] ?? schema.items?.properties?.[name]?.default]),
          )
        : entry;
    const text = canonical(key);
    if (seen.has(text)) errors.push(duplicate(item(path, index), key));
    seen.add(text);
  });
  return errors;
};

const itemsErrors = (schema: CustomSchema, list: readonly unknown[], path: string): FieldError[] => {
  const errors: FieldError[] = [];
  if (schema.maxItems !== undefined && list.length > schema.maxItems)
    errors.push(tooMany(path, list.length, schema.maxItems));
  if (schema.minItems !== undefined && list.length < schema.minItems)
    errors.push(
      invalid(path, list.length, `${path} in body should have at least ${String(schema.minItems)} items`),
    );
  const { items } = schema;
  if (items !== undefined)
    list.forEach((entry, index) => errors.push(...valueErrors(items, entry, item(path, index))));
  return [...errors, ...sameItems(schema, list, path)];
};

const combinedErrors = (schema: CustomSchema, value: unknown, path: string): FieldError[] => {
  const errors: FieldError[] = [];
  const fits = (one: CustomSchema): boolean => valueErrors(one, value, path).length === 0;
  const refuse = (why: string): void => {
    errors.push(invalid(path, shownValue(value), `${path === '' ? '<nil>' : path} in body ${why}`));
  };
  for (const one of schema.allOf ?? []) {
    const found = valueErrors(one, value, path);
    if (found.length > 0) {
      errors.push(...found);
      refuse('must validate all the schemas (allOf)');
      break;
    }
  }
  if (schema.anyOf !== undefined && !schema.anyOf.some(fits)) {
    errors.push(
      ...(schema.anyOf.map((one) => valueErrors(one, value, path)).sort((a, b) => a.length - b.length)[0] ??
        []),
    );
    refuse('must validate at least one schema (anyOf)');
  }
  if (schema.oneOf !== undefined) {
    const fitting = schema.oneOf.filter(fits).length;
    if (fitting === 0) refuse('must validate one and only one schema (oneOf). Found none valid');
    if (fitting > 1)
      refuse(`must validate one and only one schema (oneOf). Found ${String(fitting)} valid alternatives`);
  }
  if (schema.not !== undefined && fits(schema.not)) refuse('must not validate the schema (not)');
  return errors;
};

const enumErrors = (schema: CustomSchema, value: unknown, path: string): FieldError[] =>
  schema.enum === undefined || schema.enum.some((one) => equal(one, value))
    ? []
    : [
        notSupported(
          path,
          value,
          schema.enum.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))),
        ),
      ];

const embeddedErrors = (schema: CustomSchema, value: Record<string, unknown>, path: string): FieldError[] => {
  if (!isEmbedded(schema)) return [];
  return (['apiVersion', 'kind'] as const)
    .filter((name) => typeof value[name] !== 'string' || value[name] === '')
    .map((name) => required(child(path, name), 'must not be empty'));
};

/** Everything that the schema says but its rules; the value has been pruned and has its defaults. */
export const valueErrors = (schema: CustomSchema, value: unknown, path: string): FieldError[] => {
  if (value === null) {
    if (schema.nullable === true || (schema.type === undefined && !isIntOrString(schema))) return [];
    return [typeError(path, value, schema.type ?? 'integer,string')];
  }
  if (!fitsType(schema, value))
    return [typeError(path, value, isIntOrString(schema) ? 'integer,string' : (schema.type ?? 'object'))];
  const errors: FieldError[] = [];
  if (typeof value === 'string') errors.push(...stringErrors(schema, value, path));
  else if (typeof value === 'number') errors.push(...numberErrors(schema, value, path));
  else if (Array.isArray(value)) errors.push(...itemsErrors(schema, value, path));
  else if (isObject(value))
    errors.push(...membersErrors(schema, value, path), ...embeddedErrors(schema, value, path));
  return [...errors, ...enumErrors(schema, value, path), ...combinedErrors(schema, value, path)];
};
