// What a manager applies, laid over the live object, and the fields that it thereby owns.
// Rules: kubernetes-sigs/structured-merge-diff, `typed.Merge` and `typed.ToFieldSet`.
import { ClusterError } from '../../base/errors.js';
import { equal, isObject } from '../../base/json.js';
import type { SchemaNode } from '../../resources/schema-node.js';
import { isGranular } from './compare.js';
import { leaf, nodeOf, pathsOf, type Fields, type FieldSet } from './field-set.js';
import { edgeOf, isAssociative, memberOf, setMember } from './list-items.js';

export interface Laid {
  /** The live value itself where nothing changed; undefined where null was applied. */
  readonly value: unknown;
  readonly fields: Fields;
}

const isHollow = (value: unknown): boolean =>
  value === null || (isObject(value) && Object.keys(value).length === 0);

/** Null asks for absence, also inside of what is replaced as a whole. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    const items = value.map(withoutNulls);
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  if (!isObject(value)) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [name, member] of Object.entries(value)) {
    const next = member === null ? undefined : withoutNulls(member);
    if (next === member) continue;
    copy ??= { ...value };
    if (next === undefined) Reflect.deleteProperty(copy, name);
    else setMember(copy, name, next);
  }
  return copy ?? value;
};

const layMembers = (node: SchemaNode | undefined, live: unknown, applied: object): Laid => {
  const base = isObject(live) ? live : undefined;
  // Every key of a map is a member; the fields of an object only where they end.
  const isMap = node?.type !== 'object';
  let merged: Record<string, unknown> | undefined;
  let fields: Record<string, FieldSet> | undefined;
  for (const [name, member] of Object.entries(applied)) {
    if (member === undefined) continue;
    const was = base === undefined ? undefined : memberOf(base, name);
    const { value, fields: below } = lay(node?.field(name), was, member);
    const marked = isMap || isHollow(member) ? (below === leaf ? leaf : nodeOf(true, below)) : below;
    if (marked !== undefined) (fields ??= {})[`f:${name}`] = marked;
    if (value === was) continue;
    merged ??= { ...base };
    if (value === undefined) Reflect.deleteProperty(merged, name);
    else setMember(merged, name, value);
  }
  return { value: merged ?? base ?? {}, fields };
};

interface Items {
  readonly edges: readonly (string | undefined)[];
  /** Position of each edge; of its first element where several share one. */
  readonly at: ReadonlyMap<string, number>;
}

const itemsOf = (node: SchemaNode, list: readonly unknown[]): Items => {
  const edges = list.map((item) => edgeOf(node, item));
  const at = new Map<string, number>();
  for (const [index, edge] of edges.entries()) if (edge !== undefined && !at.has(edge)) at.set(edge, index);
  return { edges, at };
};

const checkItems = (node: SchemaNode, applied: readonly unknown[], { edges, at }: Items): void => {
  const nameless = edges.indexOf(undefined);
  if (nameless >= 0)
    throw new ClusterError(
      'BadRequest',
      node.listType === 'set'
        ? `an element of a set must be a plain value, not ${JSON.stringify(applied[nameless])}`
        : `an element of a list lacks what it is known by (${node.listMapKeys.join(', ')}): ${JSON.stringify(applied[nameless])}`,
    );
  const twin = edges.find((edge, index) => at.get(edge ?? '') !== index);
  if (twin !== undefined)
    throw new ClusterError(
      'BadRequest',
      `duplicate entries for key ${pathsOf({ [twin]: leaf })[0] ?? ''}: an element can be applied only once`,
    );
};

/**
 * The order of the merged list: applied elements in the order in which they are applied; those that only the live list
 * has keep their place among the live elements, as early as that allows.
 */
const layItems = (node: SchemaNode, live: readonly unknown[], applied: readonly unknown[]): Laid => {
  const present = itemsOf(node, live);
  const wanted = itemsOf(node, applied);
  checkItems(node, applied, wanted);
  const shared = wanted.edges.filter((edge) => edge !== undefined && present.at.has(edge));
  const element = node.element();
  const merged: unknown[] = [];
  let fields: Record<string, FieldSet> | undefined;
  let cursor = 0;
  let met = 0;
  const passLive = (): void => {
    for (; cursor < live.length; cursor += 1) {
      const edge = present.edges[cursor];
      if (edge === undefined || !wanted.at.has(edge)) merged.push(live[cursor]);
      else if (met < shared.length && edge === shared[met]) return;
    }
  };
  for (const [index, edge] of wanted.edges.entries()) {
    if (edge === undefined) continue;
    passLive();
    const at = present.at.get(edge);
    const { value, fields: below } = lay(element, at === undefined ? undefined : live[at], applied[index]);
    (fields ??= {})[edge] = below === leaf || below === undefined ? leaf : { '.': leaf, ...below };
    merged.push(value);
    if (at === undefined) continue;
    met += 1;
    if (present.edges[cursor] === edge) cursor += 1;
  }
  passLive();
  const same = merged.length === live.length && merged.every((item, index) => item === live[index]);
  return { value: same ? live : merged, fields };
};

/** Throws BadRequest for elements that cannot be told apart. */
export const lay = (node: SchemaNode | undefined, live: unknown, applied: unknown): Laid => {
  if (applied === null) return { value: undefined, fields: leaf };
  if (Array.isArray(applied) && isAssociative(node)) {
    // Without elements there is nothing to own: as in Kubernetes, the same as leaving the list out.
    if (applied.length === 0) return { value: live, fields: undefined };
    return layItems(node, Array.isArray(live) ? live : [], applied);
  }
  if (isGranular(node, applied)) return layMembers(node, live, applied);
  if (equal(live, applied)) return { value: live, fields: leaf };
  const value = node === undefined || node.type === 'any' ? applied : withoutNulls(applied);
  return { value: value !== applied && equal(live, value) ? live : value, fields: leaf };
};
