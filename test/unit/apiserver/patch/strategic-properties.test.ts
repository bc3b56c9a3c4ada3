import { describe, expect, it } from 'vitest';
import { strategicMergePatch } from '../../../../src/apiserver/patch/strategic-merge-patch.js';
import { isObject } from '../../../../src/base/json.js';
import { deployments } from '../../../../src/resources/kinds/deployments.js';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { schemaOf } from '../../../../src/resources/schema-node.js';
import { createRandom, seeds, type Random } from '../../../contract/random.js';
import { randomPod } from './random-pod.js';
import { diff } from './strategic-diff.js';

type Members = Readonly<Record<string, unknown>>;

const sources = [
  { emptyDir: {} },
  { emptyDir: { medium: 'Memory' } },
  { configMap: { name: 'c' } },
  { hostPath: { path: '/x' } },
];

const randomObject = (random: Random): Members => {
  const pod = randomPod(random) as { spec?: object };
  const volumes = ['v', 'w']
    .filter(() => random.chance(0.6))
    .map((name) => ({ name, ...random.pick(sources) }));
  return { ...pod, spec: { ...pod.spec, ...(volumes.length > 0 ? { volumes } : {}) } };
};

const randomDeployment = (random: Random): Members => ({
  metadata: { name: 'web' },
  spec: {
    ...random.pick([
      { strategy: { type: 'Recreate' } },
      { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: random.integer(3) } } },
    ]),
    template: { spec: (randomPod(random) as { spec?: object }).spec ?? {} },
  },
});

/** Directives that are left over would be stored as fields. */
const directivesIn = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap(directivesIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => [
    ...(name.startsWith('$') ? [name] : []),
    ...directivesIn(member),
  ]);
};

/** Lists that became empty are left as such, where the target leaves them out. */
const withoutEmptyLists = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutEmptyLists);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !Array.isArray(member) || member.length > 0)
      .map(([name, member]) => [name, withoutEmptyLists(member)]),
  );
};

describe.each(seeds([1, 2, 3]))('the strategic merge patches that kubectl computes, seed %i', (seed) => {
  it.each([
    ['pods', pods, randomObject],
    ['deployments', deployments, randomDeployment],
  ] as const)('lead random %s to the target, elements in order, and again to the same', (_, kind, make) => {
    const random = createRandom(seed);
    for (let round = 0; round < 400; round += 1) {
      const [from, to] = [make(random), make(random)];
      const patch = diff(schemaOf(kind), from, to);
      const before = structuredClone({ from, patch });
      const patched = strategicMergePatch(kind, from, patch);
      expect(withoutEmptyLists(patched), JSON.stringify({ from, patch })).toEqual(to);
      expect(directivesIn(patched)).toEqual([]);
      expect(strategicMergePatch(kind, patched, patch)).toEqual(patched);
      expect({ from, patch }).toEqual(before);
    }
  });

  it('keep what the server added meanwhile', () => {
    const random = createRandom(seed + 50);
    const sidecar = { name: 'injected', image: 's:1' };
    for (let round = 0; round < 400; round += 1) {
      const [from, to] = [randomObject(random), randomObject(random)];
      const spec = from['spec'] as { containers?: readonly object[] };
      const live = {
        ...from,
        status: { phase: 'Running' },
        spec: { ...spec, containers: [...(spec.containers ?? []), sidecar] },
      };
      if ((to['spec'] as { containers?: unknown }).containers === undefined) continue;
      const patched = strategicMergePatch(pods, live, diff(schemaOf(pods), from, to)) as typeof live;
      expect(patched.status).toEqual({ phase: 'Running' });
      expect(patched.spec.containers).toContainEqual(sidecar);
      const own = patched.spec.containers.filter((container) => container !== sidecar);
      expect(own).toEqual((to['spec'] as typeof spec).containers);
    }
  });

  it('lead from nothing to the target', () => {
    const random = createRandom(seed + 100);
    for (let round = 0; round < 200; round += 1) {
      const to = randomObject(random);
      expect(strategicMergePatch(pods, {}, to)).toEqual(to);
      expect(strategicMergePatch(pods, to, {})).toEqual(to);
    }
  });
});
