// Who owns which field (`metadata.managedFields`): one entry for each manager, operation and subresource.
import { toTimestamp, type Instant } from '../../base/clock.js';
import { apiVersionOf, type Kind } from '../../resources/kind.js';
import type { ManagedFieldsEntry, Resource } from '../../resources/resource.js';
import { schemaOf } from '../../resources/schema-node.js';
import {
  decodeEntry,
  difference,
  emptySet,
  encodeFields,
  isEmpty,
  leafSet,
  sameSet,
  union,
  without,
  type FieldSet,
} from './field-set.js';
import { compare, fieldsOf } from './fields-of.js';

/** Fields that the server owns: nobody manages them (Kubernetes' `stripMetaManager`). */
const serverFields: FieldSet = {
  member: false,
  children: new Map([
    ['f:apiVersion', leafSet],
    ['f:kind', leafSet],
    [
      'f:metadata',
      {
        member: false,
        children: new Map(
          [
            'name',
            'namespace',
            'uid',
            'resourceVersion',
            'generation',
            'creationTimestamp',
            'deletionTimestamp',
            'deletionGracePeriodSeconds',
            'generateName',
            'selfLink',
            'managedFields',
          ].map((name) => [`f:${name}`, leafSet] as const),
        ),
      },
    ],
  ]),
};

/** Fields of an object that can have an owner. */
export const ownableFields = (kind: Kind, object: unknown): FieldSet =>
  without(fieldsOf(schemaOf(kind), object), serverFields);

/** What a write changed, without the fields of the server. */
export const ownableChanges = (
  kind: Kind,
  before: unknown,
  after: unknown,
): { changed: FieldSet; removed: FieldSet } => {
  const { changed, removed } = compare(schemaOf(kind), before, after);
  return { changed: without(changed, serverFields), removed: without(removed, serverFields) };
};

export interface Owner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource: string | undefined;
}

export interface Ownership {
  readonly entry: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

export const isOwner = ({ entry }: Ownership, { manager, operation, subresource }: Owner): boolean =>
  entry.manager === manager &&
  entry.operation === operation &&
  (entry.subresource ?? '') === (subresource ?? '');

export const ownershipsOf = (object: Pick<Resource, 'metadata'> | undefined): readonly Ownership[] =>
  (object?.metadata.managedFields ?? []).map((entry) => ({ entry, fields: decodeEntry(entry.fieldsV1) }));

/** The entry that a write by `owner` leaves; the old one when it owns the same fields as before. */
export const entryFor = (
  owner: Owner,
  fields: FieldSet,
  {
    kind,
    now,
    previous,
  }: { readonly kind: Kind; readonly now: Instant; readonly previous: Ownership | undefined },
): ManagedFieldsEntry => {
  if (previous !== undefined && sameSet(previous.fields, fields)) return previous.entry;
  return {
    manager: owner.manager,
    operation: owner.operation,
    apiVersion: apiVersionOf(kind),
    time: toTimestamp(now),
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFields(fields),
    ...(owner.subresource === undefined ? {} : { subresource: owner.subresource }),
  };
};

/** The others' entries after they lost fields; entries that own nothing any more go. */
export const reduced = (ownership: Ownership, fields: FieldSet): readonly ManagedFieldsEntry[] => {
  if (isEmpty(fields)) return [];
  return [
    sameSet(fields, ownership.fields)
      ? ownership.entry
      : { ...ownership.entry, fieldsV1: encodeFields(fields) },
  ];
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

/** After a create, update or patch: what the write changed now belongs to its manager and to nobody else. */
export const updateManagedFields = (options: UpdateOptions): readonly ManagedFieldsEntry[] => {
  const { kind, before, after, manager, operation, subresource, now } = options;
  const { changed, removed } =
    before === undefined
      ? { changed: ownableFields(kind, after), removed: emptySet }
      : ownableChanges(kind, before, after);
  if (isEmpty(changed) && isEmpty(removed)) return before?.metadata.managedFields ?? [];
  const owner: Owner = { manager, operation, subresource };
  const ownerships = ownershipsOf(before);
  const previous = ownerships.find((ownership) => isOwner(ownership, owner));
  const others = ownerships
    .filter((ownership) => ownership !== previous)
    .flatMap((ownership) => reduced(ownership, difference(without(ownership.fields, removed), changed)));
  const mine = without(union(previous?.fields ?? emptySet, changed), removed);
  return isEmpty(mine) ? others : [...others, entryFor(owner, mine, { kind, now, previous })];
};
