// The one error of the program. It is translated once at each edge: API Status, command line, push output.

/** Kubernetes' Status reasons (apimachinery `metav1.StatusReason`), plus `Unavailable` for what may answer later. */
export type ErrorCode =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Expired'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'Invalid'
  | 'TooManyRequests'
  | 'InternalError'
  | 'ServiceUnavailable'
  | 'Timeout';

/** One rejected field: `field` is a path such as `spec.containers[0].image`. */
export interface FieldError {
  readonly type:
    | 'FieldValueRequired'
    | 'FieldValueNotFound'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
    | 'FieldValueTypeInvalid'
    | 'FieldManagerConflict';
  readonly field: string;
  readonly message: string;
}

export interface ErrorOptions {
  readonly cause?: unknown;
  /** The same request may succeed later without being changed. */
  readonly retry?: boolean;
  readonly fields?: readonly FieldError[];
  /** What the error is about, for `Status.details`. */
  readonly subject?: { readonly group?: string; readonly kind: string; readonly name?: string };
  readonly retryAfterSeconds?: number;
}

const retryable: ReadonlySet<ErrorCode> = new Set(['ServiceUnavailable', 'Timeout', 'TooManyRequests']);

export class ClusterError extends Error {
  readonly code: ErrorCode;
  readonly retry: boolean;
  readonly fields: readonly FieldError[];
  readonly subject: ErrorOptions['subject'];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ClusterError';
    this.code = code;
    this.retry = options.retry ?? retryable.has(code);
    this.fields = options.fields ?? [];
    this.subject = options.subject;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export const hasCode = (error: unknown, ...codes: readonly ErrorCode[]): boolean =>
  error instanceof ClusterError && codes.includes(error.code);

/** A sentence for people, whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
