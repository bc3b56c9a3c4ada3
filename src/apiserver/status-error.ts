// What went wrong, as Kubernetes says it: a `Status` object with reason, code and causes. The only place that makes one.
import { ClusterError, messageOf } from '../base/errors.js';
import type { ErrorCode } from '../base/errors.js';

/** HTTP codes of the reasons, as in apimachinery's `api/errors`. */
const httpCodes: Readonly<Record<ErrorCode, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
};

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string | undefined;
  readonly reason?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly code: number;
}

/** What no one foresaw becomes an InternalError: the caller logs it, the client learns only the sentence. */
export const asClusterError = (error: unknown): ClusterError =>
  error instanceof ClusterError
    ? error
    : new ClusterError('InternalError', `Internal error occurred: ${messageOf(error)}`, { cause: error });

const detailsOf = (error: ClusterError): Record<string, unknown> | undefined => {
  const { subject, fields, retryAfterSeconds } = error;
  if (subject === undefined && fields.length === 0 && retryAfterSeconds === undefined) return undefined;
  return {
    ...(subject?.name === undefined ? {} : { name: subject.name }),
    ...(subject?.group === undefined || subject.group === '' ? {} : { group: subject.group }),
    ...(subject === undefined ? {} : { kind: subject.kind }),
    ...(fields.length === 0
      ? {}
      : { causes: fields.map(({ type, field, message }) => ({ reason: type, message, field })) }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
};

export const statusOf = (error: ClusterError): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: error.message,
  reason: error.code,
  details: detailsOf(error),
  code: httpCodes[error.code],
});

/** The answer to what succeeded and leaves no object to show, such as a deletion. */
export const success = (code: number, details?: Readonly<Record<string, unknown>>): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details,
  code,
});
