import { describe, expect, it } from 'vitest';
import { jsonPatch } from '../../../../src/apiserver/patch/json-patch.js';
import { mergePatch } from '../../../../src/apiserver/patch/merge-patch.js';
import { strategicMergePatch } from '../../../../src/apiserver/patch/strategic-merge-patch.js';
import { deployments } from '../../../../src/resources/kinds/deployments.js';
import { pods } from '../../../../src/resources/kinds/pods.js';

const containers = (...list: object[]) => ({ spec: { containers: list } });

describe('a strategic merge patch', () => {
  it.each([
    [
      'merges containers by name',
      containers({ name: 'a', image: 'a:1' }, { name: 'b', image: 'b:1' }),
      containers({ name: 'b', image: 'b:2' }),
      containers({ name: 'a', image: 'a:1' }, { name: 'b', image: 'b:2' }),
    ],
    [
      'puts an element with a new key before those of the server',
      containers({ name: 'a', image: 'a:1' }),
      containers({ name: 'c', image: 'c:1' }),
      containers({ name: 'c', image: 'c:1' }, { name: 'a', image: 'a:1' }),
    ],
    [
      'deletes the element that $patch: delete names',
      containers({ name: 'a' }, { name: 'b' }),
      containers({ name: 'a', $patch: 'delete' }),
      containers({ name: 'b' }),
    ],
    [
      'replaces a list with $patch: replace',
      containers({ name: 'a' }, { name: 'b' }),
      containers({ $patch: 'replace' }, { name: 'c' }),
      containers({ name: 'c' }),
    ],
    [
      'merges environment variables by name and ports by containerPort',
      containers({
        name: 'a',
        env: [{ name: 'X', value: '1' }],
        ports: [{ containerPort: 80, name: 'http' }],
      }),
      containers({
        name: 'a',
        env: [{ name: 'Y', value: '2' }],
        ports: [{ containerPort: 80, name: 'web' }],
      }),
      containers({
        name: 'a',
        env: [
          { name: 'Y', value: '2' },
          { name: 'X', value: '1' },
        ],
        ports: [{ containerPort: 80, name: 'web' }],
      }),
    ],
    [
      'replaces lists without a merge key',
      containers({ name: 'a', args: ['x', 'y'] }),
      containers({ name: 'a', args: ['z'] }),
      containers({ name: 'a', args: ['z'] }),
    ],
    [
      'unites primitive lists that merge',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { finalizers: ['b', 'c'] } },
      { metadata: { finalizers: ['a', 'b', 'c'] } },
    ],
    [
      'takes values out of a primitive list',
      { metadata: { finalizers: ['a', 'b', 'c'] } },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['b'] } },
      { metadata: { finalizers: ['a', 'c'] } },
    ],
    [
      'deletes a field with null',
      { metadata: { labels: { a: '1', b: '2' } } },
      { metadata: { labels: { a: null } } },
      { metadata: { labels: { b: '2' } } },
    ],
    [
      'orders elements as asked and keeps those of the server in place',
      containers({ name: 'a' }, { name: 'server' }, { name: 'b' }),
      {
        spec: {
          '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
          containers: [{ name: 'b', image: 'x' }],
        },
      },
      containers({ name: 'server' }, { name: 'b', image: 'x' }, { name: 'a' }),
    ],
    [
      'keeps only retained keys of a volume whose source changes',
      { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
      { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] } },
      { spec: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] } },
    ],
    [
      'replaces an object with $patch: replace',
      { spec: { securityContext: { runAsUser: 1, runAsGroup: 2 } } },
      { spec: { securityContext: { $patch: 'replace', runAsUser: 3 } } },
      { spec: { securityContext: { runAsUser: 3 } } },
    ],
  ])('%s', (_, document, patch, expected) => {
    const before = structuredClone(document);
    expect(strategicMergePatch(pods, document, patch)).toEqual(expected);
    expect(document).toEqual(before);
  });

  it('keeps only retained keys of a deployment strategy', () => {
    const document = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } };
    const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } };
    expect(strategicMergePatch(deployments, document, patch)).toEqual({
      spec: { strategy: { type: 'Recreate' } },
    });
  });

  it('names the merge key that an element lacks', () => {
    expect(() => strategicMergePatch(pods, containers({ name: 'a' }), containers({ image: 'x' }))).toThrow(
      /does not contain the declared merge key name/,
    );
  });

  it('does not touch prototypes', () => {
    const patch: unknown = JSON.parse('{"metadata":{"labels":{"__proto__":{"polluted":"yes"}}}}');
    strategicMergePatch(pods, { metadata: { labels: { a: 'b' } } }, patch);
    mergePatch({ metadata: { labels: { a: 'b' } } }, patch);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

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
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (document, patch, expected) => {
    expect(mergePatch(document, patch)).toEqual(expected);
  });
});

describe('a JSON patch', () => {
  it('leaves the document alone and gives a new one', () => {
    const document = { a: [1, 2], b: { c: 1 } };
    expect(
      jsonPatch(document, [
        { op: 'test', path: '/b/c', value: 1 },
        { op: 'add', path: '/a/-', value: 3 },
        { op: 'remove', path: '/b/c' },
        { op: 'copy', from: '/a/0', path: '/d' },
        { op: 'replace', path: '/a/1', value: 9 },
      ]),
    ).toEqual({ a: [1, 9, 3], b: {}, d: 1 });
    expect(document).toEqual({ a: [1, 2], b: { c: 1 } });
  });

  it.each([
    [[{ op: 'test', path: '/a', value: 2 }], 'Invalid'],
    [[{ op: 'remove', path: '/absent' }], 'Invalid'],
    [[{ op: 'replace', path: '/x/y', value: 1 }], 'Invalid'],
    [[{ op: 'add', path: '/__proto__/polluted', value: 1 }], 'Invalid'],
    [['nonsense'], 'BadRequest'],
    [[{ op: 'add' }], 'BadRequest'],
    [Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 })), 'RequestEntityTooLarge'],
  ])('that does not fit is refused: %.80j', (operations, code) => {
    expect(() => jsonPatch({ a: 1 }, operations)).toThrow(expect.objectContaining({ code }) as Error);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
