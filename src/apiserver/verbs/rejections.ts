// The errors of the verbs, in the words of Kubernetes (apimachinery `api/errors`).
import type { FieldError } from '../../base/errors.js';
import { ClusterError } from '../../base/errors.js';
import type { Kind } from '../../resources/kind.js';
import { resourceNameOf } from '../../resources/kind.js';
import { Compacted, StoreUnavailable } from '../../store/store.js';

const subjectOf = (kind: Kind, name: string): { group: string; kind: string; name: string } => ({
  group: kind.group,
  kind: kind.plural,
  name,
});

const quoted = (kind: Kind, name: string): string => `${resourceNameOf(kind)} ${JSON.stringify(name)}`;

export const badRequest = (message: string): ClusterError => new ClusterError('BadRequest', message);

/** No such kind, or none any more. */
export const noSuchResource = (): ClusterError =>
  new ClusterError('NotFound', 'the server could not find the requested resource');

export const notFound = (kind: Kind, name: string): ClusterError =>
  new ClusterError('NotFound', `${quoted(kind, name)} not found`, { subject: subjectOf(kind, name) });

export const alreadyExists = (kind: Kind, name: string): ClusterError =>
  new ClusterError('AlreadyExists', `${quoted(kind, name)} already exists`, {
    subject: subjectOf(kind, name),
  });

export const forbidden = (kind: Kind, name: string, why: string): ClusterError =>
  new ClusterError('Forbidden', `${quoted(kind, name)} is forbidden: ${why}`, {
    subject: subjectOf(kind, name),
  });

export const conflict = (kind: Kind, name: string, why: string): ClusterError =>
  new ClusterError('Conflict', `Operation cannot be fulfilled on ${quoted(kind, name)}: ${why}`, {
    subject: subjectOf(kind, name),
  });

/** The one that clients look for: read again, change again, write again. */
export const modified = (kind: Kind, name: string): ClusterError =>
  conflict(
    kind,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

const sentence = ({ field, message }: FieldError): string => `${field}: ${message}`;

/** One cause stands alone, several in brackets; `subject.kind` is the kind itself, as Kubernetes has it here. */
export const invalid = (
  kind: Pick<Kind, 'group' | 'kind'>,
  name: string,
  fields: readonly FieldError[],
): ClusterError => {
  const what = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const [first] = fields;
  const causes =
    first !== undefined && fields.length === 1 ? sentence(first) : `[${fields.map(sentence).join(', ')}]`;
  return new ClusterError('Invalid', `${what} ${JSON.stringify(name)} is invalid: ${causes}`, {
    fields,
    subject: { group: kind.group, kind: kind.kind, name },
  });
};

export const expired = (message: string): ClusterError => new ClusterError('Expired', message);

export const tooLarge = (kind: Kind, name: string, bytes: number, limit: number): ClusterError =>
  new ClusterError(
    'RequestEntityTooLarge',
    `${quoted(kind, name)} has ${String(bytes)} bytes, the limit is ${String(limit)}: split it or keep large data elsewhere`,
    { subject: subjectOf(kind, name) },
  );

/** A client ahead of this server's store: it waits a second and asks again. */
export const tooNew = (asked: number, current: number): ClusterError =>
  new ClusterError('Timeout', `Too large resource version: ${String(asked)}, current: ${String(current)}`, {
    retryAfterSeconds: 1,
  });

/** What the store throws, in the words of the API; other errors come back as they are. */
export const translated = (error: unknown): unknown => {
  if (error instanceof StoreUnavailable)
    return new ClusterError('ServiceUnavailable', `the store did not take the write: ${error.message}`, {
      cause: error,
    });
  if (error instanceof Compacted)
    return new ClusterError(
      'Expired',
      `too old resource version: history starts after ${String(error.oldest)}`,
      {
        cause: error,
      },
    );
  return error;
};
