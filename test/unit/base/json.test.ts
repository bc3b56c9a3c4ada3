import { describe, expect, it } from 'vitest';
import { canonical, equal, freeze, isObject } from '../../../src/base/json.js';
import { createRandom, seeds, type Random } from '../../contract/random.js';

const parsed = (text: string): unknown => JSON.parse(text);

describe('the equality of JSON values', () => {
  it.each<[unknown, unknown]>([
    [1, 1],
    ['a', 'a'],
    [null, null],
    [{}, {}],
    [[], []],
    [
      { a: 1, b: [{ c: null }] },
      { b: [{ c: null }], a: 1 },
    ],
    [{ a: undefined }, {}],
    [{ a: 1 }, { a: 1, b: undefined }],
  ])('%j is %j', (a, b) => {
    expect(equal(a, b)).toBe(true);
    expect(equal(b, a)).toBe(true);
  });

  it.each<[unknown, unknown]>([
    [1, '1'],
    [0, false],
    [null, undefined],
    [null, {}],
    [{}, []],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], [1, 2]],
    [{ a: null }, {}],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: { b: 1 } }, { a: { b: 2 } }],
  ])('%j is not %j', (a, b) => {
    expect(equal(a, b)).toBe(false);
    expect(equal(b, a)).toBe(false);
  });

  it.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])(
    'counts a member named %s like any other',
    (name) => {
      const value = parsed(`{${JSON.stringify(name)}:"x"}`);
      expect(equal({}, value)).toBe(false);
      expect(equal(value, {})).toBe(false);
      expect(equal(value, parsed(`{${JSON.stringify(name)}:"x"}`))).toBe(true);
    },
  );
});

describe('freezing', () => {
  it('reaches every level and gives back the same value', () => {
    const value = { a: [{ b: { c: 1 } }], d: null };
    expect(freeze(value)).toBe(value);
    expect(Object.isFrozen(value.a)).toBe(true);
    expect(Object.isFrozen(value.a[0]?.b)).toBe(true);
    expect(() => {
      value.a.push({ b: { c: 2 } });
    }).toThrow(TypeError);
  });
});

const randomJson = (random: Random, depth: number): unknown => {
  const kind = random.integer(depth === 0 ? 4 : 6);
  if (kind === 0) return random.pick([null, true, false]);
  if (kind === 1) return random.integer(1000) - 500;
  if (kind < 4) return random.pick(['', 'a', 'ü', '"\\', '\u2028', 'constructor']);
  const items = Array.from({ length: random.integer(4) }, () => randomJson(random, depth - 1));
  if (kind === 4) return items;
  return Object.fromEntries(items.map((item) => [random.pick(['a', 'b', 'c', 'toString']), item]));
};

/** The same value with its members in another order. */
const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, shuffled(member)]),
  );
};

describe('canonical text', () => {
  it('sorts keys and leaves out what is undefined', () => {
    expect(canonical({ b: 1, a: [{ d: undefined, c: 'x' }] })).toBe('{"a":[{"c":"x"}],"b":1}');
    expect(canonical([undefined, null])).toBe('[null,null]');
  });

  it.each(seeds([1, 2, 3]))('is the same exactly for equal values, seed %i', (seed) => {
    const random = createRandom(seed);
    for (let round = 0; round < 500; round += 1) {
      const a = randomJson(random, 3);
      const b = random.chance(0.5) ? shuffled(a) : randomJson(random, 3);
      expect(equal(a, b)).toBe(canonical(a) === canonical(b));
      expect(equal(a, JSON.parse(canonical(a)))).toBe(true);
    }
  });
});
