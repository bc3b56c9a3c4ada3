// Weights of endpoints, as an annotation of an EndpointSlice carries them.
import { isObject } from '../base/json.js';
import type { EndpointSlice } from '../resources/generated/types.js';

/**
 * `{"10.244.1.5": 90, "10.244.2.7": 10}`: whole numbers from 0 by endpoint address. An endpoint that the annotation does
 * not name gets nothing; one of a slice without the annotation weighs 1.
 */
export const weightsAnnotation = 'capstan.dev/weights';

/** Keeps sums within what 32 bits of chance can split. */
export const largestWeight = 1_000_000;

export type Weights = ReadonlyMap<string, number>;

const isWeight = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestWeight;

/** Undefined without the annotation, and with one that cannot be read: then all endpoints weigh the same. */
export const weightsOf = ({ metadata }: EndpointSlice): Weights | undefined => {
  const text = metadata.annotations?.[weightsAnnotation];
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // traffic goes on evenly rather than not at all
  }
  if (!isObject(value) || !Object.values(value).every(isWeight)) return undefined;
  return new Map(Object.entries(value as Record<string, number>));
};

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** The same shares in the smallest whole numbers; all zero counts as all equal. Zeros stay zero. */
export const reduced = (weights: readonly number[]): readonly number[] => {
  const common = weights.reduce(divisor, 0);
  return common === 0 ? weights.map(() => 1) : weights.map((weight) => weight / common);
};
