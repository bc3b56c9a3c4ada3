// Columns of a custom resource in Tables: those of its definition, each a JSONPath.
// Follows apiextensions-apiserver `pkg/registry/customresource/tableconvertor`.
import { ageColumn, nameColumn } from '../columns.js';
import { ageOf } from '../duration.js';
import type { CustomResourceColumnDefinition } from '../generated/types.js';
import type { Column } from '../kind.js';
import type { Resource } from '../resource.js';
import { findAll, parseJsonPath } from './json-path.js';

type Cell = string | number | boolean | null;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const cellOf = (type: string, found: readonly unknown[], now: number): Cell => {
  const [value] = found;
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? ageOf(value, now) : '<unknown>';
    default:
      return found.map(textOf).join(',');
  }
};

const columnOf = ({
  name,
  type,
  format,
  description,
  priority,
  jsonPath,
}: CustomResourceColumnDefinition): Column<Resource> => {
  const path = parseJsonPath(jsonPath) ?? [];
  return {
    name,
    type: type as Column<Resource>['type'],
    ...(format === undefined ? {} : { format }),
    description: description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority: (priority ?? 0) === 0 ? 0 : 1,
    cell: (object, now) => cellOf(type, findAll(path, object), now),
  };
};

/** The name, then what the definition asks for; the age where it asks for nothing. */
export const printerColumns = (
  columns: readonly CustomResourceColumnDefinition[] | undefined,
): readonly Column<Resource>[] =>
  columns === undefined || columns.length === 0
    ? [nameColumn, ageColumn]
    : [nameColumn, ...columns.map(columnOf)];
