// What a client sent -> what may be written: schema, defaults, admission, validation, in that order.
import type { Kind } from '../../resources/kind.js';
import { checkSchema, prune } from '../../resources/schema.js';
import { ClusterError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { podWarnings } from '../../resources/pod-template/engine-limits.js';
import type { Resource } from '../../resources/resource.js';
import { admit } from '../admission/admission.js';
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

/** `object` has the server's metadata already; `old` is the live object of an update. */
export const prepare = (
  context: VerbContext,
  kind: Kind,
  {
    object,
    old,
    options,
    subresource,
  }: {
    readonly object: Resource;
    readonly old?: Resource | undefined;
    readonly options: CallOptions;
    readonly subresource?: WritableSubresource | undefined;
  },
): Prepared => {
  const { name, namespace } = object.metadata;
  const defaulted = kind.defaulted(conformed(kind, object, { name, options }));
  const admitted = admit(context.admission, {
    kind,
    name,
    namespace,
    identity: options.identity,
    reads: context.reads,
    dryRun: options.dryRun === true,
    ...(old === undefined
      ? { operation: 'create' as const, object: defaulted }
      : { operation: 'update' as const, object: defaulted, old, subresource }),
  });
  try {
    const errors = [
      ...metadataErrors(kind, admitted.object.metadata, old?.metadata),
      ...kind.validate(admitted.object, old),
    ];
    if (errors.length > 0) throw invalid(kind, name, errors);
  } catch (error) {
    admitted.settle(false);
    throw error;
  }
  const changed =
    old === undefined || !equal((old as OpenResource)['spec'], (admitted.object as OpenResource)['spec']);
  if (options.warn !== undefined && changed) podWarnings(kind.kind, admitted.object).forEach(options.warn);
  return { object: admitted.object as OpenResource, settle: admitted.settle };
};
