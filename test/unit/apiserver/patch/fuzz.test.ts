import { describe, expect, it } from 'vitest';
import { isFieldSet } from '../../../../src/apiserver/patch/field-set.js';
import { jsonPatch } from '../../../../src/apiserver/patch/json-patch.js';
import { mergePatch } from '../../../../src/apiserver/patch/merge-patch.js';
import { strategicMergePatch } from '../../../../src/apiserver/patch/strategic-merge-patch.js';
import { ClusterError } from '../../../../src/base/errors.js';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { createRandom, seeds, type Random } from '../../../contract/random.js';
import { apply, entries, update, type Live } from './ownership.js';
import { randomPod } from './random-pod.js';

/** For each kind of input; long enough for some thousand of them. */
const milliseconds = 500;

const names = [
  ...['metadata', 'spec', 'status', 'containers', 'name', 'env', 'labels', 'finalizers', 'uid', 'apiVersion'],
  ...['$patch', '$retainKeys', '$setElementOrder/containers', '$deleteFromPrimitiveList/finalizers', '$', ''],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'length',
    '.',
    'f:spec',
    'op',
    'path',
  ],
];
const texts = [
  '',
  'a',
  '/',
  '/spec/containers/0',
  '/metadata/__proto__/x',
  '/~2',
  'delete',
  'replace',
  '\u0000',
  '\ud800',
];

const randomValue = (random: Random, depth: number): unknown => {
  const kind = random.integer(depth === 0 ? 3 : 6);
  if (kind === 0) return random.pick([null, true, 0, -1, 1e308, 0.1]);
  if (kind < 3) return random.pick(texts);
  const values = Array.from({ length: random.integer(4) }, () => randomValue(random, depth - 1));
  return kind === 3 ? values : objectOf(values.map((value) => [random.pick(names), value]));
};

/** As JSON.parse makes them: `__proto__` is a member. */
const objectOf = (members: readonly (readonly [string, unknown])[]): object => Object.fromEntries(members);

/** A real pod in which something anywhere was replaced, taken away or added. */
const mutated = (random: Random, value: unknown): unknown => {
  if (random.chance(0.08)) return randomValue(random, 3);
  if (Array.isArray(value)) {
    const items = value.map((item) => mutated(random, item));
    return random.chance(0.1) ? [...items, ...items, randomValue(random, 2)] : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value)
    .filter(() => random.chance(0.97))
    .map(([name, member]): [string, unknown] => [name, mutated(random, member)]);
  return objectOf(random.chance(0.1) ? [...members, [random.pick(names), randomValue(random, 2)]] : members);
};

const operationNames = ['add', 'remove', 'replace', 'move', 'copy', 'test'];
const steps = [
  '',
  'spec',
  'containers',
  '0',
  '-',
  '01',
  'metadata',
  '__proto__',
  'constructor',
  'labels',
  'a~1b',
  '~',
];

const randomOperation = (random: Random): unknown => {
  if (random.chance(0.1)) return randomValue(random, 3);
  const pointer = (): unknown =>
    random.chance(0.05)
      ? randomValue(random, 1)
      : Array.from({ length: random.integer(5) }, () => `/${random.pick(steps)}`).join('');
  return { op: random.pick(operationNames), path: pointer(), from: pointer(), value: randomValue(random, 2) };
};

interface Refused {
  readonly refused: true;
}

/** Anything but a ClusterError is a bug. */
const attempt = <T>(run: () => T): T | Refused => {
  try {
    return run();
  } catch (error) {
    if (error instanceof ClusterError && error.code !== 'InternalError') return { refused: true };
    throw error;
  }
};

const isRefused = (result: unknown): result is Refused =>
  typeof result === 'object' && result !== null && 'refused' in result;

const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
const surface = (): string =>
  prototypes.map((prototype) => Object.getOwnPropertyNames(prototype).join()).join(';');

