// How the elements of a list are known to server-side apply: by their keys, or by their value.
import { isObject } from '../../base/json.js';
import type { SchemaNode } from '../../resources/schema-node.js';

/** True for lists whose elements have owners of their own. */
export const isAssociative = (node: SchemaNode | undefined): node is SchemaNode =>
  node?.type === 'array' && node.listType !== 'atomic';

/** A member that the value itself has: the names of fields come from clients, `constructor` among them. */
export const memberOf = (value: object, name: string): unknown =>
  Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;

/** Sets a member whatever its name, `__proto__` included. */
export const setMember = (target: object, name: string, value: unknown): void => {
  if (name !== '__proto__') (target as Record<string, unknown>)[name] = value;
  else Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
};

const keyText = (node: SchemaNode, item: object, key: string): string | undefined => {
  const value = memberOf(item, key) ?? node.element()?.field(key)?.default;
  return value === undefined || typeof value === 'object' ? undefined : `"${key}":${JSON.stringify(value)}`;
};

/**
 * Edge of an element: `k:{"containerPort":80,"protocol":"TCP"}` (keys sorted, defaults filled in) or `v:"value"`.
 * Undefined for what cannot be told from others: an element without any key, or a structure in a set.
 */
export const edgeOf = (node: SchemaNode, item: unknown): string | undefined => {
  if (node.listType === 'set')
    return typeof item === 'object' || item === undefined ? undefined : `v:${JSON.stringify(item)}`;
  if (!isObject(item)) return undefined;
  const [first, ...more] = node.listMapKeys;
  if (first === undefined) return undefined;
  const keys =
    more.length === 0
      ? keyText(node, item, first)
      : [...node.listMapKeys]
          .sort()
          .flatMap((key) => keyText(node, item, key) ?? [])
          .join(',');
  return keys === undefined || keys === '' ? undefined : `k:{${keys}}`;
};
