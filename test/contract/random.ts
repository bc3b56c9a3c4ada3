// Repeatable randomness for property tests: the same seed gives the same run.

export interface Random {
  /** Integer from 0 up to, not including, `below`. */
  integer(below: number): number;
  pick<T>(items: readonly T[]): T;
  chance(probability: number): boolean;
}

/** The mulberry32 generator. */
export const createRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (below: number): number => Math.floor(next() * below);
  return {
    integer,
    pick: <T>(items: readonly T[]): T => items[integer(items.length)] as T,
    chance: (probability) => next() < probability,
  };
};

/** Fixed seeds and a fresh one; `SEED=n` replays a single one. */
export const seeds = (fixed: readonly number[]): readonly number[] =>
  process.env['SEED'] === undefined ? [...fixed, Date.now() % 1_000_000] : [Number(process.env['SEED'])];
