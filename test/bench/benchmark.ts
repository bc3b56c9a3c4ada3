// What a benchmark is: figures, each beside a baseline that was measured in the same run on the same machine.

export interface Row {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** What the figure is compared with, in words. */
  readonly baseline: string;
  /** In the figure's unit. */
  readonly baselineValue: number;
  /** Median over the repetitions of value / baseline, each pair measured one right after the other. */
  readonly ratio: number;
  /** Width of the middle half of the repetitions' ratios, as a share of their median: the noise. */
  readonly spread?: number;
  /** What the ratio or the value should be, such as `≤ 1.25`. */
  readonly aim?: string;
  /** What a reader must know to judge the figure. */
  readonly note?: string;
}

export interface Benchmark {
  readonly name: string;
  run(signal: AbortSignal): Promise<readonly Row[]>;
}

/** NaN for no values. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
};

/** Everything between the first and the third quartile: what one slow moment of the machine does not move. */
export const quartileSpread = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  return (at(0.75) - at(0.25)) / median(values);
};
