// Runs one target for a number of inputs, or for a time, and says what went wrong with the seed that brings it back.
import { createRandom } from '../contract/random.js';
import { makeInput } from './fuzz-target.js';
import type { FuzzTarget } from './fuzz-target.js';

export interface RunOptions {
  readonly seed: number;
  /** Whether another input is wanted after so many. */
  readonly more: (done: number) => boolean;
  /** Told of each input before it is tried, for a watchdog. */
  readonly trying?: (seed: number) => void;
}

/** An input takes this at most, in milliseconds: all of them are small, and the machine may be busy. */
const slowest = 5_000;
/** Inputs after which what they have made is forgotten. */
const between = 500;

const shown = (input: Buffer): string => {
  const text = JSON.stringify(input.toString('latin1'));
  return text.length > 600 ? `${text.slice(0, 600)}… (${String(input.length)} bytes)` : text;
};

/** How many inputs were tried. Rejects at the first defect. */
export const runTarget = async (target: FuzzTarget, { seed, more, trying }: RunOptions): Promise<number> => {
  let done = 0;
  for (; more(done); done++) {
    const own = (seed + done * 7919) >>> 0;
    const input = makeInput(target, createRandom(own));
    trying?.(own);
    const began = performance.now();
    try {
      await target.run(input);
    } catch (error) {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw new Error(`${target.name}: seed ${String(own)} failed on ${shown(input)}\n${why}`, {
        cause: error,
      });
    }
    const took = performance.now() - began;
    if (took > slowest)
      throw new Error(`${target.name}: seed ${String(own)} took ${took.toFixed(0)} ms on ${shown(input)}`);
    if (done % between === between - 1) await target.reset?.();
  }
  await target.reset?.();
  return done;
};
