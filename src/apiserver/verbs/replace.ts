// Changing a live object: read, make the next state, write it where the read one still stands; again when it does not.
// Update, patch and apply differ only in how they make the next state.
import { equal, isObject } from '../../base/json.js';
import type { Kind } from '../../resources/kind.js';
import type { ManagedFieldsEntry, ObjectName, Resource } from '../../resources/resource.js';
import { RevisionConflict } from '../../store/store.js';
import type { CallOptions, Stored, WritableSubresource } from '../registry.js';
import { detached } from '../stored-entries.js';
import { commit, remove } from './commit.js';
import { liveEntry, liveInVersion } from './context.js';
import type { OpenResource, VerbContext } from './context.js';
import { isReleased } from './deletion.js';
import { replacedMetadata } from './metadata.js';
import { prepare } from './prepare.js';
import { conflict, modified } from './rejections.js';
import { merged } from './subresource.js';

/** Each lost race means that someone else's write went through; so many in a row mean a storm. */
const attempts = 64;

export interface Replacement {
  readonly kind: Kind;
  readonly name: ObjectName;
  readonly subresource?: WritableSubresource | undefined;
  readonly options: CallOptions;
  /** The whole next object as the client wants it; throws to refuse. Called again after a lost race. */
  next(live: OpenResource): OpenResource;
  /** Field ownership after the change. */
  owned(before: OpenResource, after: OpenResource): OpenResource;
}

const withoutTimes = (entries: readonly ManagedFieldsEntry[] | undefined): unknown =>
  (entries ?? []).map((entry) => ({ ...entry, time: undefined }));

/** Timestamps of field ownership alone are no change. */
const isSame = (before: OpenResource, after: OpenResource): boolean => {
  const { metadata: old, ...was } = before;
  const { metadata, ...is } = after;
  return (
    equal(was, is) &&
    equal({ ...old, managedFields: undefined }, { ...metadata, managedFields: undefined }) &&
    equal(withoutTimes(old.managedFields), withoutTimes(metadata.managedFields))
  );
};

const memberAt = (object: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, step) => (isObject(value) ? value[step] : undefined), object);

/** Everything that is neither metadata nor written through a subresource. */
const body = (kind: Kind, object: OpenResource): unknown => ({
  ...object,
  apiVersion: undefined,
  metadata: undefined,
  ...(kind.subresources.includes('status') ? { status: undefined } : {}),
});

const differs = (kind: Kind, path: string, before: OpenResource, after: OpenResource): boolean =>
  path === '*'
    ? !equal(body(kind, before), body(kind, after))
    : !equal(memberAt(before, path), memberAt(after, path));

const withGeneration = (kind: Kind, before: OpenResource, after: OpenResource): OpenResource => {
  const bumped = kind.generationFields.some((path) => differs(kind, path, before, after));
  if (!bumped) return after;
  const generation = (before.metadata.generation ?? 0) + 1;
  return { ...after, metadata: { ...after.metadata, generation } };
};

/** Throws Conflict when the client worked on another object or another revision. */
const checkPreconditions = (kind: Kind, current: Resource, sent: OpenResource): void => {
  const { uid, resourceVersion, name } = current.metadata;
  const sentUid = (sent.metadata as Partial<typeof current.metadata>).uid;
  if (sentUid !== undefined && sentUid !== '' && sentUid !== uid)
    throw conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${sentUid}, UID in object meta: ${uid}`,
    );
  const sentVersion = (sent.metadata as Partial<typeof current.metadata>).resourceVersion;
  if (sentVersion !== undefined && sentVersion !== '' && sentVersion !== resourceVersion)
    throw modified(kind, name);
};

const replaceOnce = async (context: VerbContext, replacement: Replacement): Promise<Stored> => {
  const { kind, name, subresource, options } = replacement;
  const entry = liveEntry(context, kind, name);
  const { stored, object: current } = await liveInVersion(context, kind, entry);
  const sent = replacement.next(current);
  checkPreconditions(kind, current, sent);
  const candidate = merged(kind, { current, sent, subresource });
  const metadata =
    subresource === undefined ? replacedMetadata(current.metadata, candidate.metadata) : current.metadata;
  const { object: prepared, settle } = await prepare(context, kind, {
    object: { ...candidate, apiVersion: current.apiVersion, kind: current.kind, metadata },
    old: current,
    options,
    subresource,
  });
  let committed = false;
  try {
    const object = replacement.owned(current, withGeneration(kind, current, prepared));
    if (isSame(current, object)) return stored;
    if (options.dryRun === true) return detached(object);
    const change = { object, expected: entry.modified };
    const written =
      object.metadata.deletionTimestamp !== undefined && isReleased(kind, object)
        ? await remove(context, kind, change)
        : await commit(context, kind, change);
    committed = true;
    return written;
  } finally {
    settle(committed);
  }
};

/** Throws NotFound, Conflict, Invalid, BadRequest, Forbidden. */
export const replace = async (context: VerbContext, replacement: Replacement): Promise<Stored> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await replaceOnce(context, replacement);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      if (attempt === attempts) throw modified(replacement.kind, replacement.name.name);
    }
  }
};
