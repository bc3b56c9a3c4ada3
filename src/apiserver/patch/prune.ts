// Taking out of an object what its manager applied before, applies no longer, and nobody else owns.
// Rules: kubernetes-sigs/structured-merge-diff, `merge.Updater.prune`.
import type { SchemaNode } from '../../resources/schema-node.js';
import { isGranular } from './compare.js';
import { isMember, type Fields, type FieldSet } from './field-set.js';
import { edgeOf, isAssociative, memberOf, setMember } from './list-items.js';

/** A field with a name is owned with anything below it; a key of a map or an element of a list only by itself. */
const holds = (set: FieldSet | undefined, isNamed: boolean): boolean =>
  set !== undefined && (isNamed || isMember(set));

interface Owned {
  readonly lost: FieldSet;
  /** What anyone owns now, the manager that prunes included. */
  readonly kept: Fields;
  /** What the manager that prunes applies now. */
  readonly applied: Fields;
}

const pruneMembers = (
  node: SchemaNode | undefined,
  value: object,
  { lost, kept, applied }: Owned,
): unknown => {
  const isNamed = node?.type === 'object';
  let pruned: object | undefined;
  for (const [edge, gone] of Object.entries(lost)) {
    if (!edge.startsWith('f:')) continue;
    const name = edge.slice(2);
    const member = memberOf(value, name);
    if (member === undefined) continue;
    const stays = kept?.[edge];
    const next =
      holds(gone, isNamed) && !holds(stays, isNamed)
        ? undefined
        : prune(node?.field(name), member, { lost: gone, kept: stays, applied: applied?.[edge] });
    if (next === member) continue;
    pruned ??= { ...value };
    if (next === undefined) Reflect.deleteProperty(pruned, name);
    else setMember(pruned, name, next);
  }
  if (pruned === undefined) return value;
  // What is still applied stays, be it empty (or only nulls); the rest goes with the last of its members.
  return Object.keys(pruned).length > 0 || applied !== undefined ? pruned : undefined;
};

const pruneItems = (node: SchemaNode, list: readonly unknown[], { lost, kept, applied }: Owned): unknown => {
  const items = list.flatMap((item) => {
    const edge = edgeOf(node, item);
    const gone = edge === undefined ? undefined : lost[edge];
    if (edge === undefined || gone === undefined) return [item];
    const stays = kept?.[edge];
    if (isMember(gone) && !holds(stays, false)) return [];
    return [prune(node.element(), item, { lost: gone, kept: stays, applied: applied?.[edge] }) ?? {}];
  });
  if (items.length === 0 && list.length > 0) return undefined;
  return items.length === list.length && items.every((item, index) => item === list[index]) ? list : items;
};

/** `value` without what is in `lost` and not in `kept`; undefined when nothing is left of it. */
export const prune = (node: SchemaNode | undefined, value: unknown, owned: Owned): unknown => {
  if (Array.isArray(value)) return isAssociative(node) ? pruneItems(node, value, owned) : value;
  return isGranular(node, value) ? pruneMembers(node, value, owned) : value;
};
