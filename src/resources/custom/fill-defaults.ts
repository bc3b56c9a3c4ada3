// Defaults of a custom resource: each absent member whose schema has one gets it, from the outside inwards.
// Follows apiextensions-apiserver `pkg/apiserver/schema/defaulting/algorithm.go`.
import { isObject } from '../../base/json.js';
import { valuesOf } from './custom-schema.js';
import type { CustomSchema } from './custom-schema.js';

// A memo of a pure function of schemas.
const memo = new WeakMap<CustomSchema, boolean>();

/** Whether anything below has a default: most parts of most schemas have none, and need no walk. */
const hasDefaults = (schema: CustomSchema): boolean => {
  const known = memo.get(schema);
  if (known !== undefined) return known;
  const values = valuesOf(schema);
  const found =
    schema.default !== undefined ||
    Object.values(schema.properties ?? {}).some(hasDefaults) ||
    (schema.items !== undefined && hasDefaults(schema.items)) ||
    (values !== undefined && hasDefaults(values));
  memo.set(schema, found);
  return found;
};

/** A null that may not be one gives way to the default. */
const replaced = (schema: CustomSchema, value: unknown): unknown =>
  value === null && schema.nullable !== true && schema.default !== undefined ? schema.default : value;

const fillMembers = (schema: CustomSchema, object: Record<string, unknown>): unknown => {
  let result: Record<string, unknown> | undefined;
  const set = (name: string, value: unknown): void => {
    result ??= { ...object };
    result[name] = value;
  };
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (!hasDefaults(property)) continue;
    const present = Object.hasOwn(object, name) ? object[name] : undefined;
    const absent = present === undefined || (present === null && property.nullable !== true);
    const value = absent ? property.default : present;
    if (value === undefined) continue;
    const filled = fillDefaults(property, value);
    if (filled !== present) set(name, filled);
  }
  const values = valuesOf(schema);
  if (values === undefined || !hasDefaults(values)) return result ?? object;
  for (const [name, value] of Object.entries(object)) {
    if (Object.hasOwn(schema.properties ?? {}, name)) continue;
    const filled = fillDefaults(values, replaced(values, value));
    if (filled !== value) set(name, filled);
  }
  return result ?? object;
};

/** The same value when nothing is missing; idempotent. */
export const fillDefaults = (schema: CustomSchema, value: unknown): unknown => {
  if (!hasDefaults(schema)) return value;
  if (isObject(value)) return fillMembers(schema, value);
  const { items } = schema;
  if (!Array.isArray(value) || items === undefined || !hasDefaults(items)) return value;
  const list = value.map((entry: unknown) => fillDefaults(items, replaced(items, entry)));
  return list.every((entry, index) => entry === value[index]) ? value : list;
};
