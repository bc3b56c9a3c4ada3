// Gives a CustomResourceDefinition its status as it is written, so that its kinds are served when the answer is sent; and
// lets nobody make objects of a kind that is going.
import type { Clock } from '../../base/clock.js';
import { ClusterError } from '../../base/errors.js';
import { cleanupFinalizer, definitionStatus } from '../../resources/custom/definition-status.js';
import type { CustomResourceDefinition } from '../../resources/generated/types.js';
import { resourceNameOf } from '../../resources/kind.js';
import type { Kind } from '../../resources/kind.js';
import { customresourcedefinitions } from '../../resources/kinds/customresourcedefinitions.js';
import type { Admission, AdmissionRequest } from './admission.js';

export interface CustomDefinitionsOptions {
  readonly builtIn: readonly Kind[];
  readonly clock: Clock;
  /** Told of every definition that was written. */
  refresh(name: string): void;
}

const isDefinition = ({ group, plural }: Kind): boolean =>
  group === customresourcedefinitions.group && plural === customresourcedefinitions.plural;

const completed = (
  request: Exclude<AdmissionRequest, { readonly operation: 'delete' }>,
  { builtIn, clock }: CustomDefinitionsOptions,
): CustomResourceDefinition => {
  const definition = request.object as CustomResourceDefinition;
  const definitions = request.reads.list(customresourcedefinitions, undefined);
  const status = definitionStatus(definition, { definitions, builtIn }, clock.now());
  if (request.operation === 'update') return { ...definition, status };
  const others = (definition.metadata.finalizers ?? []).filter((name) => name !== cleanupFinalizer);
  return {
    ...definition,
    metadata: { ...definition.metadata, finalizers: [...others, cleanupFinalizer] },
    status,
  };
};

const checkNotGoing = ({ kind, reads }: AdmissionRequest): void => {
  const definition = reads.get(customresourcedefinitions, { name: resourceNameOf(kind) });
  if (definition?.metadata.deletionTimestamp === undefined) return;
  throw new ClusterError(
    'MethodNotAllowed',
    'create not allowed while custom resource definition is terminating',
  );
};

export const customDefinitions = (options: CustomDefinitionsOptions): Admission => ({
  name: 'CustomDefinitions',
  admit: (request) => {
    if (!isDefinition(request.kind)) {
      if (request.kind.schema !== undefined && request.operation === 'create') checkNotGoing(request);
      return undefined;
    }
    const settled = (committed: boolean): void => {
      if (committed) options.refresh(request.name);
    };
    if (request.operation === 'delete') return { settled };
    if (request.operation === 'update' && request.subresource !== undefined) return { settled };
    return { object: completed(request, options), settled };
  },
});
