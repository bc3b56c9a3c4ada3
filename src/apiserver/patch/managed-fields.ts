// Who owns which field (`metadata.managedFields`): one entry for each manager, operation and subresource.
// Rules: kubernetes-sigs/structured-merge-diff, `merge.Updater`, and apimachinery's `managedfields`.
import { fromTimestamp, toTimestamp, type Instant } from '../../base/clock.js';
import { isObject } from '../../base/json.js';
import { apiVersionOf, type Kind } from '../../resources/kind.js';
import type { ManagedFieldsEntry, Resource } from '../../resources/resource.js';
import { schemaOf } from '../../resources/schema-node.js';
import { compare, type Difference } from './compare.js';
import { difference, fieldsOfEntry, isFieldSet, sorted, union, type Fields } from './field-set.js';

/** As much of an object as anyone can own: the server owns the rest of the metadata. */
export const ownable = (object: object): object => {
  const { metadata } = object as Readonly<Record<string, unknown>>;
  const owned = { ...object, apiVersion: undefined, kind: undefined };
  if (!isObject(metadata)) return owned;
  const { labels, annotations, ownerReferences, finalizers, generateName } = metadata;
  return { ...owned, metadata: { labels, annotations, ownerReferences, finalizers, generateName } };
};

const none: Difference = { changed: undefined, removed: undefined };

/** In which ownable fields two states of an object differ; `before` is undefined for a new one. */
export const ownableDifference = (kind: Kind, before: object | undefined, after: object): Difference =>
  compare(schemaOf(kind), before === undefined ? {} : ownable(before), ownable(after)) ?? none;

export interface Owner {
  readonly kind: Kind;
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource: string | undefined;
}

/** An applier is the same whatever version it applies. */
export const isOwner = (entry: ManagedFieldsEntry, owner: Owner): boolean =>
  entry.manager === owner.manager &&
  entry.operation === owner.operation &&
  (entry.subresource ?? '') === (owner.subresource ?? '') &&
  (owner.operation === 'Apply' || entry.apiVersion === apiVersionOf(owner.kind));

export const entryOf = (owner: Owner, fields: Fields, now: Instant): readonly ManagedFieldsEntry[] =>
  fields === undefined
    ? []
    : [
        {
          manager: owner.manager,
          operation: owner.operation,
          apiVersion: apiVersionOf(owner.kind),
          time: toTimestamp(now),
          fieldsType: 'FieldsV1',
          fieldsV1: sorted(fields),
          ...(owner.subresource === undefined ? {} : { subresource: owner.subresource }),
        },
      ];

/** An entry after others changed and removed fields; none when it owns nothing any more. */
export const reduced = (
  entry: ManagedFieldsEntry,
  { changed, removed }: Difference,
): readonly ManagedFieldsEntry[] => {
  const before = fieldsOfEntry(entry);
  const fields = difference(difference(before, changed), removed);
  if (fields === undefined) return [];
  return [fields === before ? entry : { ...entry, fieldsV1: fields }];
};

const compareText = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);

/** Appliers first, then by time. */
export const inOrder = (entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] =>
  entries.length < 2
    ? entries
    : [...entries].sort(
        (a, b) =>
          compareText(a.operation, b.operation) ||
          (fromTimestamp(a.time) ?? 0) - (fromTimestamp(b.time) ?? 0) ||
          compareText(a.manager, b.manager) ||
          compareText(a.apiVersion, b.apiVersion) ||
          compareText(a.subresource, b.subresource),
      );

/** As in Kubernetes: clients that call themselves differently each time must not make an object grow. */
const mostUpdaters = 10;
const ancient = 'ancient-changes';

/** Beyond ten updaters, the oldest become one. */
const capped = (entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] => {
  const updaters = inOrder(entries.filter(({ operation }) => operation === 'Update'));
  const surplus = updaters.length - mostUpdaters;
  if (surplus <= 0) return entries;
  const bundle = updaters.filter(({ manager }) => manager === ancient);
  const others = updaters.filter(({ manager }) => manager !== ancient);
  const old = others.slice(0, bundle.length === 0 ? surplus + 1 : surplus);
  const merged = [...bundle, ...old];
  const newest = old.at(-1);
  const fields = merged.reduce<Fields>((all, entry) => union(all, fieldsOfEntry(entry)), undefined);
  if (newest === undefined || fields === undefined) return entries;
  return [
    ...entries.filter((other) => !merged.includes(other)),
    { ...newest, manager: ancient, subresource: undefined, fieldsV1: sorted(fields) },
  ];
};

const isEntry = (value: unknown): boolean =>
  isObject(value) &&
  typeof value['manager'] === 'string' &&
  (value['operation'] === 'Apply' || value['operation'] === 'Update') &&
  typeof value['apiVersion'] === 'string' &&
  value['fieldsType'] === 'FieldsV1' &&
  isFieldSet(value['fieldsV1']);

/**
 * The entries that a write starts from. A client may rewrite them, or drop them all with one empty entry; leaving them
 * out, or writing what makes no sense, leaves the live ones.
 */
const startingPoint = (
  before: Resource | undefined,
  after: Resource,
  subresource: string | undefined,
): readonly ManagedFieldsEntry[] => {
  const live = before?.metadata.managedFields ?? [];
  const sent: unknown = after.metadata.managedFields;
  if (before === undefined || subresource !== undefined || sent === live || !Array.isArray(sent)) return live;
  const [only, second] = sent as readonly unknown[];
  if (second === undefined && isObject(only) && Object.keys(only).length === 0) return [];
  return sent.length > 0 && sent.every(isEntry) ? (sent as readonly ManagedFieldsEntry[]) : live;
};

export interface UpdateOptions {
  readonly kind: Kind;
  readonly before: Resource | undefined;
  readonly after: Resource;
  readonly manager: string;
  readonly operation: 'Update';
  readonly subresource?: string | undefined;
  readonly now: Instant;
}

/**
 * After a create, update or patch: what the write changed belongs to its manager and to nobody else. The live entries
 * themselves when it changed nothing.
 */
export const updateManagedFields = (options: UpdateOptions): readonly ManagedFieldsEntry[] => {
  const { kind, before, after, manager, operation, subresource, now } = options;
  const entries = startingPoint(before, after, subresource);
  const change = ownableDifference(kind, before, after);
  if (change.changed === undefined && change.removed === undefined) return entries;
  const owner: Owner = { kind, manager, operation, subresource };
  if (change.changed === undefined) return entries.flatMap((entry) => reduced(entry, change));
  const mine = entries.find((entry) => isOwner(entry, owner));
  const others = entries.filter((entry) => entry !== mine).flatMap((entry) => reduced(entry, change));
  const kept = mine === undefined ? undefined : difference(fieldsOfEntry(mine), change.removed);
  const next = [...others, ...entryOf(owner, union(kept, change.changed), now)];
  return inOrder(mine === undefined ? capped(next) : next);
};
