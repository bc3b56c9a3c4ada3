// Shares of traffic as an annotation: on a Service by groups of its pods, on an EndpointSlice by endpoint.
import type { FieldError } from '../base/errors.js';
import { messageOf } from '../base/errors.js';
import { isObject } from '../base/json.js';
import { parseLabelSelector } from './label-selector.js';
import { invalid } from './validation/field-errors.js';
import type { StringMap } from './resource.js';

/**
 * On a Service, whole numbers by label selector: `{"pod-template-hash=7d4b9": 90, "pod-template-hash=86c5f": 10}`. Each
 * group gets exactly its share, evenly among its ready pods; a pod counts to the first group that selects it, and one
 * that no group selects gets nothing. A group without a ready pod leaves its share to the others.
 *
 * On an EndpointSlice, whole numbers by endpoint address: `{"10.244.1.5": 90, "10.244.2.7": 10}`. An endpoint that is
 * not named gets nothing; one of a slice without the annotation weighs 1. The slices of a Service that has the
 * annotation get theirs from it.
 *
 * Where nothing weighs anything, everything weighs the same.
 */
export const weightsAnnotation = 'capstan.dev/weights';

/** Keeps sums within what 32 bits of chance can split. */
export const largestWeight = 1_000_000;

export type Weights = ReadonlyMap<string, number>;

const isWeight = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestWeight;

/** A sentence for what cannot be read. */
export const parseWeights = (text: string): Weights | string => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `must be a JSON object: ${messageOf(error)}`;
  }
  if (!isObject(value)) return 'must be a JSON object';
  const wrong = Object.entries(value).find(([, weight]) => !isWeight(weight));
  if (wrong !== undefined) return `${wrong[0]}: must be a whole number from 0 to ${String(largestWeight)}`;
  return new Map(Object.entries(value as Record<string, number>));
};

/** Undefined without the annotation, and with one that cannot be read: then all endpoints weigh the same. */
export const weightsOf = (annotations: StringMap | undefined): Weights | undefined => {
  const text = annotations?.[weightsAnnotation];
  const weights = text === undefined ? undefined : parseWeights(text);
  return typeof weights === 'string' ? undefined : weights;
};

const selectorProblem = (selector: string): string | undefined => {
  try {
    parseLabelSelector(selector);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
};

/** `keys`: what the weights are given by. */
export const weightsErrors = (
  annotations: StringMap | undefined,
  keys: 'selector' | 'address',
): readonly FieldError[] => {
  const text = annotations?.[weightsAnnotation];
  if (text === undefined) return [];
  const weights = parseWeights(text);
  const field = `metadata.annotations[${weightsAnnotation}]`;
  if (typeof weights === 'string') return [invalid(field, text, weights)];
  if (keys === 'address') return [];
  return [...weights.keys()].flatMap((selector) => {
    const problem = selector === '' ? 'must not be empty' : selectorProblem(selector);
    return problem === undefined ? [] : [invalid(field, selector, problem)];
  });
};
