import { describe, expect, it } from 'vitest';
import { columnsOf, tableChunks } from '../../../src/apiserver/tables.js';
import { leases } from '../../../src/resources/kinds/leases.js';

const object = {
  apiVersion: 'v1',
  kind: 'Lease',
  metadata: {
    name: 'a "quoted" name',
    uid: 'u',
    resourceVersion: '3',
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: { holder: 'x' },
};
const stored = { object, bytes: Buffer.from(JSON.stringify(object)) };
const now = Date.UTC(2026, 0, 1, 0, 5, 30);

const table = (include: 'None' | 'Metadata' | 'Object', count = 1) => {
  const list = { items: Array.from({ length: count }, () => stored), resourceVersion: '8', continue: 'more' };
  const columns = columnsOf({ ...leases, columns: [] });
  const chunks = tableChunks(columns, list, { version: 'v1', include, now, headers: true });
  return JSON.parse(Buffer.concat(chunks).toString()) as {
    metadata: unknown;
    columnDefinitions: { name: string }[];
    rows: { cells: unknown[]; object?: unknown }[];
  };
};

describe('a Table', () => {
  it('shows name and age of a kind that has no columns', () => {
    const { columnDefinitions, rows, metadata } = table('None');
    expect(columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'Age']);
    expect(rows).toEqual([{ cells: ['a "quoted" name', '5m30s'] }]);
    expect(metadata).toEqual({ resourceVersion: '8', continue: 'more' });
  });

  it('carries metadata or the whole object where asked', () => {
    expect(table('Metadata').rows[0]?.object).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: object.metadata,
    });
    expect(table('Object', 3).rows.map((row) => row.object)).toEqual([object, object, object]);
  });

  it('of nothing has columns and no rows', () => {
    expect(table('Object', 0)).toMatchObject({ rows: [] });
  });
});
