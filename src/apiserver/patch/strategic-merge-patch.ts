// Strategic merge patch: lists of objects merge by key, and directives in the patch say what else to do.
// Rules: apimachinery's `strategicpatch` and sig-api-machinery/strategic-merge-patch.md.
import { ClusterError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import type { Kind } from '../../resources/kind.js';
import { schemaOf, type SchemaNode } from '../../resources/schema-node.js';
import { memberOf, setMember } from './list-items.js';
import {
  added,
  asksDeletion,
  deleteItems,
  directiveOf,
  isDirective,
  retainKeys,
  setOrder,
} from './strategic-directives.js';
import { mergeList } from './strategic-list.js';

type Members = Readonly<Record<string, unknown>>;

const badRequest = (message: string): ClusterError => new ClusterError('BadRequest', message);

const listOf = (value: unknown, name: string): readonly unknown[] | undefined => {
  if (value === undefined || Array.isArray(value)) return value;
  throw badRequest(`${name} must be a list, not ${JSON.stringify(value)}`);
};

const retained = (original: Members, patch: Members): Members => {
  const keys = listOf(patch[retainKeys], retainKeys);
  if (keys === undefined) return original;
  const stray = Object.keys(patch).find(
    (name) => !isDirective(name) && patch[name] !== null && !keys.includes(name),
  );
  if (stray !== undefined)
    throw badRequest(`$retainKeys must list every field that the patch sets: ${stray} is missing`);
  return Object.fromEntries(Object.entries(original).filter(([name]) => keys.includes(name)));
};

const mergeValue = (node: SchemaNode | undefined, original: unknown, patch: unknown): unknown => {
  if (Array.isArray(patch)) return mergeList(node, { original: listIn(original), patch, mergeMembers });
  if (!isObject(patch)) return patch;
  if (!isObject(original)) return asksDeletion(patch) ? undefined : added(patch);
  if (node?.patchStrategy.includes('replace') === true) return added(patch);
  return mergeMembers(node, original, patch);
};

const listIn = (value: unknown): readonly unknown[] | undefined => (Array.isArray(value) ? value : undefined);

interface FieldPatch {
  readonly name: string;
  readonly original: unknown;
  readonly patch: Members;
}

/** A field with what the patch says about it: its value, the order of its elements, elements to delete. */
const mergeField = (node: SchemaNode | undefined, { name, original, patch }: FieldPatch): unknown => {
  const value = memberOf(patch, name);
  const order = listOf(memberOf(patch, `${setOrder}${name}`), `${setOrder}${name}`);
  const gone = listOf(memberOf(patch, `${deleteItems}${name}`), `${deleteItems}${name}`);
  if (value === null) return undefined;
  let result = original;
  if (order !== undefined && (value === undefined || Array.isArray(value)))
    result = mergeList(node, { original: listIn(original), patch: value, order, mergeMembers }) ?? original;
  else if (value !== undefined) result = mergeValue(node, original, value);
  if (gone === undefined || !Array.isArray(result)) return result;
  const texts = new Set(gone.map((item) => JSON.stringify(item)));
  return result.filter((item) => !texts.has(JSON.stringify(item)));
};

const fieldNamed = (name: string): string | undefined => {
  if (name.startsWith(setOrder)) return name.slice(setOrder.length);
  if (name.startsWith(deleteItems)) return name.slice(deleteItems.length);
  return isDirective(name) ? undefined : name;
};

/** Shares with `original` what the patch does not touch. */
const mergeMembers = (node: SchemaNode | undefined, original: Members, patch: Members): Members => {
  const directive = patch[directiveOf];
  if (directive === 'replace') return added(patch) as Members;
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge')
    throw badRequest(
      `unknown $patch directive ${JSON.stringify(directive)}: known are merge, replace and delete`,
    );
  const base = retained(original, patch);
  const merged: Record<string, unknown> = { ...base };
  const names = new Set(Object.keys(patch).flatMap((name) => fieldNamed(name) ?? []));
  for (const name of names) {
    const was = memberOf(base, name);
    const next = mergeField(node?.field(name), { name, original: was, patch });
    if (next === undefined) Reflect.deleteProperty(merged, name);
    else setMember(merged, name, next);
  }
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
