// A Status from an API server -> the ClusterError that it was made of.
import { ClusterError } from '../base/errors.js';
import type { ErrorCode, ErrorOptions, FieldError } from '../base/errors.js';
import { isObject } from '../base/json.js';

const codes: ReadonlySet<string> = new Set<ErrorCode>([
  'BadRequest',
  'Unauthorized',
  'Forbidden',
  'NotFound',
  'MethodNotAllowed',
  'NotAcceptable',
  'AlreadyExists',
  'Conflict',
  'Gone',
  'Expired',
  'RequestEntityTooLarge',
  'UnsupportedMediaType',
  'Invalid',
  'TooManyRequests',
  'InternalError',
  'ServiceUnavailable',
  'Timeout',
]);

/** For answers that name no reason, such as those of a proxy in between. */
const codeOfHttp = (status: number): ErrorCode => {
  switch (status) {
    case 400:
      return 'BadRequest';
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 405:
      return 'MethodNotAllowed';
    case 409:
      return 'Conflict';
    case 410:
      return 'Expired';
    case 413:
      return 'RequestEntityTooLarge';
    case 422:
      return 'Invalid';
    case 429:
      return 'TooManyRequests';
    case 502:
    case 503:
      return 'ServiceUnavailable';
    case 408:
    case 504:
      return 'Timeout';
    default:
      return 'InternalError';
  }
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const fieldErrors = (causes: unknown): readonly FieldError[] =>
  (Array.isArray(causes) ? causes : []).filter(isObject).map((cause) => ({
    type: String(cause['reason']) as FieldError['type'],
    field: textOf(cause['field']),
    message: textOf(cause['message']),
  }));

const subjectOf = (details: Record<string, unknown>): ErrorOptions['subject'] => {
  const { kind, name, group } = details;
  if (typeof kind !== 'string') return undefined;
  return {
    kind,
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof group === 'string' ? { group } : {}),
  };
};

/** `body` is the parsed answer, or its text when it was no JSON. */
export const errorOfStatus = (httpStatus: number, body: unknown): ClusterError => {
  const status = isObject(body) ? body : {};
  const details = isObject(status['details']) ? status['details'] : {};
  const { reason, message } = status;
  const code =
    typeof reason === 'string' && codes.has(reason) ? (reason as ErrorCode) : codeOfHttp(httpStatus);
  const words =
    typeof message === 'string' && message !== ''
      ? message
      : `the server answered with HTTP ${httpStatus}${typeof body === 'string' && body !== '' ? `: ${body.slice(0, 500)}` : ''}`;
  const subject = subjectOf(details);
  const seconds = details['retryAfterSeconds'];
  return new ClusterError(code, words, {
    fields: fieldErrors(details['causes']),
    ...(subject === undefined ? {} : { subject }),
    ...(typeof seconds === 'number' ? { retryAfterSeconds: seconds } : {}),
  });
};
