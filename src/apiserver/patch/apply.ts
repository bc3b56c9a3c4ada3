// Server-side apply: what a manager applies is merged into the live object; it owns what it applied, loses what it left
// out, and meets a conflict where it would change what another manager owns.
import type { Instant } from '../../base/clock.js';
import { ClusterError, type FieldError } from '../../base/errors.js';
import { equal, isObject } from '../../base/json.js';
import { apiVersionOf, type Kind } from '../../resources/kind.js';
import type { Draft, ManagedFieldsEntry, Resource } from '../../resources/resource.js';
import { schemaOf, type SchemaNode } from '../../resources/schema-node.js';
import { difference, emptySet, intersection, isEmpty, pathsOf, without, type FieldSet } from './field-set.js';
import { isGranular } from './fields-of.js';
import { isAssociative, itemsByEdge } from './list-items.js';
import {
  entryFor,
  isOwner,
  ownableChanges,
  ownableFields,
  ownershipsOf,
  reduced,
  type Owner,
  type Ownership,
} from './managed-fields.js';

type OpenResource = Resource & { readonly [member: string]: unknown };

export interface ApplyOptions {
  readonly kind: Kind;
  /** Undefined: the object does not exist yet. */
  readonly live: OpenResource | undefined;
  readonly applied: Draft;
  readonly manager: string;
  readonly force: boolean;
  readonly subresource?: string | undefined;
  readonly now: Instant;
}

const mergeItems = (
  node: SchemaNode,
  live: readonly unknown[],
  applied: readonly unknown[],
): readonly unknown[] => {
  const wanted = itemsByEdge(node, applied);
  const merged = [...itemsByEdge(node, live)].map(([edge, item]) => {
    if (!wanted.has(edge)) return item;
    const next = merge(node.element(), item, wanted.get(edge));
    wanted.delete(edge);
    return next;
  });
  const same =
    wanted.size === 0 && merged.length === live.length && merged.every((item, index) => item === live[index]);
  return same ? live : [...merged, ...wanted.values()];
};

/** The live value where both are the same, so that an apply that changes nothing gives back the live object. */
const kept = (live: unknown, applied: unknown): unknown => (equal(live, applied) ? live : applied);

