// Who owns which fields after a write that is not an apply (`metadata.managedFields`).
import type { Kind } from '../../resources/kind.js';
import { resourceNameOf } from '../../resources/kind.js';
import { updateManagedFields } from '../patch/managed-fields.js';
import type { CallOptions, WritableSubresource } from '../registry.js';
import type { OpenResource, VerbContext } from './context.js';

/** A client that names no manager is known by this one. */
const unnamed = 'unknown';

/**
 * Written by programs, many and often: a record of owners would double each of them and each write's cost, for nobody.
 * It begins with the first apply, which finds everything owned by `before-first-apply`.
 */
const untrackedUntilApplied: ReadonlySet<string> = new Set([
  'pods',
  'events',
  'events.events.k8s.io',
  'nodes',
  'endpoints',
  'endpointslices.discovery.k8s.io',
  'leases.coordination.k8s.io',
  'replicasets.apps',
]);

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
  const tracked = (before?.metadata.managedFields?.length ?? 0) > 0;
  if (!tracked && untrackedUntilApplied.has(resourceNameOf(kind))) return after;
  const managedFields = updateManagedFields({
    kind,
    before,
    after,
    manager: options.fieldManager ?? unnamed,
    operation: 'Update',
    subresource,
    now: context.clock.now(),
  });
  const metadata = { ...after.metadata, managedFields };
  if (managedFields.length === 0) delete (metadata as Partial<typeof metadata>).managedFields;
  return { ...after, metadata };
};
