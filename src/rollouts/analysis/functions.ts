// Functions of expressions: those of expr-lang that conditions use, and those that Argo Rollouts adds.
import { equal, isObject } from '../../base/json.js';
import { EvaluationError, isText, listOf, numberOf, shown, textOf, truthOf } from './values.js';

type Arguments = readonly unknown[];
type Predicate = (item: unknown, index: number) => unknown;

const predicateOf = (value: unknown): Predicate => {
  if (typeof value === 'function') return value as Predicate;
  throw new EvaluationError('a predicate is missing');
};

const tested = ([list, predicate]: Arguments): readonly (readonly [unknown, boolean])[] => {
  const test = predicateOf(predicate);
  return listOf(list).map((item, index) => [item, truthOf(test(item, index))]);
};

const found = (args: Arguments): readonly unknown[] =>
  tested(args)
    .filter(([, holds]) => holds)
    .map(([item]) => item);

/** All numbers of the arguments, those in lists included. */
const numbers = (args: Arguments): readonly number[] => args.flat().map(numberOf);

const some = (list: readonly number[]): readonly number[] => {
  if (list.length === 0) throw new EvaluationError('there are no numbers');
  return list;
};

const total = (list: readonly number[]): number => list.reduce((sum, one) => sum + one, 0);

const median = (list: readonly number[]): number => {
  const sorted = [...some(list)].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
};

const converted = (value: unknown): number => {
  const number = isText(value) && value.trim() !== '' ? Number(value) : numberOf(value);
  if (Number.isNaN(number) && value !== 'NaN') throw new EvaluationError(`${shown(value)} is no number`);
  return number;
};

const whole = (value: unknown): number => {
  const number = converted(value);
  if (!Number.isFinite(number)) throw new EvaluationError(`${shown(value)} is no whole number`);
  return Math.trunc(number);
};

const size = (value: unknown): number => {
  if (isText(value) || Array.isArray(value)) return value.length;
  if (isObject(value)) return Object.keys(value).length;
  throw new EvaluationError(`${shown(value)} has no length`);
};

const typeName = (value: unknown): string => {
  if (value === null || value === undefined) return 'nil';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return typeof value === 'boolean' ? 'bool' : isText(value) ? 'string' : 'map';
};

const at = (value: unknown, key: unknown): unknown => {
  if (Array.isArray(value)) return (value[numberOf(key)] as unknown) ?? null;
  return isObject(value) && Object.hasOwn(value, String(key)) ? value[String(key)] : null;
};

const mapOf = (value: unknown): Record<string, unknown> => {
  if (isObject(value)) return value;
  throw new EvaluationError(`${shown(value)} is no map`);
};

const isNone = (value: unknown): boolean => value === null || value === undefined;

export const functions: Readonly<Record<string, (args: Arguments) => unknown>> = {
  all: (args) => tested(args).every(([, holds]) => holds),
  any: (args) => tested(args).some(([, holds]) => holds),
  none: (args) => !tested(args).some(([, holds]) => holds),
  one: (args) => found(args).length === 1,
  filter: found,
  find: (args) => found(args)[0] ?? null,
  findLast: (args) => found(args).at(-1) ?? null,
  findIndex: (args) => tested(args).findIndex(([, holds]) => holds),
  count: (args) => (args.length === 1 ? listOf(args[0]).filter(truthOf).length : found(args).length),
  map: ([list, predicate]) => listOf(list).map(predicateOf(predicate)),
  sum: ([list, predicate]) =>
    total(numbers(predicate === undefined ? listOf(list) : listOf(list).map(predicateOf(predicate)))),
  len: ([value]) => size(value),
  mean: (args) => total(some(numbers(args))) / numbers(args).length,
  median: (args) => median(numbers(args)),
  min: (args) => Math.min(...some(numbers(args))),
  max: (args) => Math.max(...some(numbers(args))),
  abs: ([value]) => Math.abs(numberOf(value)),
  ceil: ([value]) => Math.ceil(numberOf(value)),
  floor: ([value]) => Math.floor(numberOf(value)),
  round: ([value]) => Math.round(numberOf(value)),
  int: ([value]) => whole(value),
  float: ([value]) => converted(value),
  asInt: ([value]) => whole(value),
  asFloat: ([value]) => converted(value),
  string: ([value]) => (isText(value) ? value : JSON.stringify(value)),
  type: ([value]) => typeName(value),
  trim: ([value]) => textOf(value).trim(),
  lower: ([value]) => textOf(value).toLowerCase(),
  upper: ([value]) => textOf(value).toUpperCase(),
  split: ([value, by]) => textOf(value).split(textOf(by)),
  join: ([list, by = '']) => listOf(list).map(textOf).join(textOf(by)),
  replace: ([value, from, to]) => textOf(value).replaceAll(textOf(from), textOf(to)),
  hasPrefix: ([value, part]) => textOf(value).startsWith(textOf(part)),
  hasSuffix: ([value, part]) => textOf(value).endsWith(textOf(part)),
  indexOf: ([value, part]) =>
    Array.isArray(value) ? value.findIndex((one) => equal(one, part)) : textOf(value).indexOf(textOf(part)),
  first: ([list]) => listOf(list)[0] ?? null,
  last: ([list]) => listOf(list).at(-1) ?? null,
  keys: ([value]) => Object.keys(mapOf(value)),
  values: ([value]) => Object.values(mapOf(value)),
  get: ([value, key]) => at(value, key),
  isNaN: ([value]) => Number.isNaN(numberOf(value)),
  isInf: ([value]) => Math.abs(numberOf(value)) === Infinity,
  isNil: ([value]) => isNone(value),
  // Argo Rollouts': an empty result counts as none.
  default: ([value, otherwise]) =>
    isNone(value) || value === '' || (Array.isArray(value) && value.length === 0) ? otherwise : value,
};
