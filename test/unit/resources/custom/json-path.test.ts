import { describe, expect, it } from 'vitest';
import { findAll, parseJsonPath } from '../../../../src/resources/custom/json-path.js';
import { printerColumns } from '../../../../src/resources/custom/printer-columns.js';
import { gadget } from './definitions.js';

const object = {
  metadata: { annotations: { 'example.com/x': 'y' } },
  spec: {
    list: [
      { name: 'a', n: 1 },
      { name: 'b', n: 2 },
    ],
  },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Old', status: 'False' },
    ],
  },
};

describe('paths', () => {
  it.each([
    ['.spec.list[0].name', ['a']],
    ['.spec.list[*].name', ['a', 'b']],
    ['.spec.list[-1].n', [2]],
    ['.metadata.annotations.example\\.com/x', ['y']],
    [".metadata.annotations['example.com/x']", ['y']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    ['{.status.conditions[?(@.type!="Ready")].type}', ['Old']],
    ['.spec.none.more', []],
    ['.', [object]],
  ])('%s', (path, found) => {
    expect(findAll(parseJsonPath(path)!, object)).toEqual(found);
  });

  it.each(['spec', '.spec[', '.spec..a', '.a[?(x)]'])('%s is none', (path) => {
    expect(parseJsonPath(path)).toBeUndefined();
  });
});

describe('columns', () => {
  it('show what their paths name, by their type', () => {
    const columns = printerColumns([
      { name: 'N', type: 'integer', jsonPath: '.spec.n' },
      { name: 'Names', type: 'string', jsonPath: '.spec.names[*]' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', priority: 1 },
      { name: 'None', type: 'string', jsonPath: '.spec.x' },
    ]);
    const now = Date.parse('2025-01-01T00:01:00Z');
    expect(columns.map(({ cell }) => cell(gadget({ n: 4, names: ['a', 'b'] }), now))).toEqual([
      'a',
      4,
      'a,b',
      '60s',
      null,
    ]);
    expect(columns.map(({ priority }) => priority)).toEqual([0, 0, 0, 1, 0]);
  });

  it('are the name and the age where nothing is asked for', () => {
    expect(printerColumns(undefined).map(({ name }) => name)).toEqual(['Name', 'Age']);
  });
});
