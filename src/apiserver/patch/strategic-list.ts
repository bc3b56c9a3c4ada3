// How a strategic merge patch merges lists: by the key of their elements, or as sets of plain values.
import { ClusterError } from '../../base/errors.js';
import { canonical, isObject } from '../../base/json.js';
import type { SchemaNode } from '../../resources/schema-node.js';
import { elementOrder } from './element-order.js';
import { memberOf } from './list-items.js';
import { added } from './strategic-directives.js';

type Members = Readonly<Record<string, unknown>>;
type List = readonly unknown[];

export interface ListPatch {
  readonly original: List | undefined;
  /** Undefined: the patch only asks for an order. */
  readonly patch: List | undefined;
  /** `$setElementOrder`: elements, or objects with nothing but the merge key. */
  readonly order?: List | undefined;
  /** How two elements with the same key merge. */
  mergeMembers(node: SchemaNode | undefined, original: Members, patch: Members): Members;
}

const badRequest = (message: string): ClusterError => new ClusterError('BadRequest', message);

const textOf = (value: unknown): string => (typeof value === 'string' ? `"${value}` : canonical(value));

/** How an element is told from the others: by its merge key, or as itself. */
const keyIn =
  (mergeKey: string | undefined) =>
  (item: unknown): string => {
    if (mergeKey === undefined) return textOf(item);
    const key = isObject(item) ? memberOf(item, mergeKey) : undefined;
    if (key === undefined || key === null)
      throw badRequest(
        `an element of the list does not contain the declared merge key ${mergeKey}: ${JSON.stringify(item)}`,
      );
    return textOf(key);
  };

/** For elements of the live object, which may lack the key: they match nothing. */
const looseKeyIn =
  (mergeKey: string | undefined) =>
  (item: unknown): string => {
    const key = mergeKey === undefined ? item : isObject(item) ? memberOf(item, mergeKey) : undefined;
    return key === undefined || key === null ? '' : textOf(key);
  };

const mergeScalars = (original: List, patch: List): List => {
  const stray = patch.find((item) => typeof item === 'object');
  if (stray !== undefined)
    throw badRequest(`the list holds plain values; ${JSON.stringify(stray)} cannot be merged into it`);
  return [...new Map([...original, ...patch].map((item) => [textOf(item), item])).values()];
};

const isReplacement = (item: unknown): boolean => isObject(item) && item['$patch'] === 'replace';

const mergeObjects = (
  node: SchemaNode,
  mergeKey: string,
  { original, patch, mergeMembers }: Merging,
): List => {
  if (patch.some(isReplacement)) return added(patch) as List;
  const keyOf = keyIn(mergeKey);
  const places = new Map<string, number>();
  const merged: (Members | undefined)[] = [];
  for (const item of original as readonly Members[]) {
    const key = looseKeyIn(mergeKey)(item);
    if (!places.has(key)) places.set(key, merged.length);
    merged.push(item);
  }
  const deleted = new Set<string>();
  for (const item of patch) {
    const key = keyOf(item);
    const change = item as Members;
    const at = places.get(key);
    const present = at === undefined ? undefined : merged[at];
    if (change['$patch'] === 'delete') deleted.add(key);
    else if (at === undefined || present === undefined) {
      places.set(key, merged.length);
      merged.push(added(change) as Members);
    } else merged[at] = mergeMembers(node.element(), present, change);
  }
  if (deleted.size === 0) return merged;
  const isDeleted = looseKeyIn(mergeKey);
  return merged.filter((item) => !deleted.has(isDeleted(item)));
};

interface Merging extends Pick<ListPatch, 'mergeMembers'> {
  readonly original: List;
  readonly patch: List;
}

/** Elements without a directive, whose order in the patch counts. */
const plainOf = (patch: List): List =>
  patch.filter((item) => !isObject(item) || item['$patch'] === undefined);

const checkOrder = (patch: List, order: readonly string[], keyOf: (item: unknown) => string): void => {
  const places = new Map(order.map((key, index) => [key, index]));
  let last = -1;
  for (const item of plainOf(patch)) {
    const place = places.get(keyOf(item)) ?? -1;
    if (place <= last)
      throw badRequest(
        `the elements of the patch do not stand in the order of its $setElementOrder list: ${JSON.stringify(item)}`,
      );
    last = place;
  }
};

/** Undefined when neither the object nor the patch has the list. */
export const mergeList = (
  node: SchemaNode | undefined,
  { original, patch, order, mergeMembers }: ListPatch,
): List | undefined => {
  if (original === undefined && patch === undefined) return undefined;
  if (node?.type !== 'array' || !node.patchStrategy.includes('merge'))
    return patch === undefined ? original : (added(patch) as List);
  const { mergeKey } = node;
  const before = original ?? [];
  const keyOf = keyIn(mergeKey);
  const asked = order?.map(keyOf);
  if (patch !== undefined && asked !== undefined) checkOrder(patch, asked, keyOf);
  if (patch?.some(isReplacement) === true && asked === undefined) return added(patch) as List;
  const merged =
    patch === undefined
      ? before
      : mergeKey === undefined
        ? mergeScalars(before, patch)
        : mergeObjects(node, mergeKey, { original: before, patch, mergeMembers });
  return elementOrder(merged, {
    order: asked ?? plainOf(patch ?? []).map(keyOf),
    before: before.map(looseKeyIn(mergeKey)),
    keyOf: looseKeyIn(mergeKey),
  });
};
