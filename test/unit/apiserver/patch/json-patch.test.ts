import fastJsonPatch, { type Operation } from 'fast-json-patch';
import { describe, expect, it } from 'vitest';
import { jsonPatch } from '../../../../src/apiserver/patch/json-patch.js';
import { ClusterError } from '../../../../src/base/errors.js';
import { createRandom, seeds, type Random } from '../../../contract/random.js';
import { refusal } from './ownership.js';

const json = (text: string): unknown => JSON.parse(text);

describe('a JSON patch (the examples of RFC 6902, appendix A)', () => {
  it.each<[string, unknown, unknown[], unknown]>([
    [
      'A.1 adds a member',
      { foo: 'bar' },
      [{ op: 'add', path: '/baz', value: 'qux' }],
      { baz: 'qux', foo: 'bar' },
    ],
    [
      'A.2 adds an element',
      { foo: ['bar', 'baz'] },
      [{ op: 'add', path: '/foo/1', value: 'qux' }],
      { foo: ['bar', 'qux', 'baz'] },
    ],
    ['A.3 removes a member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    [
      'A.4 removes an element',
      { foo: ['a', 'b', 'c'] },
      [{ op: 'remove', path: '/foo/1' }],
      { foo: ['a', 'c'] },
    ],
    [
      'A.5 replaces a value',
      { baz: 'qux', foo: 'bar' },
      [{ op: 'replace', path: '/baz', value: 'boo' }],
      { baz: 'boo', foo: 'bar' },
    ],
    [
      'A.6 moves a value',
      { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
      [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
      { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
    ],
    [
      'A.7 moves an element',
      { foo: ['all', 'grass', 'cows', 'eat'] },
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    [
      'A.8 tests values',
      { baz: 'qux', foo: ['a', 2, 'c'] },
      [
        { op: 'test', path: '/baz', value: 'qux' },
        { op: 'test', path: '/foo/1', value: 2 },
      ],
      { baz: 'qux', foo: ['a', 2, 'c'] },
    ],
    [
      'A.10 adds a nested object',
      { foo: 'bar' },
      [{ op: 'add', path: '/child', value: { grandchild: {} } }],
      { foo: 'bar', child: { grandchild: {} } },
    ],
    [
      'A.11 ignores unknown members of an operation',
      { foo: 'bar' },
      [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }],
      { foo: 'bar', baz: 'qux' },
    ],
    [
      'A.14 unescapes ~ and /',
      { '/': 9, '~1': 10 },
      [
        { op: 'test', path: '/~01', value: 10 },
        { op: 'test', path: '/~1', value: 9 },
      ],
      { '/': 9, '~1': 10 },
    ],
    [
      'A.16 appends',
      { foo: ['bar'] },
      [{ op: 'add', path: '/foo/-', value: ['x'] }],
      { foo: ['bar', ['x']] },
    ],
    ['the root is replaced', { a: 1 }, [{ op: 'replace', path: '', value: [1] }], [1]],
    [
      'an empty name is a name',
      { '': { '': 1 } },
      [{ op: 'replace', path: '//', value: 2 }],
      { '': { '': 2 } },
    ],
    ['adding replaces a member', { a: 1 }, [{ op: 'add', path: '/a', value: null }], { a: null }],
    ['null is a value to test', { a: null }, [{ op: 'test', path: '/a', value: null }], { a: null }],
    [
      'order of members is none',
      { a: { b: 1, c: 2 } },
      [{ op: 'test', path: '/a', value: { c: 2, b: 1 } }],
      { a: { b: 1, c: 2 } },
    ],
    ['moving onto itself changes nothing', { a: 1 }, [{ op: 'move', from: '/a', path: '/a' }], { a: 1 }],
    [
      'a copy is one of its own',
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'replace', path: '/c/b', value: 2 },
      ],
      { a: { b: 1 }, c: { b: 2 } },
    ],
  ])('%s', (_, document, operations, expected) => {
    const before = structuredClone(document);
    expect(jsonPatch(document, operations)).toEqual(expected);
    expect(document).toEqual(before);
  });

  it('shares with the old document what it does not change', () => {
    const document = { spec: { template: { a: 1 } }, metadata: { labels: { a: 'b' } } };
    const patched = jsonPatch(document, [{ op: 'add', path: '/metadata/labels/c', value: 'd' }]);
    expect((patched as typeof document).spec).toBe(document.spec);
    expect(document.metadata.labels).toEqual({ a: 'b' });
  });
});

describe('a JSON patch that does not fit the document', () => {
  const document = { a: 1, list: [1, 2], object: { b: 2 } };

  it.each<[string, unknown, string]>([
    ['a test that fails (A.9)', { op: 'test', path: '/a', value: 2 }, 'testing value /a failed: test failed'],
    ['a test of text against a number (A.15)', { op: 'test', path: '/a', value: '1' }, 'test failed'],
    [
      'adding below what is not there (A.12)',
      { op: 'add', path: '/x/y', value: 1 },
      'add operation does not apply: doc is missing path: /x/y',
    ],
    ['adding below a value', { op: 'add', path: '/a/b', value: 1 }, 'doc is missing path'],
    ['removing what is not there', { op: 'remove', path: '/x' }, 'remove operation does not apply'],
    [
      'replacing what is not there',
      { op: 'replace', path: '/x', value: 1 },
      'replace operation does not apply',
    ],
    ['moving what is not there', { op: 'move', from: '/x', path: '/y' }, 'move operation does not apply'],
    ['copying what is not there', { op: 'copy', from: '/x', path: '/y' }, 'copy operation does not apply'],
    [
      'moving into itself',
      { op: 'move', from: '/object', path: '/object/b' },
      'cannot move /object into itself',
    ],
    ['an element beyond the end', { op: 'add', path: '/list/3', value: 1 }, '/list/3'],
    ['an element before the start', { op: 'replace', path: '/list/-1', value: 1 }, '/list/-1'],
    ['an index with a leading zero', { op: 'replace', path: '/list/01', value: 1 }, '/list/01'],
    ['an index that is no number', { op: 'remove', path: '/list/1e0' }, '/list/1e0'],
    ['an empty index', { op: 'remove', path: '/list/' }, '/list/'],
    ['removing behind the end', { op: 'remove', path: '/list/-' }, '/list/-'],
  ])('is Invalid: %s', (_, operation, message) => {
    const error = refusal(() => jsonPatch(document, [operation]));
    expect(error.code).toBe('Invalid');
    expect(error.message).toContain(`the server rejected our request due to an error in our request: `);
    expect(error.message).toContain(message);
  });

  it.each<[string, unknown]>([
    ['no operation', 'add'],
    ['no op', { path: '/a', value: 1 }],
    ['an unknown op', { op: 'merge', path: '/a', value: 1 }],
    ['an op of the language', { op: 'constructor', path: '/a' }],
    ['an op of the library', { op: '_get', path: '/a' }],
    ['no path', { op: 'remove' }],
    ['a path without a slash (A.13 among others)', { op: 'remove', path: 'a' }],
    ['a path with a lonely tilde', { op: 'remove', path: '/a~2' }],
    ['no value', { op: 'add', path: '/a' }],
    ['no source', { op: 'copy', path: '/a' }],
  ])('is a bad request when it is no patch: %s', (_, operation) => {
    expect(refusal(() => jsonPatch(document, [operation])).code).toBe('BadRequest');
  });

  it('is refused when it is too long', () => {
    const operation = { op: 'test', path: '/a', value: 1 };
    expect(jsonPatch(document, new Array(10_000).fill(operation))).toBe(document);
    expect(refusal(() => jsonPatch(document, new Array(10_001).fill(operation))).code).toBe(
      'RequestEntityTooLarge',
    );
  });

  it('is refused when its copies double without end', () => {
    const doubling = Array.from({ length: 60 }, (_, n) => ({ op: 'copy', from: '', path: `/c${String(n)}` }));
    const began = performance.now();
    expect(refusal(() => jsonPatch({ a: 'x'.repeat(100) }, doubling)).code).toBe('RequestEntityTooLarge');
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe('hostile names in a JSON patch', () => {
  it.each(['add', 'replace', 'remove', 'test'])('%s never reaches a prototype', (op) => {
    for (const path of [
      '/__proto__/polluted',
      '/constructor/prototype/polluted',
      '/a/__proto__/polluted',
      '/toString/polluted',
      '/list/constructor/prototype/polluted',
      '/list/length',
    ])
      expect(() => jsonPatch({ a: {}, list: [] }, [{ op, path, value: 'yes' }])).toThrow(ClusterError);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('reads only what the document itself has', () => {
    for (const from of ['/constructor', '/constructor/name', '/__proto__', '/list/length'])
      expect(() => jsonPatch({ list: [] }, [{ op: 'copy', from, path: '/x' }])).toThrow(ClusterError);
    expect(() => jsonPatch({}, [{ op: 'remove', path: '/toString' }])).toThrow(ClusterError);
  });

  it('makes members of any name', () => {
    const patched = jsonPatch({ data: {} }, [
      { op: 'add', path: '/data/__proto__', value: 'x' },
      { op: 'add', path: '/data/constructor', value: 'y' },
    ]) as { data: object };
    expect(JSON.stringify(patched)).toBe('{"data":{"__proto__":"x","constructor":"y"}}');
    expect(Object.getPrototypeOf(patched.data)).toBe(Object.prototype);
    expect(
      JSON.stringify(
        jsonPatch(json('{"data":{"__proto__":"x"}}'), [{ op: 'remove', path: '/data/__proto__' }]),
      ),
    ).toBe('{"data":{}}');
  });
});

const randomValue = (random: Random, depth: number): unknown => {
  const kind = random.integer(depth === 0 ? 2 : 4);
  if (kind === 0) return random.integer(3);
  if (kind === 1) return random.pick(['x', 'y', null, true]);
  const values = Array.from({ length: random.integer(4) }, () => randomValue(random, depth - 1));
  return kind === 2
    ? values
    : Object.fromEntries(values.map((value) => [random.pick(['a', 'b', 'c~/']), value]));
};

const randomOperation = (random: Random): Operation => {
  const pointer = (): string =>
    Array.from(
      { length: 1 + random.integer(3) },
      () => `/${random.pick(['a', 'b', 'c~0~1', '0', '1', '2', '-'])}`,
    ).join('');
  const op = random.pick(['add', 'remove', 'replace', 'move', 'copy', 'test'] as const);
  // Into a list the library moves and copies beyond the end, which the RFC forbids: only members are targets here.
  if (op === 'move' || op === 'copy')
    return { op, from: pointer(), path: `${random.pick(['', '/a', '/b'])}/d` };
  return op === 'remove' ? { op, path: pointer() } : { op, path: pointer(), value: randomValue(random, 1) };
};

/** What the reference says, or undefined where it refuses. */
const reference = (
  document: unknown,
  operations: readonly Operation[],
): { readonly is: unknown } | undefined => {
  try {
    const { newDocument } = fastJsonPatch.applyPatch(
      structuredClone(document),
      structuredClone([...operations]),
      true,
    );
    return { is: newDocument };
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
};

const ours = (document: unknown, operations: readonly Operation[]): { readonly is: unknown } | undefined => {
  try {
    return { is: jsonPatch(document, operations) };
  } catch (error) {
    if (error instanceof ClusterError) return undefined;
    throw error;
  }
};

describe.each(seeds([1, 2, 3]))('random JSON patches, seed %i', (seed) => {
  it('do what fast-json-patch does', () => {
    const random = createRandom(seed);
    let applied = 0;
    for (let round = 0; round < 2000; round += 1) {
      const document = { a: randomValue(random, 3), b: randomValue(random, 3), 'c~/': [1] };
      const operations = Array.from({ length: 1 + random.integer(3) }, () => randomOperation(random));
      const before = structuredClone(document);
      const result = ours(document, operations);
      expect(document).toEqual(before);
      const expected = reference(document, operations);
      expect(result, JSON.stringify({ document, operations })).toEqual(expected);
      if (result !== undefined) applied += 1;
    }
    expect(applied).toBeGreaterThan(80);
  });
});
