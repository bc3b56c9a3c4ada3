import { describe, expect, it } from 'vitest';
import { columnsOf, humanDuration, tableChunks } from '../../../src/apiserver/tables.js';
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

describe('an age', () => {
  it.each([
    [-5, '<invalid>'],
    [-1, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [200, '3m20s'],
    [599, '9m59s'],
    [600, '10m'],
    [3 * 3600 - 1, '179m'],
    [3 * 3600, '3h'],
    [5 * 3600 + 125, '5h2m'],
    [8 * 3600, '8h'],
    [48 * 3600 - 1, '47h'],
    [50 * 3600, '2d2h'],
    [8 * 86400, '8d'],
    [729 * 86400, '729d'],
    [2 * 365 * 86400, '2y'],
    [(2 * 365 + 30) * 86400, '2y30d'],
    [9 * 365 * 86400 + 86400, '9y'],
  ])('of %i s reads %s', (seconds, text) => {
    expect(humanDuration(seconds)).toBe(text);
  });
});
