// Expressions of analysis conditions as trees: the parts of expr-lang that conditions use.

export type Expression =
  | { readonly type: 'literal'; readonly value: number | string | boolean | null }
  | { readonly type: 'name'; readonly name: string }
  /** `#` in a predicate: the element at hand; `#index` and `#acc` by name. */
  | { readonly type: 'element'; readonly of: 'item' | 'index' | 'acc' }
  | { readonly type: 'list'; readonly items: readonly Expression[] }
  | { readonly type: 'map'; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly type: 'unary'; readonly operator: UnaryOperator; readonly of: Expression }
  | {
      readonly type: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly type: 'conditional';
      readonly test: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  /** `a.b`, `a?.b`, `a["b"]`, `a[0]`. */
  | {
      readonly type: 'member';
      readonly of: Expression;
      readonly key: Expression;
      readonly optional: boolean;
    }
  | {
      readonly type: 'slice';
      readonly of: Expression;
      readonly from: Expression | undefined;
      readonly to: Expression | undefined;
    }
  | { readonly type: 'call'; readonly name: string; readonly args: readonly Expression[] }
  /** `{ # > 1 }` as an argument: evaluated for each element. */
  | { readonly type: 'predicate'; readonly body: Expression };

export type UnaryOperator = '!' | '-' | '+';

export type BinaryOperator =
  | '||'
  | '&&'
  | '??'
  | '=='
  | '!='
  | '<'
  | '>'
  | '<='
  | '>='
  | 'in'
  | 'matches'
  | 'contains'
  | 'startsWith'
  | 'endsWith'
  | '..'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '**';

/** What is wrong with the text, and where. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  /** Characters before the place. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(`${message} at position ${String(at + 1)}`);
    this.at = at;
  }
}

/** Functions whose last argument is evaluated for each element. */
export const predicateFunctions: ReadonlySet<string> = new Set([
  'all',
  'any',
  'none',
  'one',
  'filter',
  'map',
  'count',
  'find',
  'findIndex',
  'findLast',
  'sum',
]);

/** All functions that a condition may call; the evaluator has one line for each. */
export const functionNames: ReadonlySet<string> = new Set([
  ...predicateFunctions,
  'len',
  'mean',
  'median',
  'min',
  'max',
  'abs',
  'ceil',
  'floor',
  'round',
  'int',
  'float',
  'asInt',
  'asFloat',
  'string',
  'type',
  'trim',
  'lower',
  'upper',
  'split',
  'join',
  'replace',
  'hasPrefix',
  'hasSuffix',
  'indexOf',
  'first',
  'last',
  'keys',
  'values',
  'get',
  'isNaN',
  'isInf',
  'isNil',
  'default',
]);
