// Sets of fields as `managedFields` writes them (FieldsV1): a tree whose edges are `f:name`, `k:{"key":"value"}` and
// `v:value`. A node that is itself a member and has children carries the edge `.`.
import { isObject } from '../../base/json.js';

export interface FieldSet {
  /** The field itself is in the set, not only some below it. */
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

const none: ReadonlyMap<string, FieldSet> = new Map();

export const emptySet: FieldSet = { member: false, children: none };
export const leafSet: FieldSet = { member: true, children: none };

export const isEmpty = ({ member, children }: FieldSet): boolean => !member && children.size === 0;

/** From FieldsV1; anything else than an object is the empty set. */
export const decodeFields = (fields: unknown): FieldSet => {
  if (!isObject(fields)) return emptySet;
  const entries = Object.entries(fields);
  const children = new Map(
    entries.filter(([edge]) => edge !== '.').map(([edge, below]) => [edge, decodeFields(below)] as const),
  );
  return { member: entries.length === 0 || '.' in fields, children };
};

const decodeRoot = (fields: unknown): FieldSet => ({ ...decodeFields(fields), member: false });

/** From a `managedFields` entry, whose root is never a member. */
export const decodeEntry = (fields: unknown): FieldSet => decodeRoot(fields);

/** To FieldsV1, with sorted edges as Kubernetes writes them. */
export const encodeFields = ({ member, children }: FieldSet): Record<string, unknown> => {
  const encoded: Record<string, unknown> = {};
  if (member && children.size > 0) encoded['.'] = {};
  for (const edge of [...children.keys()].sort())
    encoded[edge] = encodeFields(children.get(edge) ?? emptySet);
  return encoded;
};

export const union = (a: FieldSet, b: FieldSet): FieldSet => {
  if (isEmpty(a)) return b;
  if (isEmpty(b)) return a;
  const children = new Map(a.children);
  for (const [edge, below] of b.children) {
    const present = children.get(edge);
    children.set(edge, present === undefined ? below : union(present, below));
  }
  return { member: a.member || b.member, children };
};

/** Members of `a` that are no members of `b`. */
export const difference = (a: FieldSet, b: FieldSet): FieldSet => {
  const children = new Map<string, FieldSet>();
  for (const [edge, below] of a.children) {
    const other = b.children.get(edge);
    const left = other === undefined ? below : difference(below, other);
    if (!isEmpty(left)) children.set(edge, left);
  }
  return { member: a.member && !b.member, children };
};

/** Members of both. */
export const intersection = (a: FieldSet, b: FieldSet): FieldSet => {
  const children = new Map<string, FieldSet>();
  for (const [edge, below] of a.children) {
    const other = b.children.get(edge);
    const both = other === undefined ? emptySet : intersection(below, other);
    if (!isEmpty(both)) children.set(edge, both);
  }
  return { member: a.member && b.member, children };
};

/** Everything of `a` but what lies at or below a member of `gone`: what is left when values vanish. */
export const without = (a: FieldSet, gone: FieldSet): FieldSet => {
  if (gone.member) return emptySet;
  const children = new Map<string, FieldSet>();
  for (const [edge, below] of a.children) {
    const other = gone.children.get(edge);
    const left = other === undefined ? below : without(below, other);
    if (!isEmpty(left)) children.set(edge, left);
  }
  return { member: a.member, children };
};

export const sameSet = (a: FieldSet, b: FieldSet): boolean => {
  if (a === b) return true;
  if (a.member !== b.member || a.children.size !== b.children.size) return false;
  for (const [edge, below] of a.children) {
    const other = b.children.get(edge);
    if (other === undefined || !sameSet(below, other)) return false;
  }
  return true;
};

const stepOf = (edge: string): string => {
  if (edge.startsWith('f:')) return `.${edge.slice(2)}`;
  if (edge.startsWith('k:')) {
    const keys = Object.entries(JSON.parse(edge.slice(2)) as Record<string, unknown>);
    return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
  }
  return `[=${edge.slice(2)}]`;
};

/** The members as Kubernetes' conflict messages write paths: `.spec.containers[name="web"].image`. */
export const pathsOf = ({ member, children }: FieldSet, at = ''): string[] => [
  ...(member ? [at] : []),
  ...[...children].flatMap(([edge, below]) => pathsOf(below, `${at}${stepOf(edge)}`)),
];
