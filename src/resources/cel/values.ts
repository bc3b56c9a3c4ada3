// JSON as CEL sees it: whole numbers are ints (bigint), and what a schema says to be a time or bytes is one.
import { Buffer } from 'node:buffer';
import { isObject } from '../../base/json.js';
import type { CustomSchema } from '../custom/custom-schema.js';
import { isEmbedded, isIntOrString, valuesOf } from '../custom/custom-schema.js';

const reserved: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return'.split(
    ' ',
  ),
);

/** The name by which rules know a field: names that CEL cannot write are escaped as in Kubernetes; undefined where that is impossible. */
export const celName = (name: string): string | undefined => {
  if (reserved.has(name)) return `__${name}__`;
  const escaped = name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(escaped) ? escaped : undefined;
};

/** Without a schema. */
export const plainCel = (value: unknown): unknown => {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(plainCel);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      member === undefined ? [] : [[name, plainCel(member)]],
    ),
  );
};

const textCel = (format: string | undefined, value: string): unknown => {
  switch (format) {
    case 'date':
    case 'date-time': {
      const at = new Date(value);
      return Number.isNaN(at.getTime()) ? value : at;
    }
    case 'byte':
      return new Uint8Array(Buffer.from(value, 'base64'));
    case undefined:
    default:
      return value;
  }
};

const membersCel = (schema: CustomSchema, object: Record<string, unknown>): unknown => {
  const values = valuesOf(schema);
  const members: [string, unknown][] = [];
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const property = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined;
    if (property !== undefined) {
      const escaped = celName(name);
      if (escaped !== undefined) members.push([escaped, schemaCel(property, value)]);
    } else if (values !== undefined) members.push([name, schemaCel(values, value)]);
    else if (isEmbedded(schema) && (name === 'apiVersion' || name === 'kind' || name === 'metadata'))
      members.push([name, plainCel(value)]);
  }
  return Object.fromEntries(members);
};

/** By a schema: fields that it does not name are not there for rules. */
export const schemaCel = (schema: CustomSchema, value: unknown): unknown => {
  if (typeof value === 'number')
    return (schema.type === 'number' && !isIntOrString(schema)) || !Number.isSafeInteger(value)
      ? value
      : BigInt(value);
  if (typeof value === 'string') return textCel(schema.format, value);
  if (Array.isArray(value))
    return value.map((entry: unknown) =>
      schema.items === undefined ? plainCel(entry) : schemaCel(schema.items, entry),
    );
  if (!isObject(value)) return value;
  const open = schema.properties === undefined && schema.type === undefined && valuesOf(schema) === undefined;
  return open ? plainCel(value) : membersCel(schema, value);
};
