// How the elements of a list are known to server-side apply: by their keys, or by their value.
import { canonical, isObject } from '../../base/json.js';
import type { SchemaNode } from '../../resources/schema-node.js';

/** True for lists whose elements have owners of their own. */
export const isAssociative = (node: SchemaNode | undefined): node is SchemaNode =>
  node?.type === 'array' && node.listType !== 'atomic';

/** Edge of an element: `k:{"name":"web"}` or `v:"value"`; undefined when it lacks every key. */
export const edgeOf = (node: SchemaNode, item: unknown): string | undefined => {
  if (node.listType === 'set') return `v:${JSON.stringify(item)}`;
  if (!isObject(item)) return undefined;
  const keys: Record<string, unknown> = {};
  let given = false;
  for (const key of node.listMapKeys) {
    const value = item[key] ?? node.element()?.field(key)?.default;
    if (value === undefined) continue;
    keys[key] = value;
    given = true;
  }
  return given ? `k:${canonical(keys)}` : undefined;
};

/** Elements by edge; later ones with the same edge count as further ones of their own (`edge` + position). */
export const itemsByEdge = (node: SchemaNode, list: readonly unknown[]): Map<string, unknown> => {
  const items = new Map<string, unknown>();
  list.forEach((item, index) => {
    const edge = edgeOf(node, item) ?? `v:${JSON.stringify(item)}`;
    items.set(items.has(edge) ? `${edge}#${String(index)}` : edge, item);
  });
  return items;
};
