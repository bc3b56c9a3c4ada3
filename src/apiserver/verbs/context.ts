// What all verbs share: the store, time, ids, the plugins that admit writes, and the decoded entries.
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import { storeKey } from '../../resources/kind.js';
import type { Kind } from '../../resources/kind.js';
import type { ObjectName, Resource } from '../../resources/resource.js';
import type { Entry, Store } from '../../store/store.js';
import type { Admission, AdmissionReads } from '../admission/admission.js';
import type { Stored } from '../registry.js';
import type { StoredEntries } from '../stored-entries.js';
import { badRequest, notFound } from './rejections.js';

/** Randomness as an argument. */
export interface Ids {
  /** RFC 4122, version 4. */
  uid(): string;
  /** In [0, 1). */
  random(): number;
}

export interface VerbContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly admission: readonly Admission[];
  readonly entries: StoredEntries;
  readonly reads: AdmissionReads;
}

/** Spec and status are read by name where a verb knows the kind. */
export type OpenResource = Resource & { readonly [member: string]: unknown };

/** Throws BadRequest for a name that does not fit the kind's scope. */
export const keyOf = (kind: Kind, { name, namespace }: ObjectName): string => {
  if (name === '') throw badRequest('name is required');
  if (!kind.namespaced) return storeKey(kind, name, undefined);
  if (namespace === undefined || namespace === '')
    throw badRequest(`an empty namespace may not be set when a ${kind.kind} is read or written`);
  return storeKey(kind, name, namespace);
};

/** The live entry; throws NotFound. */
export const liveEntry = (context: VerbContext, kind: Kind, name: ObjectName): Entry => {
  const entry = context.store.get(keyOf(kind, name));
  if (entry === undefined) throw notFound(kind, name.name);
  return entry;
};

export const live = (
  context: VerbContext,
  entry: Entry,
): { readonly stored: Stored; readonly object: OpenResource } => {
  const stored = context.entries.of(entry);
  return { stored, object: stored.object as OpenResource };
};

/** As `live`, in the kind's own version. */
export const liveInVersion = async (
  context: VerbContext,
  kind: Kind,
  entry: Entry,
): Promise<{ readonly stored: Stored; readonly object: OpenResource }> => {
  const found = live(context, entry);
  if (kind.versions === undefined) return found;
  const [stored = found.stored] = await context.entries.inVersion(kind, [found.stored]);
  return { stored, object: stored.object as OpenResource };
};
