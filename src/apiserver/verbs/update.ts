// The client's object takes the place of the live one, except for what the server owns.
import type { Kind } from '../../resources/kind.js';
import type { Draft, ObjectName } from '../../resources/resource.js';
import type { CallOptions, Stored, WritableSubresource } from '../registry.js';
import type { OpenResource, VerbContext } from './context.js';
import { ownedFields } from './owned-fields.js';
import { badRequest } from './rejections.js';
import { replace } from './replace.js';

const checkName = (kind: Kind, { name, namespace }: ObjectName, draft: Draft): void => {
  const { metadata } = draft;
  if (metadata.name !== undefined && metadata.name !== '' && metadata.name !== name)
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  if (
    kind.namespaced &&
    metadata.namespace !== undefined &&
    metadata.namespace !== '' &&
    metadata.namespace !== namespace
  )
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
};

export const update = (
  context: VerbContext,
  kind: Kind,
  {
    name,
    draft,
    options,
    subresource,
  }: {
    readonly name: ObjectName;
    readonly draft: Draft;
    readonly options: CallOptions;
    readonly subresource?: WritableSubresource | undefined;
  },
): Promise<Stored> => {
  checkName(kind, name, draft);
  return replace(context, {
    kind,
    name,
    subresource,
    options,
    next: () => draft as OpenResource,
    owned: (before, after) => ownedFields(context, kind, { before, after, options, subresource }),
  });
};
