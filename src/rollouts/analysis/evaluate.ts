// The value of an expression over what was measured. Whatever does not fit throws: a condition that cannot be judged is an
// error, never a success.
import { equal, isObject } from '../../base/json.js';
import type { BinaryOperator, Expression } from '../../resources/expression/syntax.js';
import { functions } from './functions.js';
import { EvaluationError, isText, numberOf, shown, truthOf } from './values.js';

/** Names that an expression may use. */
export type Variables = Readonly<Record<string, unknown>>;

interface Scope {
  readonly variables: Variables;
  readonly item?: unknown;
  readonly index?: number;
}

const memberOf = (object: unknown, key: unknown, optional: boolean): unknown => {
  if (object === null || object === undefined) {
    if (optional) return null;
    throw new EvaluationError(`cannot read ${shown(key)} of nil`);
  }
  if (Array.isArray(object) || typeof object === 'string') {
    const position = numberOf(key);
    const at = position < 0 ? object.length + position : position;
    if (!Number.isInteger(at) || at < 0 || at >= object.length)
      throw new EvaluationError(
        `index out of range: ${String(position)} (there are ${String(object.length)})`,
      );
    return object[at] as unknown;
  }
  if (isObject(object)) return Object.hasOwn(object, String(key)) ? object[String(key)] : null;
  throw new EvaluationError(`${shown(object)} has no ${shown(key)}`);
};

const ordered = (left: unknown, right: unknown): number => {
  if (isText(left) && isText(right)) return left < right ? -1 : left > right ? 1 : 0;
  const [a, b] = [numberOf(left), numberOf(right)];
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : NaN;
};

const contains = (whole: unknown, part: unknown): boolean => {
  if (Array.isArray(whole)) return whole.some((one) => equal(one, part));
  if (isObject(whole)) return Object.hasOwn(whole, String(part));
  throw new EvaluationError(`${shown(whole)} is no list and no map`);
};

const texts = (left: unknown, right: unknown): readonly [string, string] => {
  if (isText(left) && isText(right)) return [left, right];
  throw new EvaluationError(`${shown(isText(left) ? right : left)} is no text`);
};

const plus = (left: unknown, right: unknown): unknown =>
  isText(left) && isText(right) ? left + right : numberOf(left) + numberOf(right);

const longestRange = 10_000;

const range = (from: unknown, to: unknown): readonly number[] => {
  const [first, last] = [numberOf(from), numberOf(to)];
  if (last - first > longestRange) throw new EvaluationError('the range is too long');
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
};

type Eager = Exclude<BinaryOperator, '&&' | '||' | '??'>;

const operators: { readonly [Operator in Eager]: (left: unknown, right: unknown) => unknown } = {
  '==': equal,
  '!=': (left, right) => !equal(left, right),
  '<': (left, right) => ordered(left, right) < 0,
  '>': (left, right) => ordered(left, right) > 0,
  '<=': (left, right) => ordered(left, right) <= 0,
  '>=': (left, right) => ordered(left, right) >= 0,
  in: (left, right) => contains(right, left),
  matches: (left, right) => new RegExp(texts(left, right)[1]).test(texts(left, right)[0]),
  contains: (left, right) => texts(left, right)[0].includes(texts(left, right)[1]),
  startsWith: (left, right) => texts(left, right)[0].startsWith(texts(left, right)[1]),
  endsWith: (left, right) => texts(left, right)[0].endsWith(texts(left, right)[1]),
  '..': range,
  '+': plus,
  '-': (left, right) => numberOf(left) - numberOf(right),
  '*': (left, right) => numberOf(left) * numberOf(right),
  '/': (left, right) => numberOf(left) / numberOf(right),
  '%': (left, right) => numberOf(left) % numberOf(right),
  '**': (left, right) => numberOf(left) ** numberOf(right),
};

type Of<Type extends Expression['type']> = Extract<Expression, { readonly type: Type }>;

const binary = ({ operator, left, right }: Of<'binary'>, scope: Scope): unknown => {
  const first = valueOf(left, scope);
  if (operator === '&&') return truthOf(first) && truthOf(valueOf(right, scope));
  if (operator === '||') return truthOf(first) || truthOf(valueOf(right, scope));
  if (operator === '??') return first ?? valueOf(right, scope);
  return operators[operator](first, valueOf(right, scope));
};

const unary = ({ operator, of }: Of<'unary'>, scope: Scope): unknown => {
  const value = valueOf(of, scope);
  if (operator === '!') return !truthOf(value);
  return operator === '-' ? -numberOf(value) : numberOf(value);
};

const slice = ({ of, from, to }: Of<'slice'>, scope: Scope): unknown => {
  const value = valueOf(of, scope);
  const bound = (one: Expression | undefined): number | undefined =>
    one === undefined ? undefined : numberOf(valueOf(one, scope));
  if (Array.isArray(value) || isText(value)) return value.slice(bound(from), bound(to));
  throw new EvaluationError(`${shown(value)} is no list`);
};

const call = ({ name, args }: Of<'call'>, scope: Scope): unknown => {
  const run = functions[name];
  if (run === undefined) throw new EvaluationError(`there is no function ${name}`);
  return run(
    args.map((arg) => {
      if (arg.type !== 'predicate') return valueOf(arg, scope);
      return (item: unknown, index: number) => valueOf(arg.body, { ...scope, item, index });
    }),
  );
};

const nameOf = ({ name }: Of<'name'>, { variables }: Scope): unknown => {
  if (!Object.hasOwn(variables, name)) throw new EvaluationError(`unknown name ${name}`);
  return variables[name];
};

const rules: { readonly [Type in Expression['type']]: (expression: Of<Type>, scope: Scope) => unknown } = {
  literal: ({ value }) => value,
  name: nameOf,
  element: ({ of }, { item, index }) => (of === 'index' ? index : item),
  list: ({ items }, scope) => items.map((one) => valueOf(one, scope)),
  map: ({ entries }, scope) =>
    Object.fromEntries(entries.map(([key, value]) => [String(valueOf(key, scope)), valueOf(value, scope)])),
  unary,
  binary,
  conditional: ({ test, yes, no }, scope) => valueOf(truthOf(valueOf(test, scope)) ? yes : no, scope),
  member: ({ of, key, optional }, scope) => memberOf(valueOf(of, scope), valueOf(key, scope), optional),
  slice,
  call,
  predicate: ({ body }, scope) => valueOf(body, scope),
};

const valueOf = (expression: Expression, scope: Scope): unknown =>
  (rules[expression.type] as (expression: Expression, scope: Scope) => unknown)(expression, scope);

/** Throws EvaluationError. */
export const evaluate = (expression: Expression, variables: Variables): unknown =>
  valueOf(expression, { variables });

/** Throws EvaluationError also when the value is neither true nor false. */
export const isTrue = (expression: Expression, variables: Variables): boolean => {
  const value = evaluate(expression, variables);
  if (typeof value !== 'boolean') throw new EvaluationError(`expected bool, but got ${shown(value)}`);
  return value;
};
