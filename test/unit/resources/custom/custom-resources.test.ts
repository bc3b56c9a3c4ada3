import { describe, expect, it } from 'vitest';
import type { Kind } from '../../../../src/resources/kind.js';
import { checkSchema, prune } from '../../../../src/resources/schema.js';
import { gadget, kindWith } from './definitions.js';

const accept = (kind: Kind, spec: unknown) => {
  const object = kind.defaulted(prune(kind, gadget(spec)));
  return (object as unknown as { spec: unknown }).spec;
};

const sentences = (kind: Kind, spec: unknown, old?: unknown): readonly string[] =>
  kind
    .validate(kind.defaulted(prune(kind, gadget(spec))), old === undefined ? undefined : gadget(old))
    .map(({ field, message }) => `${field}: ${message}`);

const number = { type: 'integer' };
const string = { type: 'string' };

describe('pruning and defaulting', () => {
  const kind = kindWith({
    properties: {
      size: { ...number, default: 3 },
      note: { ...string, nullable: true },
      open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: string } },
      map: { type: 'object', additionalProperties: { type: 'object', properties: { a: string } } },
      nested: { type: 'object', default: {}, properties: { deep: { type: 'boolean', default: true } } },
      list: { type: 'array', items: { type: 'object', properties: { x: { ...number, default: 1 } } } },
    },
  });

  it('drops what the schema does not know, and says where it was', () => {
    expect(accept(kind, { other: 1, map: { k: { a: 'x', b: 1 } } })).toEqual({
      size: 3,
      nested: { deep: true },
      map: { k: { a: 'x' } },
    });
    expect(checkSchema(kind, gadget({ other: 1, map: { k: { b: 1 } } })).unknown).toEqual([
      'spec.other',
      'spec.map[k].b',
    ]);
  });

  it('keeps unknown fields where the schema says so', () => {
    expect(accept(kind, { open: { known: 'a', other: { x: [1] } } })).toMatchObject({
      open: { known: 'a', other: { x: [1] } },
    });
  });

  it('takes a null that may not be one for an absent field, and keeps one that may', () => {
    expect(accept(kind, { size: null, note: null })).toEqual({ size: 3, note: null, nested: { deep: true } });
  });

  it('fills in defaults in lists, and changes nothing the second time', () => {
    const once = accept(kind, { list: [{}, { x: 5 }] });
    expect(once).toMatchObject({ list: [{ x: 1 }, { x: 5 }] });
    const whole = gadget(once);
    expect(kind.defaulted(whole)).toBe(whole);
  });
});

describe('validation by the schema', () => {
  it.each([
    [
      { properties: { a: number } },
      { a: 'x' },
      'spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"',
    ],
    [{ required: ['a'], properties: { a: number } }, {}, 'spec.a: Required value'],
    [
      { properties: { a: { ...number, minimum: 1 } } },
      { a: 0 },
      'spec.a: Invalid value: 0: spec.a in body should be greater than or equal to 1',
    ],
    [
      { properties: { a: { ...string, enum: ['x', 'y'] } } },
      { a: 'z' },
      'spec.a: Unsupported value: "z": supported values: "x", "y"',
    ],
    [
      { properties: { a: { ...string, pattern: '^a+$' } } },
      { a: 'b' },
      'spec.a: Invalid value: "b": spec.a in body should match \'^a+$\'',
    ],
    [
      { properties: { a: { ...string, maxLength: 2 } } },
      { a: 'abc' },
      'spec.a: Too long: may not be more than 2 bytes',
    ],
    [
      { properties: { a: { ...string, format: 'date-time' } } },
      { a: 'now' },
      'spec.a: Invalid value: "now": spec.a in body must be of type date-time: "now"',
    ],
    [
      { properties: { a: { type: 'array', maxItems: 1, items: number } } },
      { a: [1, 2] },
      'spec.a: Too many: 2: must have at most 1 items',
    ],
    [
      { properties: { a: { type: 'array', 'x-kubernetes-list-type': 'set', items: string } } },
      { a: ['x', 'x'] },
      'spec.a[1]: Duplicate value: "x"',
    ],
    [
      { properties: { a: { 'x-kubernetes-int-or-string': true } } },
      { a: true },
      'spec.a: Invalid value: "boolean": spec.a in body must be of type integer,string: "boolean"',
    ],
  ])('of %j refuses %j', (schema, spec, sentence) => {
    expect(sentences(kindWith(schema), spec)).toEqual([sentence]);
  });

  it('takes an int or a string where either may stand', () => {
    const kind = kindWith({ properties: { a: { 'x-kubernetes-int-or-string': true } } });
    expect(sentences(kind, { a: 1 })).toEqual([]);
    expect(sentences(kind, { a: '10%' })).toEqual([]);
  });

  it('checks combinations', () => {
    const kind = kindWith({
      properties: { a: string, b: string },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    });
    expect(sentences(kind, { a: 'x' })).toEqual([]);
    expect(sentences(kind, { a: 'x', b: 'y' })[0]).toMatch(/one and only one schema \(oneOf\). Found 2/);
    expect(sentences(kind, {})[0]).toMatch(/Found none valid/);
  });

  it('lets what was wrong before stay as it was, and nothing else', () => {
    const kind = kindWith({ properties: { a: { ...number, maximum: 3 }, b: { ...number, maximum: 3 } } });
    expect(sentences(kind, { a: 9, b: 1 }, { a: 9 })).toEqual([]);
    expect(sentences(kind, { a: 9, b: 8 }, { a: 9 })).toHaveLength(1);
  });
});

