import { describe, expect, it } from 'vitest';
import { mergePatch } from '../../../../src/apiserver/patch/merge-patch.js';
import { equal, isObject } from '../../../../src/base/json.js';
import { createRandom, seeds, type Random } from '../../../contract/random.js';

describe('a merge patch (the examples of RFC 7386)', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (document, patch, expected) => {
    const before = structuredClone(document);
    expect(mergePatch(document, patch)).toEqual(expected);
    expect(document).toEqual(before);
  });

  it('turns the example document of section 3 into its result', () => {
    const document = {
      title: 'Goodbye!',
      author: { givenName: 'John', familyName: 'Doe' },
      tags: ['example', 'sample'],
      content: 'This will be unchanged',
    };
    const patch = {
      title: 'Hello!',
      phoneNumber: '+01-123-456-7890',
      author: { familyName: null },
      tags: ['example'],
    };
    expect(mergePatch(document, patch)).toEqual({
      title: 'Hello!',
      author: { givenName: 'John' },
      tags: ['example'],
      content: 'This will be unchanged',
      phoneNumber: '+01-123-456-7890',
    });
  });
});

describe('hostile names in a merge patch', () => {
  it.each(['__proto__', 'constructor', 'toString'])('%s is a member like any other', (name) => {
    const patch: unknown = JSON.parse(`{${JSON.stringify(name)}:{"polluted":"yes"}}`);
    const merged = mergePatch({ a: 1 }, patch);
    expect(JSON.stringify(merged)).toBe(`{"a":1,${JSON.stringify(name)}:{"polluted":"yes"}}`);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    const removal: unknown = JSON.parse(`{${JSON.stringify(name)}:null}`);
    expect(JSON.stringify(mergePatch(merged, removal))).toBe('{"a":1}');
  });
});

const randomDocument = (random: Random, depth: number): unknown => {
  if (depth === 0 || random.chance(0.3)) return random.pick([1, 'x', true, [], [1, { a: 1 }]]);
  return Object.fromEntries(
    ['a', 'b', 'c'].filter(() => random.chance(0.6)).map((key) => [key, randomDocument(random, depth - 1)]),
  );
};

/** The smallest patch that leads from one to the other; documents have no nulls. */
const difference = (from: unknown, to: unknown): unknown => {
  if (!isObject(from) || !isObject(to)) return to;
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(from)) if (!(key in to)) patch[key] = null;
  for (const [key, value] of Object.entries(to))
    if (!equal(from[key], value)) patch[key] = difference(from[key], value);
  return patch;
};

describe.each(seeds([1, 2, 3]))('random merge patches, seed %i', (seed) => {
  it('lead to the target, again to the same, and an empty one nowhere', () => {
    const random = createRandom(seed);
    for (let round = 0; round < 2000; round += 1) {
      const from = { a: randomDocument(random, 3), b: randomDocument(random, 3) };
      const to = { a: randomDocument(random, 3), c: randomDocument(random, 3) };
      const patch = difference(from, to);
      const patched = mergePatch(from, patch);
      expect(patched).toEqual(to);
      expect(mergePatch(patched, patch)).toEqual(to);
      expect(mergePatch(from, {})).toEqual(from);
    }
  });
});