/** Runs `round` until the time is over; what failed can be replayed from the seed and the count. */
const fuzz = (seed: number, round: (random: Random) => boolean): void => {
  const random = createRandom(seed);
  const before = surface();
  const end = performance.now() + milliseconds;
  let accepted = 0;
  for (let count = 0; performance.now() < end; count += 1) {
    try {
      if (round(random)) accepted += 1;
    } catch (error) {
      throw new Error(`seed ${String(seed)}, round ${String(count)}`, { cause: error });
    }
  }
  expect(surface(), 'prototypes are untouched').toBe(before);
  expect(accepted, 'some inputs were accepted').toBeGreaterThan(10);
};

describe.each(seeds([]))('random input, seed %i', (seed) => {
  it('a JSON patch gives JSON or a refusal, and leaves its document alone', () => {
    fuzz(seed, (random) => {
      const document = randomPod(random);
      const text = JSON.stringify(document);
      const operations = Array.from({ length: random.integer(4) }, () => randomOperation(random));
      const result = attempt(() => jsonPatch(document, operations));
      expect(JSON.stringify(document)).toBe(text);
      if (isRefused(result) || operations.length === 0) return false;
      expect(JSON.parse(JSON.stringify(result))).toEqual(result);
      return true;
    });
  });

  it('a strategic merge patch gives JSON or a refusal, without directives, and leaves its document alone', () => {
    fuzz(seed, (random) => {
      const document = randomPod(random);
      const text = JSON.stringify(document);
      const patch = mutated(random, randomPod(random));
      const sent = JSON.stringify(patch);
      const result = attempt(() => strategicMergePatch(pods, document, patch));
      expect(JSON.stringify(document)).toBe(text);
      expect(JSON.stringify(patch)).toBe(sent);
      if (isRefused(result)) return false;
      expect(JSON.stringify(result)).not.toMatch(
        /"\$(?:patch|retainKeys|setElementOrder|deleteFromPrimitiveList)/,
      );
      return true;
    });
  });

  it('a merge patch gives a document without the nulls of the patch, and leaves the old one alone', () => {
    fuzz(seed, (random) => {
      const document = randomPod(random);
      const text = JSON.stringify(document);
      const patch = mutated(random, randomPod(random));
      const result = mergePatch(document, patch);
      expect(JSON.stringify(document)).toBe(text);
      expect(mergePatch(result, patch)).toEqual(result);
      return true;
    });
  });

  it('server-side apply gives an object that applying again does not change, or a refusal', () => {
    let live: Live | undefined;
    fuzz(seed, (random) => {
      const manager = random.pick(['x', 'y']);
      const applied = mutated(random, randomPod(random)) as object;
      const text = JSON.stringify(live);
      const before: Live | undefined = live;
      const next = attempt(() => apply(pods, before, applied, { manager, force: true }));
      expect(JSON.stringify(before)).toBe(text);
      if (isRefused(next)) return false;
      for (const { fieldsV1 } of entries(next)) expect(isFieldSet(fieldsV1)).toBe(true);
      // Preconditions are for who writes the object.
      const metadata = { ...next.metadata, resourceVersion: undefined, uid: undefined };
      live = { ...next, metadata } as unknown as Live;
      const settled = { ...live };
      expect(apply(pods, settled, applied, { manager, force: true })['spec']).toEqual(settled['spec']);
      return true;
    });
  });

  it('an update gives canonical entries, whatever entries were sent along', () => {
    const made = update(pods, undefined, randomPod(createRandom(seed)));
    fuzz(seed, (random) => {
      const managedFields = random.chance(0.5)
        ? mutated(random, structuredClone(made.metadata.managedFields))
        : randomValue(random, 4);
      const after = mutated(random, randomPod(random)) as { metadata?: object } | null;
      const object = { ...after, metadata: { name: 'p', ...(after?.metadata ?? {}), managedFields } };
      for (const { fieldsV1 } of entries(update(pods, made, object))) expect(isFieldSet(fieldsV1)).toBe(true);
      return true;
    });
  });
});
