// A short run of `npm run fuzz`: fixed inputs, and some that are new each time.
import { describe, expect, it } from 'vitest';
import { createRandom, seeds } from '../contract/random.js';
import { makeInput } from '../fuzz/fuzz-target.js';
import { runTarget } from '../fuzz/run-target.js';
import { targets } from '../fuzz/targets.js';

const inputs = 150;

describe.each(targets().map((target) => [target.name, target] as const))('%s', (_, target) => {
  it.each(seeds([1, 2]))('survive what seed %i makes of them', async (seed) => {
    expect(await runTarget(target, { seed, more: (done) => done < inputs })).toBe(inputs);
  });
});

describe('the inputs', () => {
  it('are the same for the same seed', () => {
    for (const target of targets().slice(0, 3))
      expect(makeInput(target, createRandom(7))).toEqual(makeInput(target, createRandom(7)));
  });

  it('reveal a parser that throws something else, with the seed that brings it back', async () => {
    const broken = {
      name: 'broken',
      corpus: ['abcdef'],
      words: [],
      run: (input: Buffer) => {
        if (!input.includes('c')) throw new TypeError('cannot read');
      },
    };
    await expect(runTarget(broken, { seed: 1, more: (done) => done < 500 })).rejects.toThrow(
      /broken: seed \d+ failed on ".*"\nTypeError: cannot read/s,
    );
  });
});
