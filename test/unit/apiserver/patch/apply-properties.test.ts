import { describe, expect, it } from 'vitest';
import { fieldsOfEntry, pathsOf, sorted } from '../../../../src/apiserver/patch/field-set.js';
import { ClusterError } from '../../../../src/base/errors.js';
import { pods } from '../../../../src/resources/kinds/pods.js';
import { createRandom, seeds, type Random } from '../../../contract/random.js';
import { flatten, Model } from './apply-model.js';
import { apply, entries, update, type Live } from './ownership.js';
import { randomPod } from './random-pod.js';

const managers = ['x', 'y', 'z'];

const ownersOf = (live: Live): object =>
  Object.fromEntries(
    entries(live)
      .map((entry): [string, string[]] => [
        `${entry.manager} ${entry.operation}`,
        [...pathsOf(fieldsOfEntry(entry))].sort(),
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const ownersIn = (model: Model): object =>
  Object.fromEntries(
    [...model.owned]
      .map(([owner, paths]): [string, string[]] => [owner, [...paths].sort()])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const conflictsOf = (run: () => unknown): readonly string[] => {
  try {
    run();
    return [];
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    expect(error.code).toBe('Conflict');
    return [...new Set(error.fields.map(({ field }) => field))].sort();
  }
};

/** Each step: somebody applies (with or without force) or updates a random pod. */
const history = (
  random: Random,
  steps: number,
  visit: (live: Live, manager: string, config: object | undefined) => void,
): void => {
  const model = new Model();
  let live: Live | undefined;
  for (let step = 0; step < steps; step += 1) {
    const manager = random.pick(managers);
    const config = randomPod(random);
    if (live !== undefined && random.chance(0.3)) {
      live = update(pods, live, { ...config, metadata: { ...(config as Live).metadata } }, { manager });
      model.update(manager, config);
      visit(live, manager, undefined);
    } else {
      const force = random.chance(0.5);
      const before: Live | undefined = live;
      const conflicts = conflictsOf(() => {
        live = apply(pods, before, config, { manager, force });
      });
      expect(conflicts).toEqual(model.apply(manager, config, force));
      if (conflicts.length > 0) continue;
      visit(live as unknown as Live, manager, config);
    }
    const now = live as unknown as Live;
    expect(flatten(now)).toEqual(model.values);
    expect(ownersOf(now)).toEqual(ownersIn(model));
  }
};

describe.each(seeds([1, 2, 3]))('under random writers, seed %i', (seed) => {
  it('values, owners and conflicts are those of the model', () => {
    const random = createRandom(seed);
    for (let round = 0; round < 20; round += 1) history(random, 25, () => undefined);
  });

  it('applying again changes nothing, and what was applied is there', () => {
    const random = createRandom(seed + 100);
    for (let round = 0; round < 10; round += 1)
      history(random, 25, (live, manager, config) => {
        if (config === undefined) return;
        expect(apply(pods, live, structuredClone(config), { manager, now: 1e13 })).toBe(live);
        const present = flatten(live);
        for (const [path, value] of flatten(config)) expect(present.get(path)).toBe(value);
      });
  });

  it('applied elements stand in the order in which they are applied', () => {
    const random = createRandom(seed + 200);
    const namesIn = (object: object): string[] =>
      ((object as { spec?: { containers?: { name: string }[] } }).spec?.containers ?? []).map(
        ({ name }) => name,
      );
    for (let round = 0; round < 10; round += 1)
      history(random, 25, (live, _, config) => {
        if (config === undefined) return;
        const wanted = namesIn(config);
        expect(namesIn(live).filter((name) => wanted.includes(name))).toEqual(wanted);
      });
  });

  it('every field has an owner, every owned field exists, and entries are canonical', () => {
    const random = createRandom(seed + 300);
    for (let round = 0; round < 10; round += 1)
      history(random, 25, (live) => {
        const present = flatten(live);
        const owned = new Set(entries(live).flatMap((entry) => pathsOf(fieldsOfEntry(entry))));
        for (const path of owned) expect(present.has(path), `${path} exists`).toBe(true);
        for (const [path, value] of present) if (value !== '') expect(owned, path).toContain(path);
        for (const entry of entries(live))
          expect(JSON.stringify(sorted(fieldsOfEntry(entry)!))).toBe(JSON.stringify(entry.fieldsV1));
      });
  });

  it('two managers that apply in either order with force end with the same fields and owners', () => {
    const random = createRandom(seed + 400);
    for (let round = 0; round < 200; round += 1) {
      const [one, two] = [randomPod(random), randomPod(random)];
      const forwards = apply(pods, apply(pods, undefined, one, { manager: 'x' }), two, {
        manager: 'y',
        force: true,
      });
      const again = apply(pods, forwards, one, { manager: 'x', force: true });
      const backwards = apply(pods, apply(pods, undefined, two, { manager: 'y' }), one, {
        manager: 'x',
        force: true,
      });
      expect(flatten(again)).toEqual(flatten(backwards));
    }
  });

  it('a manager that gives up everything leaves what the others own', () => {
    const random = createRandom(seed + 500);
    for (let round = 0; round < 200; round += 1) {
      const [one, two] = [randomPod(random), randomPod(random)];
      const alone = apply(pods, undefined, one, { manager: 'x' });
      const both = apply(pods, alone, two, { manager: 'y', force: true });
      const left = apply(pods, both, { metadata: { name: 'p' } }, { manager: 'x' });
      for (const [path, value] of flatten(two)) expect(flatten(left).get(path)).toBe(value);
      expect(entries(left).map(({ manager }) => manager)).not.toContain('x');
    }
  });
});
