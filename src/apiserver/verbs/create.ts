// A new object: named, completed, admitted and committed where nothing was.
import { hasCode } from '../../base/errors.js';
import type { Kind } from '../../resources/kind.js';
import { apiVersionOf } from '../../resources/kind.js';
import type { Draft, Resource } from '../../resources/resource.js';
import { RevisionConflict } from '../../store/store.js';
import type { CallOptions, Stored } from '../registry.js';
import { detached } from '../stored-entries.js';
import { commit } from './commit.js';
import { keyOf } from './context.js';
import type { OpenResource, VerbContext } from './context.js';
import { generatedName } from './generated-name.js';
import { bornMetadata } from './metadata.js';
import { ownedFields } from './owned-fields.js';
import { prepare } from './prepare.js';
import { alreadyExists, badRequest } from './rejections.js';

const nameAttempts = 8;

const filled = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

const checkDraft = (kind: Kind, draft: Draft): void => {
  const expected = apiVersionOf(kind);
  if ((draft.apiVersion ?? expected) !== expected || (draft.kind ?? kind.kind) !== kind.kind)
    throw badRequest(
      `the object is a ${draft.kind ?? kind.kind} of ${draft.apiVersion ?? expected}, not a ${kind.kind} of ${expected}`,
    );
  if (filled(draft.metadata.resourceVersion) !== undefined)
    throw badRequest('resourceVersion should not be set on objects to be created');
};

/** The object as the server begins it: status belongs to whoever runs the object, not to its author. */
const born = (context: VerbContext, kind: Kind, draft: Draft): Resource => {
  const { metadata } = draft;
  const base = filled(metadata.generateName);
  const name = filled(metadata.name) ?? (base === undefined ? '' : generatedName(base, context.ids));
  return {
    ...draft,
    ...(kind.subresources.includes('status') ? { status: undefined } : {}),
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: bornMetadata(kind, metadata, {
      name,
      namespace: kind.namespaced ? (filled(metadata.namespace) ?? 'default') : undefined,
      uid: context.ids.uid(),
      now: context.clock.now(),
    }),
  };
};

interface Creation {
  readonly draft: Draft;
  readonly options: CallOptions;
  /** Field ownership of the new object; by default, all of it belongs to the caller. */
  readonly owned?: (before: undefined, after: OpenResource) => OpenResource;
}

const createOnce = async (
  context: VerbContext,
  kind: Kind,
  { draft, options, owned }: Creation,
): Promise<Stored> => {
  const { object: prepared, settle } = await prepare(context, kind, {
    object: born(context, kind, draft),
    options,
  });
  let committed = false;
  try {
    const object =
      owned === undefined
        ? ownedFields(context, kind, { before: undefined, after: prepared, options })
        : owned(undefined, prepared);
    if (options.dryRun === true) {
      if (context.store.get(keyOf(kind, object.metadata)) !== undefined)
        throw alreadyExists(kind, object.metadata.name);
      return detached(object);
    }
    const stored = await commit(context, kind, { object, expected: 0 });
    committed = true;
    return stored;
  } catch (error) {
    throw error instanceof RevisionConflict ? alreadyExists(kind, prepared.metadata.name) : error;
  } finally {
    settle(committed);
  }
};

/** A generated name that is taken is generated again. Throws AlreadyExists, Invalid, BadRequest, Forbidden. */
export const create = async (context: VerbContext, kind: Kind, creation: Creation): Promise<Stored> => {
  const { draft } = creation;
  checkDraft(kind, draft);
  const generated = filled(draft.metadata.name) === undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await createOnce(context, kind, creation);
    } catch (error) {
      if (!generated || attempt === nameAttempts || !hasCode(error, 'AlreadyExists')) throw error;
    }
  }
};
