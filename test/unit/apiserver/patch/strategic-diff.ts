// The strategic merge patch that kubectl would send to lead from one object to another (`kubectl apply`, `edit`).
import { equal, isObject } from '../../../../src/base/json.js';
import type { SchemaNode } from '../../../../src/resources/schema-node.js';

type Members = Readonly<Record<string, unknown>>;

const pick = (item: unknown, key: string): Members => ({ [key]: (item as Members)[key] });

const diffObjects = (
  node: SchemaNode,
  mergeKey: string,
  from: readonly Members[],
  to: readonly Members[],
): unknown[] => {
  const of = (list: readonly Members[], item: Members): Members | undefined =>
    list.find((other) => other[mergeKey] === item[mergeKey]);
  const changed = to.flatMap((item) => {
    const before = of(from, item);
    if (before === undefined) return [item];
    return equal(before, item) ? [] : [{ ...diff(node.element()!, before, item), ...pick(item, mergeKey) }];
  });
  const deleted = from
    .filter((item) => of(to, item) === undefined)
    .map((item) => ({ $patch: 'delete', ...pick(item, mergeKey) }));
  return [...changed, ...deleted];
};

const diffList = (
  node: SchemaNode,
  name: string,
  from: readonly unknown[],
  to: readonly unknown[],
): Members => {
  if (!node.patchStrategy.includes('merge')) return { [name]: to };
  const { mergeKey } = node;
  const order = `$setElementOrder/${name}`;
  if (mergeKey === undefined) {
    const gone = from.filter((item) => !to.includes(item));
    const added = to.filter((item) => !from.includes(item));
    return {
      [order]: to,
      ...(added.length > 0 ? { [name]: added } : {}),
      ...(gone.length > 0 ? { [`$deleteFromPrimitiveList/${name}`]: gone } : {}),
    };
  }
  const items = diffObjects(node, mergeKey, from as readonly Members[], to as readonly Members[]);
  return { [order]: to.map((item) => pick(item, mergeKey)), ...(items.length > 0 ? { [name]: items } : {}) };
};

const diffField = (node: SchemaNode, name: string, from: unknown, to: unknown): Members => {
  const field = node.field(name)!;
  if (to === undefined) return { [name]: null };
  if (Array.isArray(from) && Array.isArray(to)) return diffList(field, name, from, to);
  if (isObject(from) && isObject(to)) {
    const retained = field.patchStrategy.includes('retainKeys')
      ? { $retainKeys: Object.keys(to).sort() }
      : {};
    return { [name]: { ...retained, ...diff(field, from, to) } };
  }
  return { [name]: to };
};

export const diff = (node: SchemaNode, from: Members, to: Members): Members => {
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  const changed = [...names].filter((name) => !equal(from[name], to[name]));
  return Object.assign({}, ...changed.map((name) => diffField(node, name, from[name], to[name]))) as Members;
};
