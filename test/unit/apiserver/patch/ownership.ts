// Objects and their owners as tests of server-side apply read them.
import { applyObject } from '../../../../src/apiserver/patch/apply.js';
import { fieldsOfEntry, pathsOf } from '../../../../src/apiserver/patch/field-set.js';
import { updateManagedFields } from '../../../../src/apiserver/patch/managed-fields.js';
import { ClusterError } from '../../../../src/base/errors.js';
import type { Kind } from '../../../../src/resources/kind.js';
import type { Draft, ManagedFieldsEntry, Resource } from '../../../../src/resources/resource.js';

export type Live = ReturnType<typeof applyObject>;

export const start = Date.UTC(2026, 0, 1);

export interface Writing {
  readonly manager?: string;
  readonly force?: boolean;
  readonly subresource?: string;
  readonly now?: number;
}

export const apply = (
  kind: Kind,
  live: Live | undefined,
  applied: object,
  { manager = 'capstan', force = false, subresource, now = start }: Writing = {},
): Live => applyObject({ kind, live, applied: applied as Draft, manager, force, subresource, now });

/** The object that an update by `manager` leaves. */
export const update = (
  kind: Kind,
  before: Live | undefined,
  after: object,
  { manager = 'kubectl', subresource, now = start }: Writing = {},
): Live => {
  const next = after as Live;
  const managedFields = updateManagedFields({
    kind,
    before,
    after: next,
    manager,
    operation: 'Update',
    subresource,
    now,
  });
  return { ...next, metadata: { ...next.metadata, managedFields } };
};

export const entries = (object: Resource): readonly ManagedFieldsEntry[] =>
  object.metadata.managedFields ?? [];

/** Paths by `manager`, or `manager/subresource`. */
export const owners = (object: Resource): Record<string, string[]> =>
  Object.fromEntries(
    entries(object).map((entry) => [
      entry.subresource === undefined ? entry.manager : `${entry.manager}/${entry.subresource}`,
      [...pathsOf(fieldsOfEntry(entry))].sort(),
    ]),
  );

export const fieldsOf = (object: Resource, manager: string): unknown =>
  entries(object).find((entry) => entry.manager === manager)?.fieldsV1;

/** The ClusterError that `run` throws. */
export const refusal = (run: () => unknown): ClusterError => {
  try {
    run();
  } catch (error) {
    if (error instanceof ClusterError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};
