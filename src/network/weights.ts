// Weights of endpoints as the shares that the kernel is given.

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** The same shares in the smallest whole numbers; all zero counts as all equal. Zeros stay zero. */
export const reduced = (weights: readonly number[]): readonly number[] => {
  const common = weights.reduce(divisor, 0);
  return common === 0 ? weights.map(() => 1) : weights.map((weight) => weight / common);
};
