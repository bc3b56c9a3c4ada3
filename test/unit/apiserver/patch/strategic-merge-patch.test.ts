import { describe, expect, it } from 'vitest';
import { strategicMergePatch } from '../../../../src/apiserver/patch/strategic-merge-patch.js';
import { deployments } from '../../../../src/resources/kinds/deployments.js';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { refusal } from './ownership.js';

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

  it.each([
    [
      'puts values that the patch adds to a primitive list before the others',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { finalizers: ['c', 'b'] } },
      { metadata: { finalizers: ['c', 'a', 'b'] } },
    ],
    [
      'merges values and orders them',
      { metadata: { finalizers: ['a', 'b', 'server'] } },
      {
        metadata: {
          '$setElementOrder/finalizers': ['c', 'b', 'a'],
          finalizers: ['c'],
        },
      },
      { metadata: { finalizers: ['c', 'b', 'a', 'server'] } },
    ],
    [
      'orders alone',
      containers({ name: 'a' }, { name: 'b' }),
      { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] } },
      containers({ name: 'b' }, { name: 'a' }),
    ],
    [
      'makes a list that was not there, in the order asked for',
      { spec: {} },
      {
        spec: {
          '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
          containers: [{ name: 'b' }, { name: 'a', $patch: 'delete' }],
        },
      },
      containers({ name: 'b' }),
    ],
    [
      'deletes an element by its key only',
      containers({ name: 'a', ports: [{ containerPort: 80 }, { containerPort: 81 }] }),
      containers({ name: 'a', ports: [{ $patch: 'delete', containerPort: 80 }] }),
      containers({ name: 'a', ports: [{ containerPort: 81 }] }),
    ],
    [
      'does not merge protocols of one port, unlike server-side apply',
      containers({ name: 'a', ports: [{ containerPort: 53, protocol: 'TCP' }] }),
      containers({ name: 'a', ports: [{ containerPort: 53, protocol: 'UDP' }] }),
      containers({ name: 'a', ports: [{ containerPort: 53, protocol: 'UDP' }] }),
    ],
    [
      'deletes an object with $patch: delete, and forgets one that was not there',
      { spec: { securityContext: { runAsUser: 1 }, hostname: 'h' } },
      {
        spec: {
          securityContext: { $patch: 'delete' },
          affinity: { $patch: 'delete' },
          dnsConfig: { $patch: 'replace', options: [{ name: 'x' }] },
        },
      },
      { spec: { securityContext: {}, hostname: 'h', dnsConfig: { options: [{ name: 'x' }] } } },
    ],
    [
      'merges an object with $patch: merge',
      { spec: { securityContext: { runAsUser: 1 } } },
      { spec: { securityContext: { $patch: 'merge', runAsGroup: 2 } } },
      { spec: { securityContext: { runAsUser: 1, runAsGroup: 2 } } },
    ],
    [
      'replaces tolerations as a whole and merges owners by uid',
      { metadata: { ownerReferences: [{ uid: 'u', name: 'a' }] }, spec: { tolerations: [{ key: 'a' }] } },
      { metadata: { ownerReferences: [{ uid: 'u', name: 'b' }] }, spec: { tolerations: [{ key: 'b' }] } },
      { metadata: { ownerReferences: [{ uid: 'u', name: 'b' }] }, spec: { tolerations: [{ key: 'b' }] } },
    ],
    [
      'leaves out nulls of what it adds',
      { spec: {} },
      containers({ name: 'a', image: null, env: [{ name: 'X', value: null }] }),
      containers({ name: 'a', env: [{ name: 'X' }] }),
    ],
    [
      'deletes a list with null',
      { spec: { containers: [], tolerations: [{ key: 'a' }] } },
      { spec: { tolerations: null, volumes: null } },
      { spec: { containers: [] } },
    ],
    [
      'leaves a list alone from which it deletes what is not there',
      { metadata: { finalizers: ['a'] } },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['b'], '$deleteFromPrimitiveList/x': ['b'] } },
      { metadata: { finalizers: ['a'] } },
    ],
  ])('%s', (_, document, patch, expected) => {
    const before = structuredClone(document);
    const sent: unknown = JSON.parse(JSON.stringify(patch));
    expect(strategicMergePatch(pods, document, sent)).toEqual(expected);
    expect(document).toEqual(before);
  });

  it.each<[string, unknown, RegExp]>([
    ['a patch that is no object', 'x', /must be an object/],
    ['an unknown directive', { spec: { $patch: 'append' } }, /unknown \$patch directive "append"/],
    ['an order that is no list', { spec: { '$setElementOrder/containers': 'a' } }, /must be a list, not "a"/],
    [
      'deletions that are no list',
      { metadata: { '$deleteFromPrimitiveList/finalizers': 'a' } },
      /must be a list/,
    ],
    [
      'elements in another order than the patch asks for',
      {
        spec: {
          '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }],
          containers: [{ name: 'b' }, { name: 'a' }],
        },
      },
      /do not stand in the order/,
    ],
    [
      'a field that the patch sets and does not retain',
      { spec: { volumes: [{ name: 'v', $retainKeys: ['name'], emptyDir: {} }] } },
      /emptyDir is missing/,
    ],
    ['objects in a list of values', { metadata: { finalizers: [{}] } }, /holds plain values/],
    ['values in a list of objects', { spec: { containers: ['a'] } }, /declared merge key name: "a"/],
    ['a deletion without a key', { spec: { containers: [{ $patch: 'delete' }] } }, /declared merge key name/],
  ])('refuses %s', (_, patch, message) => {
    const document = {
      metadata: { finalizers: ['x'] },
      spec: { containers: [{ name: 'a' }, { name: 'b' }], volumes: [{ name: 'v', emptyDir: {} }] },
    };
    expect(refusal(() => strategicMergePatch(pods, document, patch))).toMatchObject({
      code: 'BadRequest',
      message: expect.stringMatching(message) as string,
    });
  });

  it('merges maps and replaces lists of a kind whose schema is not known', () => {
    const kind = { definition: 'dev.example.v1.Thing' };
    const document = { spec: { a: 1, list: [1, 2], map: { x: 1 } } };
    const patch = { spec: { list: [3], map: { y: 2 } } };
    expect(strategicMergePatch(kind, document, patch)).toEqual({
      spec: { a: 1, list: [3], map: { x: 1, y: 2 } },
    });
  });

  it('shares with the object what the patch does not touch', () => {
    const document = containers({ name: 'a', env: [{ name: 'X' }] }, { name: 'b' });
    const patched = strategicMergePatch(pods, document, containers({ name: 'a', image: 'x' }));
    expect((patched as typeof document).spec.containers[1]).toBe(document.spec.containers[1]);
  });

  it('merges long lists in a time that grows with their length', () => {
    const env = (offset: number): object[] =>
      Array.from({ length: 20_000 }, (_, n) => ({ name: `V${String(n + offset)}`, value: 'x' }));
    const began = performance.now();
    strategicMergePatch(
      pods,
      containers({ name: 'a', env: env(0) }),
      containers({ name: 'a', env: env(10_000) }),
    );
    strategicMergePatch(
      pods,
      { metadata: { finalizers: env(0).map(String) } },
      { metadata: { finalizers: Array.from({ length: 20_000 }, (_, n) => `f/${String(n)}`) } },
    );
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it('names the merge key that an element lacks', () => {
    expect(() => strategicMergePatch(pods, containers({ name: 'a' }), containers({ image: 'x' }))).toThrow(
      /does not contain the declared merge key name/,
    );
  });

  it('does not touch prototypes', () => {
    const patch: unknown = JSON.parse('{"metadata":{"labels":{"__proto__":{"polluted":"yes"}}}}');
    strategicMergePatch(pods, { metadata: { labels: { a: 'b' } } }, patch);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
