// Changes that a client describes instead of sending the whole object: JSON patch, merge patches, server-side apply.
import { hasCode } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import type { Patch } from '../../client/cluster.js';
import type { Kind } from '../../resources/kind.js';
import type { Draft, ObjectName } from '../../resources/resource.js';
import { applyObject } from '../patch/apply.js';
import { jsonPatch } from '../patch/json-patch.js';
import { mergePatch } from '../patch/merge-patch.js';
import { strategicMergePatch } from '../patch/strategic-merge-patch.js';
import type { CallOptions, Stored, WritableSubresource } from '../registry.js';
import { keyOf } from './context.js';
import type { OpenResource, VerbContext } from './context.js';
import { create } from './create.js';
import { ownedFields } from './owned-fields.js';
import { conformedPart } from './prepare.js';
import { badRequest } from './rejections.js';
import { replace } from './replace.js';
import { scaleOf } from './scale.js';

export interface Apply {
  readonly type: 'apply';
  readonly object: unknown;
  readonly force: boolean;
}

export interface Patched {
  readonly stored: Stored;
  readonly created: boolean;
}

interface PatchRequest {
  readonly name: ObjectName;
  readonly options: CallOptions;
  readonly subresource?: WritableSubresource | undefined;
}

const changed = (kind: Kind, document: OpenResource, patch: Patch): unknown => {
  switch (patch.type) {
    case 'json':
      return jsonPatch(document, patch.operations);
    case 'merge':
      return mergePatch(document, patch.patch);
    case 'strategic':
      return strategicMergePatch(kind, document, patch.patch);
  }
};

/** Identity is no subject of a patch: whatever it says there must be what the object is. */
const checkIdentity = (before: OpenResource, after: unknown): OpenResource => {
  if (!isObject(after) || !isObject(after['metadata']))
    throw badRequest('the patch leaves no object: it removes the metadata or replaces the whole document');
  const { name, namespace } = after['metadata'];
  if (name !== before.metadata.name)
    throw badRequest(
      `the name of the object (${String(name)}) does not match the name on the URL (${before.metadata.name})`,
    );
  // What belongs to the whole cluster has no namespace, whatever a client writes there.
  const own = before.metadata.namespace;
  if (own !== undefined && namespace !== own)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return after as unknown as OpenResource;
};

const patchLive = (
  context: VerbContext,
  kind: Kind,
  { name, options, subresource, patch }: PatchRequest & { readonly patch: Patch },
): Promise<Stored> =>
  replace(context, {
    kind,
    name,
    subresource,
    options,
    next: (current) => {
      if (subresource !== 'scale') return checkIdentity(current, changed(kind, current, patch));
      // A Scale has no lists, so both kinds of merge patch mean the same to it.
      const scale = scaleOf(kind, current);
      return checkIdentity(
        scale,
        patch.type === 'json' ? changed(kind, scale, patch) : mergePatch(scale, patch.patch),
      );
    },
    owned: (before, after) => ownedFields(context, kind, { before, after, options, subresource }),
  });

/**
 * What a manager claims, in the form in which it is compared with what others own. It need not be a whole object, and
 * the status has a way of its own.
 */
const appliedDraft = (
  kind: Kind,
  object: unknown,
  { name: { name, namespace }, options, subresource }: PatchRequest,
): Draft => {
  if (!isObject(object)) throw badRequest(`what is applied must be a ${kind.kind}`);
  const { status, metadata, ...rest } = conformedPart(kind, object, { name, options });
  return {
    ...(subresource === 'status' ? { status } : rest),
    metadata: {
      ...(isObject(metadata) && subresource === undefined ? metadata : {}),
      name,
      ...(kind.namespaced ? { namespace } : {}),
    },
  };
};

/** Creates what is absent, as the object's author; a race with another creator ends in a merge with what that made. */
const apply = async (
  context: VerbContext,
  kind: Kind,
  request: PatchRequest & { readonly patch: Apply },
): Promise<Patched> => {
  const { name, options, subresource, patch } = request;
  const { fieldManager: manager } = options;
  if (manager === undefined || manager === '')
    throw badRequest('fieldManager is required for apply: field ownership hangs on its name');
  const applied = appliedDraft(kind, patch.object, request);
  const merge = (live: OpenResource | undefined): OpenResource =>
    applyObject({
      kind,
      live,
      applied,
      manager,
      force: patch.force,
      subresource,
      now: context.clock.now(),
    });
  const keep = (_before: OpenResource | undefined, after: OpenResource): OpenResource => after;
  for (;;) {
    try {
      const stored = await replace(context, { kind, name, subresource, options, next: merge, owned: keep });
      return { stored, created: false };
    } catch (error) {
      if (!hasCode(error, 'NotFound') || subresource !== undefined) throw error;
      if (context.store.get(keyOf(kind, name)) !== undefined) continue;
    }
    try {
      const draft = merge(undefined);
      return { stored: await create(context, kind, { draft, options, owned: keep }), created: true };
    } catch (error) {
      if (!hasCode(error, 'AlreadyExists')) throw error;
    }
  }
};

/** A Scale has one field to own: applying it is setting it. */
const asPatch = (change: Patch | Apply): Patch =>
  change.type === 'apply' ? { type: 'merge', patch: change.object } : change;

export const patch = async (
  context: VerbContext,
  kind: Kind,
  request: PatchRequest & { readonly patch: Patch | Apply },
): Promise<Patched> =>
  request.patch.type === 'apply' && request.subresource !== 'scale'
    ? apply(context, kind, { ...request, patch: request.patch })
    : {
        stored: await patchLive(context, kind, { ...request, patch: asPatch(request.patch) }),
        created: false,
      };
