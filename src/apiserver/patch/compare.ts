// In which fields two values differ. Subtrees that both share cost nothing.
// Rules: kubernetes-sigs/structured-merge-diff, `typed.Compare`.
import { equal, isObject } from '../../base/json.js';
import type { SchemaNode } from '../../resources/schema-node.js';
import { leaf, nodeOf, type Fields, type FieldSet } from './field-set.js';
import { edgeOf, isAssociative, memberOf } from './list-items.js';

export interface Difference {
  /** Fields that are new or have another value. */
  readonly changed: Fields;
  /** Fields that are gone, with all that was below them. */
  readonly removed: Fields;
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

/** True for values whose members have owners of their own. */
export const isGranular = (node: SchemaNode | undefined, value: unknown): value is Record<string, unknown> =>
  isObject(value) && node?.type !== 'scalar' && node?.mapType !== 'atomic';

/**
 * Fields that Kubernetes' own types always write out, even empty. They never become members for having been added, so
 * that `f:spec` and `f:template` carry no `.` where `f:labels` does.
 */
const standing: ReadonlySet<string> = new Set([
  'metadata',
  'spec',
  'status',
  'template',
  'jobTemplate',
  'strategy',
  'updateStrategy',
  'containers',
  'loadBalancer',
  'nodeInfo',
  'daemonEndpoints',
  'kubeletEndpoint',
]);

class Collector {
  #changed: Record<string, FieldSet> | undefined;
  #removed: Record<string, FieldSet> | undefined;

  add(edge: string, difference: Difference | undefined): void {
    if (difference?.changed !== undefined) (this.#changed ??= {})[edge] = difference.changed;
    if (difference?.removed !== undefined) (this.#removed ??= {})[edge] = difference.removed;
  }

  /** The container itself is a member of what came or went when it was absent on that side. */
  result(before: unknown, after: unknown): Difference | undefined {
    const changed = nodeOf(before === undefined, this.#changed);
    const removed = nodeOf(after === undefined, this.#removed);
    return changed === undefined && removed === undefined ? undefined : { changed, removed };
  }
}

const changedLeaf: Difference = { changed: leaf, removed: undefined };
const removedLeaf: Difference = { changed: undefined, removed: leaf };

const compareLeaves = (before: unknown, after: unknown): Difference | undefined => {
  if (after === undefined) return removedLeaf;
  return before !== undefined && equal(before, after) ? undefined : changedLeaf;
};

const compareMembers = (
  node: SchemaNode | undefined,
  before: object | undefined,
  after: object | undefined,
): Difference | undefined => {
  const collector = new Collector();
  const stands = before !== undefined && after !== undefined && node?.type === 'object';
  const visit = (name: string, old: unknown, next: unknown): void => {
    if (old === next) return;
    const empty = stands && standing.has(name) ? (Array.isArray(old ?? next) ? [] : {}) : undefined;
    collector.add(`f:${name}`, compare(node?.field(name), old ?? empty, next ?? empty));
  };
  for (const [name, old] of Object.entries(before ?? {}))
    visit(name, old, after === undefined ? undefined : memberOf(after, name));
  for (const [name, next] of Object.entries(after ?? {}))
    if (before === undefined || memberOf(before, name) === undefined) visit(name, undefined, next);
  return collector.result(before, after);
};

/** Elements by edge. Elements that share an edge count as one value: the list of them. */
const grouped = (node: SchemaNode, list: readonly unknown[]): ReadonlyMap<string, readonly unknown[]> => {
  const groups = new Map<string, unknown[]>();
  for (const item of list) {
    const edge = edgeOf(node, item) ?? `v:${JSON.stringify(item)}`;
    const group = groups.get(edge);
    if (group === undefined) groups.set(edge, [item]);
    else group.push(item);
  }
  return groups;
};

const compareGroups = (
  element: SchemaNode | undefined,
  old: readonly unknown[] | undefined,
  next: readonly unknown[] | undefined,
): Difference | undefined =>
  (old?.length ?? 1) > 1 || (next?.length ?? 1) > 1
    ? compareLeaves(old, next)
    : compare(element, old?.[0], next?.[0]);

const sharesPlaces = (before: readonly unknown[], after: readonly unknown[]): boolean =>
  before.length === after.length && before.some((item, index) => item === after[index]);

const compareItems = (
  node: SchemaNode,
  before: readonly unknown[] | undefined,
  after: readonly unknown[] | undefined,
): Difference | undefined => {
  const collector = new Collector();
  let [old, next] = [before ?? [], after ?? []];
  // Elements that stand untouched in both need no edges.
  if (node.listType === 'map' && sharesPlaces(old, next)) {
    const changedAt = (_: unknown, index: number): boolean => before?.[index] !== after?.[index];
    [old, next] = [old.filter(changedAt), next.filter(changedAt)];
  }
  const groups = grouped(node, old);
  const others = grouped(node, next);
  for (const [edge, items] of groups)
    collector.add(edge, compareGroups(node.element(), items, others.get(edge)));
  for (const [edge, items] of others)
    if (!groups.has(edge)) collector.add(edge, compareGroups(node.element(), undefined, items));
  return collector.result(before, after);
};

const isEmpty = (value: unknown): boolean => {
  if (isAbsent(value)) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
};

type Shape = 'members' | 'items' | 'leaf';

const shapeOf = (node: SchemaNode | undefined, value: unknown): Shape => {
  if (Array.isArray(value)) return isAssociative(node) ? 'items' : 'leaf';
  return isGranular(node, value) ? 'members' : 'leaf';
};

const asObject = (value: unknown): object | undefined =>
  value === undefined ? undefined : isObject(value) ? value : {};

const asList = (value: unknown): readonly unknown[] | undefined =>
  value === undefined ? undefined : Array.isArray(value) ? value : [];

/** Undefined when nothing lies between the two. An absent value is undefined; null counts as an empty one. */
export const compare = (
  node: SchemaNode | undefined,
  before: unknown,
  after: unknown,
): Difference | undefined => {
  if (before === after) return undefined;
  const shape = shapeOf(node, isAbsent(after) ? before : after);
  if (!isAbsent(before) && !isAbsent(after) && shapeOf(node, before) !== shape)
    return {
      changed: compare(node, undefined, after)?.changed,
      removed: compare(node, before, undefined)?.removed,
    };
  if (shape === 'leaf' || (isEmpty(before) && isEmpty(after))) return compareLeaves(before, after);
  return shape === 'items'
    ? compareItems(node as SchemaNode, asList(before), asList(after))
    : compareMembers(node, asObject(before), asObject(after));
};
