// What a client sent -> what may be written: schema, defaults, admission, validation, in that order.
import type { Kind } from '../../resources/kind.js';
import { checkSchema, prune } from '../../resources/schema.js';
import { ClusterError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { podWarnings } from '../../resources/pod-template/engine-limits.js';
import type { Resource } from '../../resources/resource.js';
import { admit } from '../admission/admission.js';
import type { AdmissionRequest } from '../admission/admission.js';
import type { CallOptions, WritableSubresource } from '../registry.js';
import type { OpenResource, VerbContext } from './context.js';
import { metadataErrors } from './metadata.js';
import { invalid } from './rejections.js';

export interface Prepared {
  readonly object: OpenResource;
  /** Must be called once with the outcome: plugins let go of what they claimed when nothing was written. */
  settle(committed: boolean): void;
}

const tellUnknown = (kind: Kind, unknown: readonly string[], options: CallOptions): void => {
  if (unknown.length === 0 || options.fieldValidation === 'Ignore') return;
  const messages = unknown.map((field) => `unknown field ${JSON.stringify(field)}`);
  if (options.fieldValidation === 'Strict')
    throw new ClusterError(
      'BadRequest',
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: strict decoding error: ${messages.join(', ')}`,
    );
  for (const message of messages) options.warn?.(message);
};

/** Fits the schema, without unknown fields. Throws Invalid, or BadRequest for unknown fields under Strict. */
export const conformed = <T>(
  kind: Kind,
  object: T,
  { name, options }: { readonly name: string; readonly options: CallOptions },
): T => {
  const { errors, unknown } = checkSchema(kind, object);
  tellUnknown(kind, unknown, options);
  if (errors.length > 0) throw invalid(kind, name, errors);
  return prune(kind, object);
};

/** As `conformed`, for a part of an object: what is not there may be in the rest. */
export const conformedPart = <T>(
  kind: Kind,
  part: T,
  { name, options }: { readonly name: string; readonly options: CallOptions },
): T => {
  const { errors, unknown } = checkSchema(kind, part);
  tellUnknown(kind, unknown, options);
  const wrong = errors.filter(({ type }) => type !== 'FieldValueRequired');
  if (wrong.length > 0) throw invalid(kind, name, wrong);
  return prune(kind, part);
};

const checkValid = (kind: Kind, object: Resource, old: Resource | undefined): void => {
  const errors = [...metadataErrors(kind, object.metadata, old?.metadata), ...kind.validate(object, old)];
  if (errors.length > 0) throw invalid(kind, object.metadata.name, errors);
};

interface Preparation {
  readonly object: Resource;
  readonly old?: Resource | undefined;
  readonly options: CallOptions;
  readonly subresource?: WritableSubresource | undefined;
}

const requestFor = (
  context: VerbContext,
  kind: Kind,
  { object, old, options, subresource }: Preparation,
): Exclude<AdmissionRequest, { readonly operation: 'delete' }> => ({
  kind,
  name: object.metadata.name,
  namespace: object.metadata.namespace,
  identity: options.identity,
  reads: context.reads,
  dryRun: options.dryRun === true,
  fieldManager: options.fieldManager,
  warn: options.warn,
  ...(old === undefined
    ? { operation: 'create' as const, object }
    : { operation: 'update' as const, object, old, subresource }),
});

/** `object` has the server's metadata already; `old` is the live object of an update. */
export const prepare = async (
  context: VerbContext,
  kind: Kind,
  preparation: Preparation,
): Promise<Prepared> => {
  const { object, old, options } = preparation;
  const { name } = object.metadata;
  const defaulted = kind.defaulted(conformed(kind, object, { name, options }));
  const request = requestFor(context, kind, { ...preparation, object: defaulted });
  const mutated = await admit(context.admission, request);
  const accepted = mutated.object as OpenResource;
  try {
    checkValid(kind, accepted, old);
    const judged = await admit(context.admission, { ...request, object: accepted }, 'validate');
    const changed = old === undefined || !equal((old as OpenResource)['spec'], accepted['spec']);
    if (options.warn !== undefined && changed) podWarnings(kind.kind, accepted).forEach(options.warn);
    return {
      object: accepted,
      settle: (committed) => {
        judged.settle(committed);
        mutated.settle(committed);
      },
    };
  } catch (error) {
    mutated.settle(false);
    throw error;
  }
};
