// Deletes one object, or marks it until its grace period and its finalizers are over.
import type { DeleteOptions } from '../../client/cluster.js';
import type { Kind } from '../../resources/kind.js';
import type { ObjectMeta, ObjectName } from '../../resources/resource.js';
import { RevisionConflict } from '../../store/store.js';
import { admit } from '../admission/admission.js';
import type { AdmissionRequest } from '../admission/admission.js';
import type { CallOptions, Stored } from '../registry.js';
import { detached } from '../stored-entries.js';
import { commit, remove } from './commit.js';
import { liveEntry, liveInVersion } from './context.js';
import type { VerbContext } from './context.js';
import { deletionOf } from './deletion.js';
import { conflict, modified } from './rejections.js';

export interface Deleted {
  readonly stored: Stored;
  /** False while finalizers or a grace period keep the object. */
  readonly gone: boolean;
}

const attempts = 64;

const checkPreconditions = (kind: Kind, metadata: ObjectMeta, options: DeleteOptions): void => {
  const { uid, resourceVersion } = options.preconditions ?? {};
  if (uid !== undefined && uid !== metadata.uid)
    throw conflict(
      kind,
      metadata.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`,
    );
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    throw conflict(
      kind,
      metadata.name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`,
    );
};

interface Request {
  readonly name: ObjectName;
  readonly deletion: DeleteOptions;
  readonly options: CallOptions;
}

/** Resolves to what tells the plugins how it ended. */
const admitDeletion = async (
  context: VerbContext,
  request: AdmissionRequest,
): Promise<(committed: boolean) => void> => {
  const first = await admit(context.admission, request);
  try {
    const second = await admit(context.admission, request, 'validate');
    return (committed) => {
      second.settle(committed);
      first.settle(committed);
    };
  } catch (error) {
    first.settle(false);
    throw error;
  }
};

const deleteOnce = async (
  context: VerbContext,
  kind: Kind,
  { name, deletion, options }: Request,
): Promise<Deleted> => {
  const entry = liveEntry(context, kind, name);
  const { stored, object } = await liveInVersion(context, kind, entry);
  checkPreconditions(kind, object.metadata, deletion);
  const dryRun = options.dryRun === true || deletion.dryRun === true;
  const settle = await admitDeletion(context, {
    operation: 'delete',
    kind,
    name: object.metadata.name,
    namespace: object.metadata.namespace,
    identity: options.identity,
    reads: context.reads,
    old: object,
    dryRun,
    warn: options.warn,
  });
  let committed = false;
  try {
    const outcome = deletionOf(kind, object, { options: deletion, now: context.clock.now() });
    const expected = entry.modified;
    switch (outcome.type) {
      case 'pending':
        return { stored, gone: false };
      case 'mark': {
        if (dryRun) return { stored: detached(outcome.object), gone: false };
        const marked = await commit(context, kind, { object: outcome.object, expected });
        committed = true;
        return { stored: marked, gone: false };
      }
      case 'remove': {
        if (dryRun) return { stored, gone: true };
        const removed = await remove(context, kind, { object, expected });
        committed = true;
        return { stored: removed, gone: true };
      }
    }
  } finally {
    settle(committed);
  }
};

/** Throws NotFound, Conflict, Forbidden. */
export const deleteObject = async (context: VerbContext, kind: Kind, request: Request): Promise<Deleted> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await deleteOnce(context, kind, request);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      if (attempt === attempts) throw modified(kind, request.name.name);
    }
  }
};
