import { describe, expect, it } from 'vitest';
import { boundsOf } from '../../../src/controllers/deployment/bounds.js';
import type { Bounds } from '../../../src/controllers/deployment/bounds.js';
import { newSize, rollingStep } from '../../../src/controllers/deployment/rolling.js';
import { isScaling, scalingStep } from '../../../src/controllers/deployment/scaling.js';
import type { ReplicaSet } from '../../../src/resources/generated/types.js';
import { createRandom, seeds } from '../../contract/random.js';
import { deployment, replicaSet } from './objects.js';

const owner = deployment();
const set = (name: string, replicas: number, available: number): ReplicaSet =>
  replicaSet(owner, name, { replicas, available });

describe('bounds of a rollout', () => {
  it.each([
    [10, '25%', '25%', 3, 2],
    [1, '25%', '25%', 1, 0],
    [4, 0, 1, 0, 1],
    [4, 0, 0, 0, 1],
    [2, 0, '25%', 0, 1],
    [0, '25%', '25%', 0, 0],
    [3, '100%', '200%', 3, 3],
  ])(
    'of %i replicas with surge %s and unavailable %s',
    (replicas, maxSurge, maxUnavailable, surge, unavailable) => {
      const rollingUpdate = { maxSurge, maxUnavailable };
      expect(boundsOf(deployment({ replicas, strategy: { type: 'RollingUpdate', rollingUpdate } }))).toEqual({
        wanted: replicas,
        surge,
        unavailable,
      });
    },
  );

  it('allows nothing beside the wanted pods when the strategy is Recreate', () => {
    expect(boundsOf(deployment({ strategy: { type: 'Recreate' } }))).toEqual({
      wanted: 3,
      surge: 0,
      unavailable: 0,
    });
  });
});

describe('a step of a rolling update', () => {
  const bounds: Bounds = { wanted: 3, surge: 1, unavailable: 0 };

  it('adds new pods only as far as the surge allows', () => {
    expect(newSize(bounds, undefined, [set('old', 3, 3)])).toBe(1);
    expect(rollingStep(bounds, { current: set('new', 1, 0), old: [set('old', 3, 3)] })).toEqual(new Map());
  });

  it('takes an old pod away when a new one is available', () => {
    const sizes = rollingStep(bounds, { current: set('new', 1, 1), old: [set('old', 3, 3)] });
    expect(sizes).toEqual(new Map([['old', 2]]));
  });

  it('takes old pods that are not available first, whichever set they are in', () => {
    const old = [set('older', 2, 2), set('old', 2, 0)];
    const sick = rollingStep({ wanted: 3, surge: 0, unavailable: 1 }, { current: set('new', 0, 0), old });
    expect(sick).toEqual(new Map([['old', 0]]));
    const current = set('new', 2, 2);
    const done = rollingStep({ wanted: 2, surge: 0, unavailable: 0 }, { current, old });
    expect(done).toEqual(
      new Map([
        ['older', 0],
        ['old', 0],
      ]),
    );
  });

  it('takes no available pod in place of a new one that is not available yet', () => {
    const current = set('new', 2, 1);
    const sizes = rollingStep({ wanted: 3, surge: 1, unavailable: 0 }, { current, old: [set('old', 2, 2)] });
    expect(sizes).toEqual(new Map());
  });
});

interface Model {
  name: string;
  size: number;
  available: number;
}

/** Plays the ReplicaSets' part: pods that are too many go, unavailable ones first; new ones are not available yet. */
const apply = (sets: readonly Model[], sizes: ReadonlyMap<string, number>): void => {
  for (const entry of sets) {
    const size = sizes.get(entry.name);
    if (size === undefined) continue;
    entry.size = size;
    entry.available = Math.min(entry.available, size);
  }
};

describe.each(seeds([1, 2, 3]))('rolling updates of any shape (seed %i)', (seed) => {
  it('never have too many pods nor too few available ones, and come to an end', () => {
    const random = createRandom(seed);
    for (let round = 0; round < 300; round += 1) {
      const wanted = random.integer(12);
      const surge = random.integer(wanted + 1);
      const unavailable = Math.min(
        wanted,
        surge === 0 ? 1 + random.integer(wanted) : random.integer(wanted + 1),
      );
      const bounds: Bounds = { wanted, surge, unavailable };
      const old = Array.from({ length: 1 + random.integer(3) }, (_, index): Model => ({
        name: `old-${String(index)}`,
        size: 0,
        available: 0,
      }));
      for (let index = 0; index < wanted; index += 1) {
        const entry = random.pick(old);
        entry.size += 1;
        entry.available += 1;
      }
      const current: Model = { name: 'new', size: 0, available: 0 };
      const all = [...old, current];
      let steps = 0;
      while (current.size < wanted || current.available < wanted || old.some(({ size }) => size > 0)) {
        const toSet = ({ name, size, available }: Model): ReplicaSet => set(name, size, available);
        const sizes = rollingStep(bounds, { current: toSet(current), old: old.map(toSet) });
        apply(all, sizes);
        const total = all.reduce((sum, { size }) => sum + size, 0);
        const available = all.reduce((sum, entry) => sum + entry.available, 0);
        expect(total).toBeLessThanOrEqual(wanted + surge);
        expect(available).toBeGreaterThanOrEqual(wanted - unavailable);
        if (sizes.size === 0 || random.chance(0.3))
          current.available = Math.min(current.size, current.available + 1);
        steps += 1;
        expect(steps).toBeLessThan(200);
      }
    }
  });
});

describe('scaling in the middle of a rollout', () => {
  const sized = (name: string, replicas: number, image: string, revision: number): ReplicaSet =>
    replicaSet(owner, name, { replicas, image, revision, desired: 10, max: 13 });

  it('is noticed by the size that the sets were made for', () => {
    const sets = { current: sized('new', 5, 'web:2', 2), old: [sized('old', 8, 'web:1', 1)] };
    expect(isScaling({ wanted: 10, surge: 3, unavailable: 2 }, sets)).toBe(false);
    expect(isScaling({ wanted: 15, surge: 3, unavailable: 2 }, sets)).toBe(true);
  });

  it('grows every set by its share, and gives the rest to the largest', () => {
    const sets = { current: sized('new', 5, 'web:2', 2), old: [sized('old', 8, 'web:1', 1)] };
    const sizes = scalingStep(owner, { wanted: 15, surge: 3, unavailable: 2 }, sets);
    expect([...sizes.values()].reduce((sum, size) => sum + size, 0)).toBe(18);
    expect(sizes).toEqual(
      new Map([
        ['old', 11],
        ['new', 7],
      ]),
    );
  });

  it('shrinks to nothing when no replicas are wanted', () => {
    const sets = { current: sized('new', 5, 'web:2', 2), old: [sized('old', 8, 'web:1', 1)] };
    const sizes = scalingStep(owner, { wanted: 0, surge: 0, unavailable: 0 }, sets);
    expect(sizes).toEqual(
      new Map([
        ['old', 0],
        ['new', 0],
      ]),
    );
  });
});
