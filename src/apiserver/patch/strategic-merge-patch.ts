// Strategic merge patch: lists of objects merge by key, and directives in the patch say what else to do.
// Semantics: Kubernetes' sig-api-machinery/strategic-merge-patch.md.
import { ClusterError } from '../../base/errors.js';
import { equal, isObject } from '../../base/json.js';
import type { Kind } from '../../resources/kind.js';
import { schemaOf, type SchemaNode } from '../../resources/schema-node.js';
import { elementOrder } from './element-order.js';

type Members = Readonly<Record<string, unknown>>;

const setOrder = '$setElementOrder/';
const deleteItems = '$deleteFromPrimitiveList/';

const badRequest = (message: string): ClusterError => new ClusterError('BadRequest', message);

const listOf = (value: unknown, name: string): readonly unknown[] => {
  if (!Array.isArray(value)) throw badRequest(`${name} must be a list`);
  return value;
};

/** A value of the patch as it stands, without directives. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value))
    return value.filter((item) => !isObject(item) || item['$patch'] === undefined).map(plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => !key.startsWith('$') && member !== null)
      .map(([key, member]) => [key, plain(member)]),
  );
};

const keyOfItem = (item: unknown, mergeKey: string): unknown => {
  const key = isObject(item) ? item[mergeKey] : undefined;
  if (key === undefined || key === null)
    throw badRequest(
      `an element of the list does not contain the declared merge key ${mergeKey}: ${JSON.stringify(item)}`,
    );
  return key;
};

interface ListPatch {
  readonly original: readonly unknown[];
  readonly patch: readonly unknown[];
  readonly order: readonly unknown[] | undefined;
}

const mergeObjects = (
  node: SchemaNode,
  mergeKey: string,
  { original, patch, order }: ListPatch,
): readonly unknown[] => {
  const element = node.element();
  if (patch.some((item) => isObject(item) && item['$patch'] === 'replace'))
    return patch.filter((item) => !isObject(item) || item['$patch'] === undefined).map(plain);
  const merged = [...original];
  for (const item of patch) {
    const key = keyOfItem(item, mergeKey);
    const at = merged.findIndex((present) => isObject(present) && equal(present[mergeKey], key));
    const directive = (item as Members)['$patch'];
    if (directive === 'delete') {
      if (at >= 0) merged.splice(at, 1);
    } else if (at >= 0) merged[at] = mergeMembers(element, merged[at] as Members, item as Members);
    else merged.push(plain(item));
  }
  return order === undefined
    ? merged
    : elementOrder(merged, {
        order: order.map((item) => keyOfItem(item, mergeKey)),
        before: original.map((item) => (item as Members)[mergeKey]),
        keyOf: (item) => (item as Members)[mergeKey],
      });
};

const mergeScalars = ({ original, patch, order }: ListPatch): readonly unknown[] => {
  const merged = [...original];
  for (const item of patch) if (!merged.some((present) => equal(present, item))) merged.push(item);
  return order === undefined
    ? merged
    : elementOrder(merged, { order, before: original, keyOf: (item) => item });
};

const mergeList = (node: SchemaNode, list: ListPatch): readonly unknown[] =>
  node.mergeKey === undefined ? mergeScalars(list) : mergeObjects(node, node.mergeKey, list);

const mergesLists = (node: SchemaNode | undefined): node is SchemaNode =>
  node?.type === 'array' && node.patchStrategy.includes('merge');

const mergeValue = (
  node: SchemaNode | undefined,
  {
    original,
    patch,
    order,
  }: { readonly original: unknown; readonly patch: unknown; readonly order: unknown },
): unknown => {
  if (Array.isArray(patch))
    return mergesLists(node)
      ? mergeList(node, {
          original: Array.isArray(original) ? original : [],
          patch,
          order: order === undefined ? undefined : listOf(order, '$setElementOrder'),
        })
      : plain(patch);
  if (!isObject(patch)) return patch;
  if (!isObject(original) || node?.patchStrategy.includes('replace') === true) {
    if (patch['$patch'] === 'delete') return undefined;
    return plain(patch);
  }
  return mergeMembers(node, original, patch);
};

/** Directives on a list whose own key the patch does not carry. */
const applyListDirectives = (
  node: SchemaNode | undefined,
  merged: Record<string, unknown>,
  patch: Members,
): void => {
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(deleteItems)) {
      const name = key.slice(deleteItems.length);
      const gone = listOf(value, key);
      const present = patch[name] === undefined ? merged[name] : merged[name];
      if (Array.isArray(present))
        merged[name] = present.filter((item) => !gone.some((other) => equal(item, other)));
    }
    if (key.startsWith(setOrder)) {
      const name = key.slice(setOrder.length);
      const field = node?.field(name);
      const present = merged[name];
      if (patch[name] === undefined && mergesLists(field) && Array.isArray(present))
        merged[name] = mergeList(field, { original: present, patch: [], order: listOf(value, key) });
    }
  }
};

const mergeMembers = (node: SchemaNode | undefined, original: Members, patch: Members): unknown => {
  if (patch['$patch'] === 'replace') return plain(patch);
  if (patch['$patch'] === 'delete') return {};
  if (patch['$patch'] !== undefined && patch['$patch'] !== 'merge')
    throw badRequest(
      `unknown $patch directive ${JSON.stringify(patch['$patch'])}: known are merge, replace and delete`,
    );
  const retained =
    patch['$retainKeys'] === undefined ? undefined : listOf(patch['$retainKeys'], '$retainKeys');
  const merged: Record<string, unknown> = Object.fromEntries(
    Object.entries(original).filter(([key]) => retained?.includes(key) !== false),
  );
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    const next =
      value === null
        ? undefined
        : mergeValue(node?.field(key), {
            original: merged[key],
            patch: value,
            order: patch[`${setOrder}${key}`],
          });
    if (next === undefined) Reflect.deleteProperty(merged, key);
    else
      Object.defineProperty(merged, key, {
        value: next,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  applyListDirectives(node, merged, patch);
  return merged;
};

/** A new document. Throws BadRequest for a patch that does not fit the kind's schema. */
export const strategicMergePatch = (
  kind: Pick<Kind, 'definition'>,
  document: unknown,
  patch: unknown,
): unknown => {
  if (!isObject(patch)) throw badRequest('a strategic merge patch must be an object');
  return mergeMembers(schemaOf(kind), isObject(document) ? document : {}, patch);
};
