// Who owns which fields after a write that is not an apply (`metadata.managedFields`).
import type { Kind } from '../../resources/kind.js';
import { updateManagedFields } from '../patch/managed-fields.js';
import type { CallOptions, WritableSubresource } from '../registry.js';
import type { OpenResource, VerbContext } from './context.js';

/** A client that names no manager is known by this one. */
const unnamed = 'unknown';

export const ownedFields = (
  context: VerbContext,
  kind: Kind,
  {
    before,
    after,
    options,
    subresource,
  }: {
    readonly before: OpenResource | undefined;
    readonly after: OpenResource;
    readonly options: CallOptions;
    readonly subresource?: WritableSubresource | undefined;
  },
): OpenResource => {
  const managedFields = updateManagedFields({
    kind,
    before,
    after,
    manager: options.fieldManager ?? unnamed,
    operation: 'Update',
    subresource,
    now: context.clock.now(),
  });
  return { ...after, metadata: { ...after.metadata, managedFields } };
};
