// What an expression may cost on these very values, before it runs: each node once, times the elements of the lists that
// it is repeated over. An expression that would take too long is not started.
import type { ASTNode } from '@marcbachmann/cel-js';
import { isObject } from '../../base/json.js';

/** Macros that evaluate their last arguments for each element of what they are called on. */
const loops: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** The values that a name may stand for; undefined: any. */
type Candidates = readonly unknown[] | undefined;

type Scope = Readonly<Record<string, Candidates>>;

const elementsOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];

/** At most so many are followed: beyond, the largest collection stands for all. */
const mostCandidates = 10_000;

const candidatesOf = (node: ASTNode, scope: Scope): Candidates => {
  if (node.op === 'id') return scope[node.args];
  if (node.op === '[]') return limited(candidatesOf(node.args[0], scope)?.flatMap(elementsOf));
  if (node.op !== '.') return undefined;
  const [object, name] = node.args;
  return candidatesOf(object, scope)?.flatMap((value) =>
    isObject(value) && Object.hasOwn(value, name) ? [value[name]] : [],
  );
};

const limited = (candidates: Candidates): Candidates =>
  candidates !== undefined && candidates.length > mostCandidates ? undefined : candidates;

const sizeOf = (candidates: Candidates, largest: number): number =>
  candidates === undefined
    ? largest
    : candidates.reduce<number>((most, value) => Math.max(most, elementsOf(value).length), 0);

const childrenOf = (value: unknown): readonly ASTNode[] => {
  if (Array.isArray(value)) return value.flatMap(childrenOf);
  return isObject(value) && 'op' in value && 'args' in value ? [value as unknown as ASTNode] : [];
};

const costIn = (node: ASTNode, scope: Scope, largest: number): number => {
  if (node.op === 'rcall' && loops.has(node.args[0])) {
    const [, range, args] = node.args;
    const [variable, ...bodies] = args;
    const candidates = candidatesOf(range, scope);
    const inner: Scope =
      variable?.op === 'id' ? { ...scope, [variable.args]: limited(candidates?.flatMap(elementsOf)) } : scope;
    const body = bodies.reduce((sum, one) => sum + costIn(one, inner, largest), 1);
    return costIn(range, scope, largest) + Math.max(1, sizeOf(candidates, largest)) * body;
  }
  return childrenOf(node.args).reduce((sum, child) => sum + costIn(child, scope, largest), 1);
};

const largestIn = (value: unknown): number =>
  elementsOf(value).reduce<number>(
    (most, element) => Math.max(most, largestIn(element)),
    elementsOf(value).length,
  );

/** In nodes to be evaluated, at most. */
export const costOf = (expression: ASTNode, variables: Readonly<Record<string, unknown>>): number => {
  const scope = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, [value]]));
  const largest = Object.values(variables).reduce<number>(
    (most, value) => Math.max(most, largestIn(value)),
    1,
  );
  return costIn(expression, scope, largest);
};