describe('rules', () => {
  const kind = kindWith({
    properties: {
      least: number,
      most: number,
      names: { type: 'array', items: string },
      fixed: {
        ...string,
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'it stays as it is' }],
      },
      ports: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: {
          type: 'object',
          required: ['name'],
          properties: { name: string, port: number },
          'x-kubernetes-validations': [
            { rule: 'self.port >= oldSelf.port', fieldPath: '.port', message: 'ports only grow' },
          ],
        },
      },
    },
    'x-kubernetes-validations': [
      {
        rule: '!has(self.most) || self.least <= self.most',
        messageExpression: "'least is ' + string(self.least)",
      },
      {
        rule: "!has(self.names) || self.names.all(n, n.matches('^[a-z]+$'))",
        message: 'names are small letters',
        reason: 'FieldValueForbidden',
      },
    ],
  });

  it('are asked of what fits the schema, and answer in their own words', () => {
    expect(sentences(kind, { least: 1, most: 2, names: ['ab'] })).toEqual([]);
    expect(sentences(kind, { least: 3, most: 2 })).toEqual(['spec: Invalid value: "object": least is 3']);
    expect(sentences(kind, { least: 1, names: ['A'] })).toEqual(['spec: Forbidden: names are small letters']);
  });

  it('about changes look at the value before, element by element where they have keys', () => {
    expect(sentences(kind, { least: 1, fixed: 'a' })).toEqual([]);
    expect(sentences(kind, { least: 1, fixed: 'b' }, { least: 1, fixed: 'a' })).toEqual([
      'spec.fixed: Invalid value: "string": it stays as it is',
    ]);
    const before = {
      least: 1,
      ports: [
        { name: 'x', port: 5 },
        { name: 'y', port: 7 },
      ],
    };
    expect(
      sentences(
        kind,
        {
          least: 1,
          ports: [
            { name: 'y', port: 8 },
            { name: 'x', port: 4 },
            { name: 'z', port: 1 },
          ],
        },
        before,
      ),
    ).toEqual(['spec.ports[1].port: Invalid value: "object": ports only grow']);
  });

  it('that would take too long are refused before they run', () => {
    const rule = 'self.a.all(x, self.a.all(y, self.a.all(z, x + y + z >= 0)))';
    const slow = kindWith({
      properties: { a: { type: 'array', items: number } },
      'x-kubernetes-validations': [{ rule }],
    });
    expect(sentences(slow, { a: Array.from({ length: 10 }, () => 1) })).toEqual([]);
    expect(sentences(slow, { a: Array.from({ length: 1000 }, () => 1) })[0]).toMatch(
      /it would take \d+ steps/,
    );
  });

  it('match regular expressions in linear time', () => {
    const evil = kindWith({
      properties: { a: { ...string, pattern: '^(a+)+$' } },
      'x-kubernetes-validations': [{ rule: "self.a.matches('^(a+)+$')" }],
    });
    expect(sentences(evil, { a: `${'a'.repeat(20_000)}!` })).toHaveLength(1);
  });

  it('know optional old values, quantities and escaped names', () => {
    const rules = [
      {
        rule: 'oldSelf.hasValue() ? self.size >= oldSelf.value().size : self.size == 1',
        optionalOldSelf: true,
        message: 'starts with 1',
      },
      { rule: "quantity(self.memory).isLessThan(quantity('1Gi'))", message: 'too much' },
      { rule: 'self.max__dash__count > 0', message: 'none' },
    ];
    const clever = kindWith({
      properties: { size: number, memory: string, 'max-count': number },
      'x-kubernetes-validations': rules,
    });
    const spec = { size: 1, memory: '512Mi', 'max-count': 1 };
    expect(sentences(clever, spec)).toEqual([]);
    expect(
      sentences(clever, { size: 2, memory: '2Gi', 'max-count': 0 }).map((one) => one.split(': ').at(-1)),
    ).toEqual(['starts with 1', 'too much', 'none']);
    expect(sentences(clever, { ...spec, size: 4 }, { ...spec, size: 3 })).toEqual([]);
  });
});
