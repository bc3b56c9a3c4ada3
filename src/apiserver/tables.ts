// Server-side Tables (meta.k8s.io Table): what `kubectl get` prints, from the columns of each kind.
import { ageColumn, nameColumn } from '../resources/columns.js';
import type { Column, Kind } from '../resources/kind.js';
import type { Resource } from '../resources/resource.js';
import type { ListResult, Stored } from './registry.js';
import { utf8 } from './respond.js';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  readonly version: 'v1' | 'v1beta1';
  readonly include: IncludeObject;
  /** Milliseconds since the epoch: what ages are counted to. */
  readonly now: number;
}

/** A kind without columns of its own shows its name and age. */
export const columnsOf = ({ columns }: Pick<Kind, 'columns'>): readonly Column<Resource>[] =>
  columns.length === 0 ? [nameColumn, ageColumn] : columns;

const columnDefinitions = (columns: readonly Column<Resource>[]): unknown =>
  columns.map(({ name, type, format, description, priority }) => ({
    name,
    type,
    format: format ?? '',
    description,
    priority,
  }));

/** The `as=PartialObjectMetadata` form of an object. */
export const partialMetadata = (object: Resource, version: 'v1' | 'v1beta1'): unknown => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: object.metadata,
});

const separator = utf8(',');
const closeRow = utf8('}');
const closeTable = utf8(']}');

const rowChunks = (
  stored: Stored,
  columns: readonly Column<Resource>[],
  { include, version, now }: TableOptions,
): Uint8Array[] => {
  const cells = JSON.stringify(columns.map((column) => column.cell(stored.object, now)));
  if (include === 'None') return [utf8(`{"cells":${cells}}`)];
  if (include === 'Object') return [utf8(`{"cells":${cells},"object":`), stored.bytes, closeRow];
  return [utf8(`{"cells":${cells},"object":${JSON.stringify(partialMetadata(stored.object, version))}}`)];
};

/** The chunks of one Table; `headers: false` leaves the column definitions out, as in later events of a watch. */
export const tableChunks = (
  columns: readonly Column<Resource>[],
  list: ListResult,
  options: TableOptions & { readonly headers: boolean },
): readonly Uint8Array[] => {
  const metadata = {
    resourceVersion: list.resourceVersion,
    continue: list.continue,
    remainingItemCount: list.remainingItemCount,
  };
  const head = {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata,
    columnDefinitions: options.headers ? columnDefinitions(columns) : [],
  };
  const chunks: Uint8Array[] = [utf8(`${JSON.stringify(head).slice(0, -1)},"rows":[`)];
  list.items.forEach((stored, index) => {
    if (index > 0) chunks.push(separator);
    chunks.push(...rowChunks(stored, columns, options));
  });
  chunks.push(closeTable);
  return chunks;
};

/** The columns of `kubectl get deployment NAME --subresource=scale`. */
export const scaleColumns: readonly Column<Resource>[] = [
  nameColumn,
  {
    name: 'Desired',
    type: 'integer',
    description: 'Number of desired pods.',
    priority: 0,
    cell: (object) => (object as { spec?: { replicas?: number } }).spec?.replicas ?? 0,
  },
  {
    name: 'Available',
    type: 'integer',
    description: 'Number of pods that exist.',
    priority: 0,
    cell: (object) => (object as { status?: { replicas?: number } }).status?.replicas ?? 0,
  },
  ageColumn,
];
