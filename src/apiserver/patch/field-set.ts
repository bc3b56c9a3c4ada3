// Sets of fields in the form in which `managedFields` stores them (FieldsV1), so that nothing is decoded or encoded: a
// tree whose edges are `f:name`, `k:{"key":"value"}` and `v:value`. The edge `.` marks a node that is itself a member
// beside its children; a node without any edge is a member.
import { isObject } from '../../base/json.js';

export interface FieldSet {
  readonly [edge: string]: FieldSet;
}

/** Undefined is the empty set: `{}` is a member. */
export type Fields = FieldSet | undefined;

export const leaf: FieldSet = Object.freeze({});

const self = '.';

const isBare = (set: FieldSet): boolean => {
  for (const _ in set) return false;
  return true;
};

export const isMember = (set: FieldSet): boolean => set[self] !== undefined || isBare(set);

/** A node from its parts; `children` has no `.` and is undefined rather than empty. */
export const nodeOf = (member: boolean, children: Fields): Fields => {
  if (children === undefined) return member ? leaf : undefined;
  return member ? { [self]: leaf, ...children } : children;
};

/** The fields of an entry, whose root is never a member. */
export const fieldsOfEntry = ({ fieldsV1 }: { readonly fieldsV1: unknown }): Fields =>
  isObject(fieldsV1) && !isBare(fieldsV1 as FieldSet) ? (fieldsV1 as FieldSet) : undefined;

export const union = (a: Fields, b: Fields): Fields => {
  if (a === undefined || a === b) return b;
  if (b === undefined) return a;
  const children: Record<string, FieldSet> = {};
  let some = false;
  for (const edge in a)
    if (edge !== self) {
      children[edge] = union(a[edge], b[edge]) ?? leaf;
      some = true;
    }
  for (const [edge, below] of Object.entries(b))
    if (edge !== self && a[edge] === undefined) {
      children[edge] = below;
      some = true;
    }
  return nodeOf(isMember(a) || isMember(b), some ? children : undefined);
};

/** Members of `a` that are no members of `b`; `a` itself when that is all of them. */
export const difference = (a: Fields, b: Fields): Fields => {
  if (a === undefined || b === undefined) return a;
  if (a === b) return undefined;
  let children: Record<string, FieldSet> | undefined;
  let same = true;
  for (const [edge, below] of Object.entries(a)) {
    if (edge === self) continue;
    const left = difference(below, b[edge]);
    if (left !== undefined) (children ??= {})[edge] = left;
    if (left !== below) same = false;
  }
  const was = isMember(a);
  const is = was && !isMember(b);
  return same && was === is ? a : nodeOf(is, children);
};

/** Members of both. */
export const intersection = (a: Fields, b: Fields): Fields => {
  if (a === undefined || b === undefined || a === b) return a === b ? a : undefined;
  let children: Record<string, FieldSet> | undefined;
  for (const [edge, below] of Object.entries(a)) {
    if (edge === self) continue;
    const both = intersection(below, b[edge]);
    if (both !== undefined) (children ??= {})[edge] = both;
  }
  return nodeOf(isMember(a) && isMember(b), children);
};

export const sameFields = (a: Fields, b: Fields): boolean => {
  if (a === b) return true;
  if (a === undefined || b === undefined || isMember(a) !== isMember(b)) return false;
  let count = 0;
  for (const edge in a) {
    if (edge === self) continue;
    count += 1;
    if (!sameFields(a[edge], b[edge])) return false;
  }
  for (const edge in b) if (edge !== self) count -= 1;
  return count === 0;
};

/** With sorted edges, as Kubernetes writes them. */
export const sorted = (set: FieldSet): FieldSet => {
  const copy: Record<string, FieldSet> = {};
  for (const edge of Object.keys(set).sort()) copy[edge] = sorted(set[edge] ?? leaf);
  return copy;
};

const edgePattern = /^(?:\.$|f:|i:\d+$|[kv]:.)/s;

/** No schema nests as deep; what does is no set of fields and only costs stack. */
const deepest = 128;

const hasForm = (value: unknown, depth: number): boolean =>
  isObject(value) &&
  depth < deepest &&
  Object.entries(value).every(([edge, below]) => edgePattern.test(edge) && hasForm(below, depth + 1));

/** True for what a client may write into an entry. */
export const isFieldSet = (value: unknown): value is FieldSet => hasForm(value, 0);

const keysOf = (text: string): string => {
  try {
    const keys: unknown = JSON.parse(text);
    if (isObject(keys))
      return Object.entries(keys)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(',');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  // A client wrote it so: it stands for no element, but can still be shown.
  return text;
};

const stepOf = (edge: string): string => {
  const rest = edge.slice(2);
  if (edge.startsWith('f:')) return `.${rest}`;
  if (edge.startsWith('k:')) return `[${keysOf(rest)}]`;
  return edge.startsWith('v:') ? `[=${rest}]` : `[${rest}]`;
};

/** The members as Kubernetes writes paths: `.spec.containers[name="web"].image`, `.metadata.finalizers[="x"]`. */
export const pathsOf = (set: Fields, at = ''): readonly string[] => {
  if (set === undefined) return [];
  const below = Object.entries(set).flatMap(([edge, child]) =>
    edge === self ? [] : pathsOf(child, `${at}${stepOf(edge)}`),
  );
  return at !== '' && isMember(set) ? [at, ...below] : below;
};