/** `applied` laid over `live`; shares with `live` what does not change. */
const merge = (node: SchemaNode | undefined, live: unknown, applied: unknown): unknown => {
  if (Array.isArray(applied))
    return isAssociative(node) && Array.isArray(live) ? mergeItems(node, live, applied) : kept(live, applied);
  if (!isGranular(node, applied) || !isGranular(node, live)) return kept(live, applied);
  let merged: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(applied)) {
    if (value === undefined) continue;
    const next = value === null ? undefined : merge(node?.field(name), live[name], value);
    if (next === live[name]) continue;
    merged ??= { ...live };
    if (next === undefined) Reflect.deleteProperty(merged, name);
    else
      Object.defineProperty(merged, name, {
        value: next,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return merged ?? live;
};

/** Takes out what is in `lost` and nowhere below which a member of `kept` stands. */
const prune = (
  node: SchemaNode | undefined,
  value: unknown,
  { lost, kept }: { readonly lost: FieldSet; readonly kept: readonly FieldSet[] },
): unknown => {
  const below = (edge: string): readonly FieldSet[] =>
    kept.flatMap((set) => {
      const child = set.children.get(edge);
      return child === undefined ? [] : [child];
    });
  if (Array.isArray(value) && isAssociative(node)) {
    const items = [...itemsByEdge(node, value)].flatMap(([edge, item]) => {
      const gone = lost.children.get(edge);
      if (gone === undefined) return [item];
      const rest = below(edge);
      return rest.length === 0 ? [] : [prune(node.element(), item, { lost: gone, kept: rest })];
    });
    return items.length === value.length && items.every((item, index) => item === value[index])
      ? value
      : items;
  }
  if (!isGranular(node, value)) return value;
  let pruned: Record<string, unknown> | undefined;
  for (const [edge, gone] of lost.children) {
    const name = edge.slice(2);
    if (!edge.startsWith('f:') || !(name in value)) continue;
    const rest = below(edge);
    const next =
      rest.length === 0 ? undefined : prune(node?.field(name), value[name], { lost: gone, kept: rest });
    if (next === value[name]) continue;
    pruned ??= { ...value };
    if (next === undefined) Reflect.deleteProperty(pruned, name);
    else pruned[name] = next;
  }
  return pruned ?? value;
};

const conflictError = (
  conflicts: readonly { readonly entry: ManagedFieldsEntry; readonly fields: FieldSet }[],
): ClusterError => {
  const fields: FieldError[] = conflicts.flatMap(({ entry, fields: set }) => {
    const { manager, operation, apiVersion, subresource } = entry;
    const with_ = subresource === undefined ? '' : ` with subresource ${JSON.stringify(subresource)}`;
    const using = operation === 'Apply' ? '' : ` using ${apiVersion}`;
    return pathsOf(set).map((field) => ({
      type: 'FieldManagerConflict' as const,
      field,
      message: `conflict with ${JSON.stringify(manager)}${with_}${using}`,
    }));
  });
  const said = fields.map(({ field, message }) => `${message}: ${field}`);
  const plural = fields.length === 1 ? 'conflict' : 'conflicts';
  return new ClusterError('Conflict', `Apply failed with ${fields.length} ${plural}: ${said.join('; ')}`, {
    fields,
  });
};

/** Objects that were written before anyone tracked owners belong to this one, as in Kubernetes. */
const firstOwner = ({ kind, live, now }: ApplyOptions): readonly Ownership[] => {
  if (live === undefined) return [];
  const owners = ownershipsOf(live);
  if (owners.length > 0) return owners;
  const fields = ownableFields(kind, live);
  if (isEmpty(fields)) return [];
  const owner: Owner = { manager: 'before-first-apply', operation: 'Update', subresource: undefined };
  return [{ entry: entryFor(owner, fields, { kind, now, previous: undefined }), fields }];
};

const checkApplied = ({ kind, applied, manager }: ApplyOptions): void => {
  if (manager === '') throw new ClusterError('BadRequest', 'fieldManager is required for apply patch');
  if (!isObject(applied)) throw new ClusterError('BadRequest', `what is applied must be a ${kind.kind}`);
  if (applied.metadata.managedFields !== undefined && applied.metadata.managedFields.length > 0)
    throw new ClusterError('BadRequest', 'metadata.managedFields must be nil');
};

/**
 * The object as it is to be stored, managedFields included; the live object itself when nothing changes. Throws
 * Conflict, with a cause for each field, unless `force` takes the fields over.
 */
export const applyObject = (options: ApplyOptions): OpenResource => {
  checkApplied(options);
  const { kind, live, manager, force, subresource, now } = options;
  const node = schemaOf(kind);
  const applied = { ...options.applied, apiVersion: apiVersionOf(kind), kind: kind.kind };
  const owner: Owner = { manager, operation: 'Apply', subresource };
  const owners = firstOwner(options);
  const previous = owners.find((ownership) => isOwner(ownership, owner));
  const others = owners.filter((ownership) => ownership !== previous);
  const mine = ownableFields(kind, applied);

  const base = live ?? { ...applied };
  const laid = merge(node, base, applied);
  const merged = (
    previous === undefined
      ? laid
      : prune(node, laid, { lost: previous.fields, kept: [mine, ...others.map(({ fields }) => fields)] })
  ) as OpenResource;

  const { changed, removed } =
    live === undefined ? { changed: emptySet, removed: emptySet } : ownableChanges(kind, live, merged);
  const conflicts = others
    .map(({ entry, fields }) => ({ entry, fields: intersection(fields, changed) }))
    .filter(({ fields }) => !isEmpty(fields));
  if (conflicts.length > 0 && !force) throw conflictError(conflicts);

  const entries = [
    ...others.flatMap((ownership) =>
      reduced(ownership, difference(without(ownership.fields, removed), changed)),
    ),
    ...(isEmpty(mine) ? [] : [entryFor(owner, mine, { kind, now, previous })]),
  ];
  const before = live?.metadata.managedFields ?? [];
  const unchanged = entries.length === before.length && entries.every((entry) => before.includes(entry));
  if (live !== undefined && merged === live && unchanged) return live;
  return { ...merged, metadata: { ...merged.metadata, managedFields: unchanged ? before : entries } };
};
