// What a custom resource keeps of what a client sent: fields that its schema knows (structural pruning), and nulls only
// where they are allowed. Follows apiextensions-apiserver `pkg/apiserver/schema/pruning` and `defaulting/prune.go`.
import { isObject } from '../../base/json.js';
import { OBJECT_META } from '../definitions.js';
import { child, item } from '../field-path.js';
import { pruneBy } from '../schema.js';
import { definitionNode } from '../schema-node.js';
import { isEmbedded, keepsUnknown, memberSchema, objectMembers } from './custom-schema.js';
import type { CustomSchema } from './custom-schema.js';

/** Metadata is pruned by what Kubernetes knows of it. */
const prunedMetadata = (value: unknown): unknown => {
  const node = definitionNode(OBJECT_META);
  return node === undefined || !isObject(value) ? value : pruneBy(node, value);
};

const unknownMetadata = (value: unknown, path: string, unknown: string[]): void => {
  const node = definitionNode(OBJECT_META);
  if (node === undefined || !isObject(value)) return;
  for (const name of Object.keys(value)) if (node.field(name) === undefined) unknown.push(child(path, name));
};

interface Walk {
  /** Paths of what was dropped for being unknown. */
  readonly unknown: string[];
}

const walkMembers = (
  schema: CustomSchema,
  object: Record<string, unknown>,
  { path, isResource, walk }: { readonly path: string; readonly isResource: boolean; readonly walk: Walk },
): unknown => {
  let changed = false;
  const kept: Record<string, unknown> = {};
  const keep = (name: string, before: unknown, after: unknown): void => {
    if (before !== after) changed = true;
    Object.defineProperty(kept, name, { value: after, enumerable: true, configurable: true, writable: true });
  };
  for (const [name, value] of Object.entries(object)) {
    const at =
      schema.properties?.[name] === undefined && isMap(schema) ? item(path, name) : child(path, name);
    if (isResource && objectMembers.has(name)) {
      if (name === 'metadata') unknownMetadata(value, at, walk.unknown);
      keep(name, value, name === 'metadata' ? prunedMetadata(value) : value);
      continue;
    }
    const member = memberSchema(schema, name);
    if (member === undefined) {
      if (keepsUnknown(schema)) keep(name, value, value);
      else {
        changed = true;
        walk.unknown.push(at);
      }
      continue;
    }
    // A null that may not be one is as good as absent; a default takes its place later.
    if (value === null && member.nullable !== true && mayDrop(member)) changed = true;
    else keep(name, value, walkValue(member, value, { path: at, walk }));
  }
  return changed ? kept : object;
};

const isMap = (schema: CustomSchema): boolean =>
  schema.additionalProperties !== undefined && schema.additionalProperties !== false;

/** A schema that says nothing of types allows null as it allows everything. */
const mayDrop = (schema: CustomSchema): boolean => schema.type !== undefined || schema.default !== undefined;

const walkValue = (
  schema: CustomSchema,
  value: unknown,
  { path, walk }: { readonly path: string; readonly walk: Walk },
): unknown => {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return value;
    const list = value.map((entry: unknown, index) =>
      walkValue(items, entry, { path: item(path, index), walk }),
    );
    return list.every((entry, index) => entry === value[index]) ? value : list;
  }
  if (!isObject(value)) return value;
  return walkMembers(schema, value, { path, isResource: isEmbedded(schema), walk });
};

export interface Pruned {
  /** The same object when there was nothing to prune. */
  readonly object: unknown;
  readonly unknown: readonly string[];
}

/** A whole custom resource. */
export const pruneResource = (schema: CustomSchema, object: unknown): Pruned => {
  const walk: Walk = { unknown: [] };
  if (!isObject(object)) return { object, unknown: [] };
  return { object: walkMembers(schema, object, { path: '', isResource: true, walk }), unknown: walk.unknown };
};

/** A value in it, such as a default. */
export const pruneValue = (schema: CustomSchema, value: unknown): Pruned => {
  const walk: Walk = { unknown: [] };
  return { object: walkValue(schema, value, { path: '', walk }), unknown: walk.unknown };
};
