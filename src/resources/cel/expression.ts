// One compiled expression: parsed, its types checked as far as they are known, its regular expressions made linear, and
// run only when its cost is within bounds.
import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import { isObject } from '../../base/json.js';
import { costOf } from './cost.js';
import { linearMatches } from './library.js';

/** The most nodes that one run may visit: about a quarter of a second. */
const mostCost = 1_000_000;

/** The sentence of a CEL error without the picture of its source. */
export const celMessage = (error: unknown): string => {
  if (isObject(error) && typeof error['summary'] === 'string') return error['summary'];
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? text;
};

export class CelError extends Error {}

const nodesIn = (value: unknown): readonly ASTNode[] => {
  if (Array.isArray(value)) return value.flatMap(nodesIn);
  if (!isObject(value) || !('op' in value) || !('args' in value)) return [];
  const node = value as unknown as ASTNode;
  return [node, ...nodesIn(node.args)];
};

/** `matches` under its linear name, wherever it is called. */
const rewritten = (source: string, ast: ASTNode): string => {
  const places = nodesIn(ast).flatMap((node) =>
    node.op === 'rcall' && node.args[0] === 'matches' ? [node.args[1].range.end] : [],
  );
  return places
    .sort((a, b) => b - a)
    .reduce(
      (text, at) =>
        text.slice(0, at) + text.slice(at).replace(/^(\s*\)*\s*\.\s*)matches/, `$1${linearMatches}`),
      source,
    );
};

export interface Expression {
  readonly source: string;
  readonly ast: ASTNode;
  /** As inferred; `dyn` where it depends on values. */
  readonly type: string;
  /** Every variable that is read. */
  readonly names: ReadonlySet<string>;
  /** Throws CelError. */
  run(variables: Readonly<Record<string, unknown>>): unknown;
}

/** Throws CelError for what is not an expression, or does not fit its types. */
export const compile = (environment: Environment, source: string): Expression => {
  let parsed: ParseResult;
  try {
    const first = environment.parse(source);
    const linear = rewritten(source, first.ast);
    parsed = linear === source ? first : environment.parse(linear);
  } catch (error) {
    throw new CelError(celMessage(error));
  }
  const checked = parsed.check();
  if (!checked.valid) throw new CelError(celMessage(checked.error));
  const { ast } = parsed;
  return {
    source,
    ast,
    type: checked.type ?? 'dyn',
    names: new Set(nodesIn(ast).flatMap((node) => (node.op === 'id' ? [node.args] : []))),
    run: (variables) => {
      const cost = costOf(ast, variables);
      if (cost > mostCost)
        throw new CelError(
          `it would take ${String(cost)} steps, the limit is ${String(mostCost)}: bound the lists that it looks through`,
        );
      try {
        return parsed(variables) as unknown;
      } catch (error) {
        throw new CelError(celMessage(error));
      }
    },
  };
};
