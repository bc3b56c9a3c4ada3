// Text -> expression, by precedence. Follows the grammar of expr-lang, https://expr-lang.org/docs/language-definition.
import { ExpressionError, functionNames, predicateFunctions } from './syntax.js';
import type { BinaryOperator, Expression } from './syntax.js';
import { tokensOf } from './tokens.js';
import type { Token } from './tokens.js';

interface Precedence {
  readonly level: number;
  readonly operator: BinaryOperator;
  readonly right?: true;
}

const binary: Readonly<Record<string, Precedence>> = {
  '||': { level: 10, operator: '||' },
  or: { level: 10, operator: '||' },
  '&&': { level: 15, operator: '&&' },
  and: { level: 15, operator: '&&' },
  '==': { level: 20, operator: '==' },
  '!=': { level: 20, operator: '!=' },
  '<': { level: 20, operator: '<' },
  '>': { level: 20, operator: '>' },
  '<=': { level: 20, operator: '<=' },
  '>=': { level: 20, operator: '>=' },
  in: { level: 20, operator: 'in' },
  matches: { level: 20, operator: 'matches' },
  contains: { level: 20, operator: 'contains' },
  startsWith: { level: 20, operator: 'startsWith' },
  endsWith: { level: 20, operator: 'endsWith' },
  '..': { level: 25, operator: '..' },
  '+': { level: 30, operator: '+' },
  '-': { level: 30, operator: '-' },
  '*': { level: 60, operator: '*' },
  '/': { level: 60, operator: '/' },
  '%': { level: 60, operator: '%' },
  '**': { level: 100, operator: '**', right: true },
  '^': { level: 100, operator: '**', right: true },
  '??': { level: 500, operator: '??' },
};

const words: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['nil', null],
]);

