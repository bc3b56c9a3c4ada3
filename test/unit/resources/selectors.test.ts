import { describe, expect, it } from 'vitest';
import { ClusterError } from '../../../src/base/errors.js';
import {
  checkFieldSelector,
  matchesFields,
  parseFieldSelector,
} from '../../../src/resources/field-selector.js';
import { defineKind } from '../../../src/resources/kind.js';
import {
  formatLabelSelector,
  formatRequirements,
  matches,
  parseLabelSelector,
  requirementsOf,
  selects,
  selectsByMap,
} from '../../../src/resources/label-selector.js';
import type { Resource } from '../../../src/resources/resource.js';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ClusterError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no error';
};

describe('label selectors in queries', () => {
  it.each([
    ['', {}, true],
    ['app=web', { app: 'web' }, true],
    ['app==web', { app: 'web' }, true],
    ['app=web', { app: 'db' }, false],
    ['app!=web', {}, true],
    ['app!=web', { app: 'web' }, false],
    ['app', { app: '' }, true],
    ['!app', { app: '' }, false],
    ['!app', {}, true],
    [' app in ( web , db ) , tier notin (x)', { app: 'db' }, true],
    ['tier notin (x,y)', { tier: 'y' }, false],
    ['size>3', { size: '10' }, true],
    ['size<3', { size: '10' }, false],
    ['size>3', { size: 'big' }, false],
    ['app=', { app: '' }, true],
    ['app in (web,)', { app: '' }, true],
    ['example.com/app=web,in=notin', { 'example.com/app': 'web', in: 'notin' }, true],
    ['toString', {}, false],
  ])('%j on %j: %s', (text, labels, expected) => {
    expect(matches(parseLabelSelector(text), labels)).toBe(expected);
  });

  it.each([
    ['a=b,', "expected: identifier after ','"],
    ['a b', "found 'b', expected: in, notin"],
    ['a in b', "found 'b', expected: '('"],
    ['a in (b', "found '', expected: ')'"],
    ['=b', "found '=', expected: identifier"],
    ['a=b c', "found 'c', expected: ','"],
    ['a>x', 'must be an integer'],
    ['-a=b', 'name part must consist of'],
    ['a=_', 'a valid label must be an empty string'],
    ['a=(', "found '(', expected: identifier"],
    ['!', "found '', expected: identifier"],
  ])('%j is a bad request that says why', (text, why) => {
    const error = codeOf(() => parseLabelSelector(text));
    expect(error).toContain('BadRequest: unable to parse label selector');
    expect(error).toContain(why);
  });

  it('is written ordered by key and reads back the same', () => {
    const text = '!d,a=b,c in (x,y),e notin (z),f';
    expect(formatRequirements(parseLabelSelector('e!=z,c in (y,x),a==b,f,!d'))).toBe(
      'a=b,c in (x,y),!d,e notin (z),f',
    );
    expect(matches(parseLabelSelector(text), { a: 'b', c: 'y', f: '' })).toBe(true);
  });
});

describe('label selectors of objects', () => {
  it('require every label and every expression', () => {
    const selector = {
      matchLabels: { app: 'web' },
      matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['db'] }],
    };
    expect(selects(selector, { app: 'web' })).toBe(true);
    expect(selects(selector, { app: 'web', tier: 'db' })).toBe(false);
    expect(formatLabelSelector(selector)).toBe('app=web,tier notin (db)');
  });

  it('select nothing when absent and everything when empty', () => {
    expect(selects(undefined, { app: 'web' })).toBe(false);
    expect(selects({}, { app: 'web' })).toBe(true);
    expect(formatLabelSelector({})).toBe('<none>');
  });

  it('refuse an operator that does not exist', () => {
    expect(codeOf(() => requirementsOf({ matchExpressions: [{ key: 'a', operator: 'Like' }] }))).toBe(
      'BadRequest: "Like" is not a valid label selector operator',
    );
  });

  it('as plain maps select nothing when empty', () => {
    expect(selectsByMap({}, { a: 'b' })).toBe(false);
    expect(selectsByMap({ a: 'b' }, { a: 'b', c: 'd' })).toBe(true);
    expect(selectsByMap({ a: 'b' }, undefined)).toBe(false);
  });
});

describe('field selectors', () => {
  const kind = defineKind<Resource & { spec?: { node?: string } }>({
    group: '',
    version: 'v1',
    kind: 'Thing',
    plural: 'things',
    namespaced: true,
    definition: '',
    selectableFields: ({ spec }) => ({ 'spec.node': spec?.node ?? '' }),
  });
  const thing = {
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: { name: 'a', namespace: 'n', uid: '', resourceVersion: '', creationTimestamp: '' },
    spec: { node: 'x,y' },
  };

  it.each([
    ['', true],
    ['metadata.name=a', true],
    ['metadata.name==a,metadata.namespace=n', true],
    ['metadata.name!=a', false],
    ['spec.node=', false],
    ['spec.node!=', true],
    ['spec.node=x\\,y', true],
  ])('%j: %s', (text, expected) => {
    expect(matchesFields(kind, parseFieldSelector(text), thing)).toBe(expected);
  });

  it('refuses what it cannot read and fields that the kind does not have', () => {
    expect(codeOf(() => parseFieldSelector('metadata.name'))).toContain('is not of the form field=value');
    expect(codeOf(() => parseFieldSelector('a=b\\c'))).toContain('invalid escape');
    expect(codeOf(() => checkFieldSelector(kind, parseFieldSelector('spec.colour=red')))).toBe(
      'BadRequest: field label not supported: spec.colour: things can be selected by metadata.name, metadata.namespace, spec.node',
    );
    expect(codeOf(() => checkFieldSelector(kind, parseFieldSelector('spec.node=x')))).toBe('no error');
  });
});
