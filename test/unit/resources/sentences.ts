// What the tests of kinds share: making whole objects of small parts, and reading errors as sentences.
import type { Kind } from '../../../src/resources/kind.js';
import { apiVersionOf } from '../../../src/resources/kind.js';
import type { Resource } from '../../../src/resources/resource.js';
import { checkSchema, prune } from '../../../src/resources/schema.js';

/** An object as the server has it before defaults: metadata filled in, pruned, and checked against its schema. */
export const accepted = <T extends Resource>(kind: Kind<T>, parts: object): T => {
  const { metadata, ...rest } = parts as { metadata?: object };
  const object = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: {
      name: 'a',
      ...(kind.namespaced ? { namespace: 'n' } : {}),
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2025-01-01T00:00:00Z',
      ...metadata,
    },
    ...rest,
  };
  const { errors, unknown } = checkSchema(kind, object);
  if (errors.length + unknown.length > 0) throw new Error(JSON.stringify({ errors, unknown }));
  return prune(kind, object) as unknown as T;
};

/** `field: message` of everything that is wrong with an object after its defaults. */
export const problems = <T extends Resource>(
  kind: Kind<T>,
  parts: object,
  old?: object,
): readonly string[] => {
  const before = old === undefined ? undefined : kind.defaulted(accepted(kind, old));
  return kind
    .validate(kind.defaulted(accepted(kind, parts)), before)
    .map(({ field, message }) => `${field}: ${message}`);
};

/** Cells of a row by the names of their columns. */
export const row = <T extends Resource>(
  kind: Kind<T>,
  parts: object,
  now: number,
): Readonly<Record<string, string | number | boolean | null>> => {
  const object = kind.defaulted(accepted(kind, parts));
  return Object.fromEntries(kind.columns.map((column) => [column.name, column.cell(object, now)]));
};

/** Columns shown always, and those of `-o wide` behind a bar, each as `Header=cell`. */
export const tableRow = <T extends Resource>(kind: Kind<T>, parts: object, now: number): string => {
  const cells = row(kind, parts, now);
  const texts = (priority: 0 | 1): string =>
    kind.columns
      .filter((column) => column.priority === priority)
      .map(({ name }) => `${name}=${String(cells[name])}`)
      .join(' ');
  const wide = texts(1);
  return wide === '' ? texts(0) : `${texts(0)} | ${wide}`;
};