/** So that a hostile text ends in an error and not in a full stack. */
const deepest = 100;

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;
  #depth = 0;
  /** How many predicates are around. */
  #predicates = 0;

  constructor(source: string) {
    this.#tokens = tokensOf(source);
  }

  whole(): Expression {
    const expression = this.#expression();
    if (this.#current.type !== 'end') throw this.#unexpected();
    return expression;
  }

  get #current(): Token {
    return this.#tokens[this.#position] ?? { type: 'end', value: '', at: 0 };
  }

  #unexpected(): ExpressionError {
    const { type, value, at } = this.#current;
    return new ExpressionError(
      type === 'end' ? 'the expression ends too early' : `${JSON.stringify(value)} is not expected`,
      at,
    );
  }

  #is(value: string): boolean {
    const { type } = this.#current;
    return (type === 'sign' || type === 'name') && this.#current.value === value;
  }

  #take(value: string): boolean {
    if (!this.#is(value)) return false;
    this.#position += 1;
    return true;
  }

  #expect(value: string): void {
    if (!this.#take(value)) throw this.#unexpected();
  }

  #expression(): Expression {
    this.#depth += 1;
    if (this.#depth > deepest)
      throw new ExpressionError('the expression is nested too deeply', this.#current.at);
    const test = this.#operators(0);
    const result = this.#take('?') ? this.#conditional(test) : test;
    this.#depth -= 1;
    return result;
  }

  #conditional(test: Expression): Expression {
    // `a ?: b` is a where a is something, else b.
    if (this.#take(':')) return { type: 'conditional', test, yes: test, no: this.#expression() };
    const yes = this.#expression();
    this.#expect(':');
    return { type: 'conditional', test, yes, no: this.#expression() };
  }

  #operators(least: number): Expression {
    let left = this.#unary();
    for (;;) {
      const start = this.#position;
      const negated = this.#is('not') && this.#take('not');
      const { type, value } = this.#current;
      const found = type === 'sign' || type === 'name' ? binary[value] : undefined;
      if (found === undefined || found.level < least) {
        this.#position = start;
        if (value !== '|' || least > 0) return left;
        left = this.#pipe(left);
        continue;
      }
      this.#position += 1;
      const right = this.#operators(found.right === true ? found.level : found.level + 1);
      left = { type: 'binary', operator: found.operator, left, right };
      if (negated) left = { type: 'unary', operator: '!', of: left };
    }
  }

  /** `a | f(b)` is `f(a, b)`. */
  #pipe(left: Expression): Expression {
    this.#expect('|');
    const { type, value } = this.#current;
    if (type !== 'name') throw this.#unexpected();
    this.#position += 1;
    return this.#postfix(this.#call(value, [left]));
  }

  #unary(): Expression {
    if (this.#take('!') || this.#take('not'))
      return { type: 'unary', operator: '!', of: this.#operators(50) };
    if (this.#take('-')) return { type: 'unary', operator: '-', of: this.#operators(90) };
    if (this.#take('+')) return { type: 'unary', operator: '+', of: this.#operators(90) };
    return this.#postfix(this.#primary());
  }

  #primary(): Expression {
    const token = this.#current;
    this.#position += 1;
    if (token.type === 'number' || token.type === 'text') return { type: 'literal', value: token.value };
    if (token.type === 'name') {
      const word = words.get(token.value);
      if (word !== undefined) return { type: 'literal', value: word };
      return this.#is('(') ? this.#call(token.value, []) : { type: 'name', name: token.value };
    }
    this.#position -= 1;
    if (this.#take('(')) {
      const inner = this.#expression();
      this.#expect(')');
      return inner;
    }
    if (this.#take('[')) return { type: 'list', items: this.#listed(']') };
    if (this.#take('{')) return this.#map();
    if (this.#predicates > 0) {
      if (this.#take('#index')) return { type: 'element', of: 'index' };
      if (this.#take('#acc')) return { type: 'element', of: 'acc' };
      if (this.#take('#')) return { type: 'element', of: 'item' };
      // `.field` is `#.field`.
      if (this.#is('.')) return { type: 'element', of: 'item' };
    }
    throw this.#unexpected();
  }

  #listed(end: string): readonly Expression[] {
    const items: Expression[] = [];
    while (!this.#take(end)) {
      items.push(this.#expression());
      if (!this.#is(end)) this.#expect(',');
    }
    return items;
  }

  #map(): Expression {
    const entries: (readonly [Expression, Expression])[] = [];
    while (!this.#take('}')) {
      const { type, value } = this.#current;
      let key: Expression;
      if (type === 'name' || type === 'text' || type === 'number') {
        this.#position += 1;
        key = { type: 'literal', value: String(value) };
      } else {
        this.#expect('(');
        key = this.#expression();
        this.#expect(')');
      }
      this.#expect(':');
      entries.push([key, this.#expression()]);
      if (!this.#is('}')) this.#expect(',');
    }
    return { type: 'map', entries };
  }

  #call(name: string, given: readonly Expression[]): Expression {
    const { at } = this.#current;
    if (!functionNames.has(name)) throw new ExpressionError(`there is no function ${name}`, at);
    this.#expect('(');
    const args = [...given];
    while (!this.#take(')')) {
      args.push(predicateFunctions.has(name) && args.length > 0 ? this.#predicate() : this.#expression());
      if (!this.#is(')')) this.#expect(',');
    }
    return { type: 'call', name, args };
  }

  #predicate(): Expression {
    this.#predicates += 1;
    const braces = this.#take('{');
    const body = this.#expression();
    if (braces) this.#expect('}');
    this.#predicates -= 1;
    return { type: 'predicate', body };
  }

  #postfix(of: Expression): Expression {
    let result = of;
    for (;;) {
      const optional = this.#take('?.');
      if (optional || this.#take('.')) {
        const { type, value } = this.#current;
        if (optional && this.#is('[')) continue;
        if (type !== 'name') throw this.#unexpected();
        this.#position += 1;
        result = { type: 'member', of: result, key: { type: 'literal', value }, optional };
      } else if (this.#take('[')) result = this.#subscript(result);
      else return result;
    }
  }

  #subscript(of: Expression): Expression {
    const from = this.#is(':') ? undefined : this.#expression();
    if (!this.#take(':')) {
      this.#expect(']');
      if (from === undefined) throw this.#unexpected();
      return { type: 'member', of, key: from, optional: false };
    }
    const to = this.#is(']') ? undefined : this.#expression();
    this.#expect(']');
    return { type: 'slice', of, from, to };
  }
}

/** Throws ExpressionError, which says what is wrong and where. */
export const parseExpression = (source: string): Expression => new Parser(source).whole();
