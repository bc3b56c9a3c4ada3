// Values -> field sets: which fields an object has, and in which two objects differ.
// Source of the rules: kubernetes-sigs/structured-merge-diff, `typed` and `fieldpath`.
import { equal, isObject } from '../../base/json.js';
import type { SchemaNode } from '../../resources/schema-node.js';
import { emptySet, isEmpty, leafSet, type FieldSet } from './field-set.js';
import { isAssociative, itemsByEdge } from './list-items.js';

/** Below an unknown field everything is one value. */
export const isGranular = (node: SchemaNode | undefined, value: unknown): value is Record<string, unknown> =>
  isObject(value) && node?.type !== 'scalar' && node?.mapType !== 'atomic';

/** A map's own keys are members; an object's fields only where they end. */
const isMapEntry = (node: SchemaNode | undefined): boolean => node?.type === 'map';

const isHollow = (value: unknown): boolean =>
  value === null ||
  (isObject(value) && Object.keys(value).length === 0) ||
  (Array.isArray(value) && value.length === 0);

/** All fields of a value. */
export const fieldsOf = (node: SchemaNode | undefined, value: unknown): FieldSet => {
  if (Array.isArray(value)) {
    if (!isAssociative(node)) return leafSet;
    const children = new Map<string, FieldSet>();
    for (const [edge, item] of itemsByEdge(node, value)) {
      const below = node.listType === 'set' ? leafSet : fieldsOf(node.element(), item);
      children.set(edge, { member: true, children: below.children });
    }
    return { member: children.size === 0, children };
  }
  if (!isGranular(node, value)) return leafSet;
  const children = new Map<string, FieldSet>();
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const below = fieldsOf(node?.field(name), member);
    const marked = isHollow(member) || isMapEntry(node) ? { member: true, children: below.children } : below;
    if (!isEmpty(marked)) children.set(`f:${name}`, marked);
  }
  return { member: false, children };
};

export interface Comparison {
  /** Fields that are new or have another value. */
  readonly changed: FieldSet;
  /** Fields that are gone, each with all that was below it. */
  readonly removed: FieldSet;
}

const nothing: Comparison = { changed: emptySet, removed: emptySet };

interface Pair {
  readonly edge: string;
  readonly node: SchemaNode | undefined;
  readonly before: unknown;
  readonly after: unknown;
  readonly isItem: boolean;
}

const pairsOf = (
  node: SchemaNode | undefined,
  before: unknown,
  after: unknown,
): readonly Pair[] | undefined => {
  if (Array.isArray(before) && Array.isArray(after) && isAssociative(node)) {
    const old = itemsByEdge(node, before);
    const now = itemsByEdge(node, after);
    return [...new Set([...old.keys(), ...now.keys()])].map((edge) => ({
      edge,
      node: node.element(),
      before: old.get(edge),
      after: now.get(edge),
      isItem: true,
    }));
  }
  if (!isGranular(node, before) || !isGranular(node, after)) return undefined;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].map((name) => ({
    edge: `f:${name}`,
    node: node?.field(name),
    before: before[name],
    after: after[name],
    isItem: isMapEntry(node),
  }));
};

const marked = (set: FieldSet, member: boolean): FieldSet => (member ? { ...set, member: true } : set);

/** What lies between two values; equal subtrees that are shared cost nothing. */
export const compare = (node: SchemaNode | undefined, before: unknown, after: unknown): Comparison => {
  if (before === after) return nothing;
  const pairs = pairsOf(node, before, after);
  if (pairs === undefined)
    return equal(before, after) ? nothing : { changed: fieldsOf(node, after), removed: emptySet };
  const changed = new Map<string, FieldSet>();
  const removed = new Map<string, FieldSet>();
  for (const pair of pairs) {
    if (pair.before === pair.after) continue;
    if (pair.after === undefined) removed.set(pair.edge, leafSet);
    else if (pair.before === undefined)
      changed.set(pair.edge, marked(fieldsOf(pair.node, pair.after), pair.isItem || isHollow(pair.after)));
    else {
      const below = compare(pair.node, pair.before, pair.after);
      if (!isEmpty(below.changed)) changed.set(pair.edge, below.changed);
      if (!isEmpty(below.removed)) removed.set(pair.edge, below.removed);
    }
  }
  return { changed: { member: false, children: changed }, removed: { member: false, children: removed } };
};
