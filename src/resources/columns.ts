// Columns that many kinds share, and short ways to write the others. Headers and texts are those of Kubernetes' printers.
import { ageOf } from './duration.js';
import type { Container } from './generated/types.js';
import type { Column } from './kind.js';
import type { Resource } from './resource.js';

type Cell<T extends Resource> = Column<T>['cell'];

const column =
  (type: Column<Resource>['type'], priority: 0 | 1) =>
  <T extends Resource>(name: string, description: string, cell: Cell<T>): Column<T> => ({
    name,
    type,
    description,
    priority,
    cell,
  });

export const text = column('string', 0);
export const integer = column('integer', 0);
/** Shown with `-o wide` only. */
export const wide = column('string', 1);
export const wideInteger = column('integer', 1);

export const nameColumn: Column<Resource> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.',
  priority: 0,
  cell: ({ metadata }) => metadata.name,
};

export const ageColumn: Column<Resource> = {
  name: 'Age',
  type: 'string',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created, in RFC3339 form and UTC.',
  priority: 0,
  cell: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now),
};

/** An empty text as tables show it. */
export const orNone = (value: string | undefined): string =>
  value === undefined || value === '' ? '<none>' : value;

/** `a=b,c=d` in the order of the keys. */
export const formatLabels = (labels: { readonly [key: string]: string } | undefined): string =>
  orNone(
    Object.entries(labels ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  );

/** The first three, and how many more there are. */
export const firstThree = (list: readonly string[], whenEmpty: string): string => {
  if (list.length === 0) return whenEmpty;
  const shown = list.slice(0, 3).join(',');
  return list.length > 3 ? `${shown} + ${String(list.length - 3)} more...` : shown;
};

export const containerNames = (containers: readonly Container[] | undefined): string =>
  (containers ?? []).map(({ name }) => name).join(',');

export const containerImages = (containers: readonly Container[] | undefined): string =>
  (containers ?? []).map(({ image }) => image ?? '').join(',');
