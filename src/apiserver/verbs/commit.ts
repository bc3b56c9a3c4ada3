// The one place where objects go into the store.
import type { Kind } from '../../resources/kind.js';
import { storeKey } from '../../resources/kind.js';
import type { Resource } from '../../resources/resource.js';
import type { Revision } from '../../store/store.js';
import type { Stored } from '../registry.js';
import { detached, encode } from '../stored-entries.js';
import type { VerbContext } from './context.js';
import { tooLarge } from './rejections.js';

/** Kubernetes' limit of a request to etcd, in bytes. */
export const objectLimit = 1.5 * 1024 * 1024;

export const at = <T extends Resource>(object: T, revision: Revision): T => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(revision) },
});

const keyOfObject = (kind: Kind, { metadata }: Resource): string =>
  storeKey(kind, metadata.name, kind.namespaced ? metadata.namespace : undefined);

/** Throws RevisionConflict when the key is no longer at `expected`, and RequestEntityTooLarge. */
export const commit = async (
  context: VerbContext,
  kind: Kind,
  { object, expected }: { readonly object: Resource; readonly expected: Revision },
): Promise<Stored> => {
  const kept = kind.versions === undefined ? object : await kind.versions.encode(object);
  const value = encode(kept);
  if (value.byteLength > objectLimit)
    throw tooLarge(kind, object.metadata.name, value.byteLength, objectLimit);
  const key = keyOfObject(kind, object);
  const revision = await context.store.commit({ key, value }, expected);
  const entry = context.store.get(key);
  // A later write may be visible already: then the answer is what this one wrote, and nobody shares it.
  return entry?.modified === revision && kept === object
    ? context.entries.prime(entry, object)
    : detached(at(object, revision));
};

/** Throws RevisionConflict too. */
export const remove = async (
  context: VerbContext,
  kind: Kind,
  { object, expected }: { readonly object: Resource; readonly expected: Revision },
): Promise<Stored> => {
  const revision = await context.store.commit({ key: keyOfObject(kind, object), value: undefined }, expected);
  return detached(at(object, revision));
};
