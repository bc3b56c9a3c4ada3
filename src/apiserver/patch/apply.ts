// Server-side apply: what a manager applies is merged into the live object; it owns what it applied, loses what it left
// out, and meets a conflict where it would change what another manager owns.
import type { Instant } from '../../base/clock.js';
import { ClusterError, type FieldError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import { apiVersionOf, type Kind } from '../../resources/kind.js';
import type { Draft, DraftMeta, ManagedFieldsEntry, Resource } from '../../resources/resource.js';
import { schemaOf } from '../../resources/schema-node.js';
import type { Difference } from './compare.js';
import {
  fieldsOfEntry,
  intersection,
  leaf,
  pathsOf,
  sameFields,
  union,
  type Fields,
  type FieldSet,
} from './field-set.js';
import { lay } from './lay.js';
import {
  entryOf,
  inOrder,
  isOwner,
  ownable,
  ownableDifference,
  reduced,
  type Owner,
} from './managed-fields.js';
import { prune } from './prune.js';

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

/** Nobody owns what the server sets, and no apply takes it away. */
const serverFields: FieldSet = { 'f:apiVersion': leaf, 'f:kind': leaf, 'f:metadata': leaf };

const checkApplied = ({ kind, applied, manager }: ApplyOptions): void => {
  const bad = (message: string): ClusterError => new ClusterError('BadRequest', message);
  if (manager === '') throw bad('fieldManager is required for apply patch');
  if (!isObject(applied) || !isObject(applied.metadata)) throw bad(`what is applied must be a ${kind.kind}`);
  const managedFields: unknown = applied.metadata.managedFields ?? [];
  if (!Array.isArray(managedFields) || managedFields.length > 0)
    throw bad('metadata.managedFields must be nil');
  const expected = apiVersionOf(kind);
  const { apiVersion = expected, kind: name = kind.kind } = applied;
  if (apiVersion !== expected || name !== kind.kind)
    throw bad(
      `what is applied says kind ${JSON.stringify(name)} and apiVersion ${JSON.stringify(apiVersion)}: a ${kind.kind} has apiVersion ${expected}`,
    );
};

/** The part of what is applied that this endpoint lets anyone own: the status has a way of its own. */
const concerned = ({ kind, applied, subresource }: ApplyOptions): object => {
  const fields = ownable(applied) as Record<string, unknown>;
  const { status, ...rest } = fields;
  if (subresource === 'status') return { status };
  return kind.subresources.includes('status') ? rest : fields;
};

const identityMembers = ['name', 'namespace', 'uid', 'resourceVersion'] as const;

/** Identity is not merged but checked by who writes the object: what was applied stands for the check. */
const identified = (merged: OpenResource, applied: DraftMeta): OpenResource => {
  const given = identityMembers.filter(
    (member) => typeof applied[member] === 'string' && applied[member] !== merged.metadata[member],
  );
  if (given.length === 0) return merged;
  const identity = Object.fromEntries(given.map((member) => [member, applied[member]]));
  return { ...merged, metadata: { ...merged.metadata, ...identity } };
};

const nameOf = ({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string => {
  const through = subresource === undefined ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  const using = operation === 'Apply' ? '' : ` using ${apiVersion}`;
  return `${JSON.stringify(manager)}${through}${using}`;
};

interface Claim {
  readonly owner: string;
  readonly paths: readonly string[];
}

/** In the words of apimachinery's `NewConflictError`, which kubectl shows as they are. */
const conflictError = (claims: readonly Claim[]): ClusterError => {
  const fields: FieldError[] = claims.flatMap(({ owner, paths }) =>
    paths.map((field) => ({
      type: 'FieldManagerConflict' as const,
      field,
      message: `conflict with ${owner}`,
    })),
  );
  const [first, ...more] = fields;
  const said =
    first !== undefined && more.length === 0
      ? `1 conflict: ${first.message}: ${first.field}`
      : `${fields.length} conflicts: ${[...claims]
          .sort((a, b) => (a.owner < b.owner ? -1 : 1))
          .flatMap(({ owner, paths }) => [`conflicts with ${owner}:`, ...paths.map((path) => `- ${path}`)])
          .join('\n')}`;
  return new ClusterError('Conflict', `Apply failed with ${said}`, { fields });
};

/** What others own and this apply would change, or take away by applying null. */
const conflictsOf = (
  others: readonly ManagedFieldsEntry[],
  { changed, removed }: Difference,
  mine: Fields,
): readonly Claim[] => {
  const touched = union(changed, intersection(mine, removed));
  if (touched === undefined) return [];
  return others.flatMap((entry) => {
    const paths = pathsOf(intersection(fieldsOfEntry(entry), touched));
    return paths.length === 0 ? [] : [{ owner: nameOf(entry), paths }];
  });
};

/** Objects that were written before anyone tracked owners belong to this one, as in Kubernetes. */
const entriesOf = ({ kind, live, now }: ApplyOptions): readonly ManagedFieldsEntry[] => {
  if (live === undefined) return [];
  const entries = live.metadata.managedFields ?? [];
  if (entries.length > 0) return entries;
  const first: Owner = { kind, manager: 'before-first-apply', operation: 'Update', subresource: undefined };
  return entryOf(first, ownableDifference(kind, undefined, live).changed, now);
};

interface Merged {
  readonly object: OpenResource;
  readonly mine: Fields;
}

const mergedOf = (
  options: ApplyOptions,
  previous: ManagedFieldsEntry | undefined,
  others: readonly ManagedFieldsEntry[],
): Merged => {
  const { kind, live, applied } = options;
  const node = schemaOf(kind);
  const base = live ?? { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: {} };
  const { value, fields: mine } = lay(node, base, concerned(options));
  const lost = previous === undefined ? undefined : fieldsOfEntry(previous);
  const pruned =
    lost === undefined || sameFields(lost, mine)
      ? value
      : prune(node, value, {
          lost,
          applied: mine,
          kept: others.reduce<Fields>(
            (all, entry) => union(all, fieldsOfEntry(entry)),
            union(mine, serverFields),
          ),
        });
  return { object: identified(pruned as OpenResource, applied.metadata), mine };
};

/**
 * The object as it is to be stored, managedFields included; the live object itself when nothing changes. Throws
 * Conflict, with a cause for each field, unless `force` takes the fields over; BadRequest for what cannot be applied.
 */
export const applyObject = (options: ApplyOptions): OpenResource => {
  checkApplied(options);
  const { kind, live, manager, force, subresource, now } = options;
  const owner: Owner = { kind, manager, operation: 'Apply', subresource };
  const entries = entriesOf(options);
  const previous = entries.find((entry) => isOwner(entry, owner));
  const others = entries.filter((entry) => entry !== previous);
  const { object, mine } = mergedOf(options, previous, others);

  const change =
    live === undefined || object === live
      ? { changed: undefined, removed: undefined }
      : ownableDifference(kind, live, object);
  if (!force) {
    const conflicts = conflictsOf(others, change, mine);
    if (conflicts.length > 0) throw conflictError(conflicts);
  }
  const keepsOwn =
    object === live && sameFields(previous === undefined ? undefined : fieldsOfEntry(previous), mine);
  if (keepsOwn && entries === (live.metadata.managedFields ?? entries)) return live;
  const own = keepsOwn && previous !== undefined ? [previous] : entryOf(owner, mine, now);
  const managedFields = inOrder([...others.flatMap((entry) => reduced(entry, change)), ...own]);
  return { ...object, metadata: { ...object.metadata, managedFields } };
};
