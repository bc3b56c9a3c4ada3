// Query parameters and headers -> the options of the verbs. What Kubernetes refuses is refused here.
import { ClusterError } from '../base/errors.js';
import type { FieldError } from '../base/errors.js';
import type { HttpRequest, Identity } from '../base/http.js';
import { isObject } from '../base/json.js';
import type { DeleteOptions } from '../client/cluster.js';
import type { CallOptions, FieldValidation, ListQuery } from './registry.js';

const bad = (message: string): ClusterError => new ClusterError('BadRequest', message);

const value = (query: URLSearchParams, name: string): string | undefined => {
  const found = query.get(name);
  return found === null || found === '' ? undefined : found;
};

/** A whole number >= 0; throws BadRequest. */
export const wholeNumber = (query: URLSearchParams, name: string): number | undefined => {
  const found = value(query, name);
  if (found === undefined) return undefined;
  if (!/^\d{1,15}$/.test(found))
    throw bad(`${name} must be a whole number that is not negative, not ${JSON.stringify(found)}`);
  return Number(found);
};

/** As Go's ParseBool reads it; throws BadRequest. */
export const flag = (query: URLSearchParams, name: string): boolean | undefined => {
  const found = value(query, name);
  if (found === undefined) return query.has(name) ? true : undefined;
  if (/^(1|t|true)$/i.test(found)) return true;
  if (/^(0|f|false)$/i.test(found)) return false;
  throw bad(`${name} must be true or false, not ${JSON.stringify(found)}`);
};

const invalidOptions = (kind: string, field: FieldError): ClusterError =>
  new ClusterError('Invalid', `${kind}.meta.k8s.io "" is invalid: ${field.field}: ${field.message}`, {
    fields: [field],
    subject: { group: 'meta.k8s.io', kind },
  });

const dryRunOf = (values: readonly string[]): boolean => {
  const others = values.filter((item) => item !== '' && item !== 'All');
  if (others.length > 0)
    throw invalidOptions('CreateOptions', {
      type: 'FieldValueNotSupported',
      field: 'dryRun',
      message: `Unsupported value: ${JSON.stringify(others[0])}: supported values: "All"`,
    });
  return values.includes('All');
};

const fieldValidations: ReadonlySet<string> = new Set(['Strict', 'Warn', 'Ignore']);

const fieldValidationOf = (query: URLSearchParams): FieldValidation => {
  const asked = value(query, 'fieldValidation') ?? 'Warn';
  if (fieldValidations.has(asked)) return asked as FieldValidation;
  throw invalidOptions('CreateOptions', {
    type: 'FieldValueNotSupported',
    field: 'fieldValidation',
    message: `Unsupported value: ${JSON.stringify(asked)}: supported values: "Ignore", "Strict", "Warn"`,
  });
};

/** The longest manager name that Kubernetes takes. */
const longestManager = 128;

const managerOf = (request: HttpRequest): string => {
  const asked = value(request.query, 'fieldManager');
  if (asked !== undefined && asked.length > longestManager)
    throw invalidOptions('CreateOptions', {
      type: 'FieldValueTooLong',
      field: 'fieldManager',
      message: `Too long: may not be more than ${longestManager} bytes`,
    });
  if (asked !== undefined) return asked;
  const prefix = (request.headers['user-agent'] ?? '').split('/')[0]?.trim() ?? '';
  return prefix === '' ? 'unknown' : prefix.slice(0, longestManager);
};

export const callOptions = (
  request: HttpRequest,
  identity: Identity,
  warn: (message: string) => void,
): CallOptions => ({
  identity,
  dryRun: dryRunOf(request.query.getAll('dryRun')),
  fieldManager: managerOf(request),
  fieldValidation: fieldValidationOf(request.query),
  warn,
});

/** Server-side apply has no default manager, since ownership hangs on its name. */
export const requireManager = (request: HttpRequest): void => {
  if (value(request.query, 'fieldManager') === undefined)
    throw invalidOptions('PatchOptions', {
      type: 'FieldValueRequired',
      field: 'fieldManager',
      message: 'Required value: is required for apply patch',
    });
};

const matches: ReadonlySet<string> = new Set(['Exact', 'NotOlderThan']);

export const listQuery = (query: URLSearchParams, namespace: string | undefined): ListQuery => {
  const match = value(query, 'resourceVersionMatch');
  if (match !== undefined && !matches.has(match))
    throw bad(`resourceVersionMatch must be Exact or NotOlderThan, not ${JSON.stringify(match)}`);
  const limit = wholeNumber(query, 'limit');
  return {
    namespace,
    labelSelector: value(query, 'labelSelector'),
    fieldSelector: value(query, 'fieldSelector'),
    limit: limit === 0 ? undefined : limit,
    continue: value(query, 'continue'),
    resourceVersion: value(query, 'resourceVersion'),
    resourceVersionMatch: match as ListQuery['resourceVersionMatch'],
  };
};

const policies: ReadonlySet<unknown> = new Set(['Orphan', 'Background', 'Foreground']);

const policyOf = (
  body: Record<string, unknown>,
  query: URLSearchParams,
): DeleteOptions['propagationPolicy'] => {
  const policy = body['propagationPolicy'] ?? value(query, 'propagationPolicy');
  if (policy !== undefined) {
    if (policies.has(policy)) return policy as DeleteOptions['propagationPolicy'];
    throw invalidOptions('DeleteOptions', {
      type: 'FieldValueNotSupported',
      field: 'propagationPolicy',
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan"`,
    });
  }
  const orphan = body['orphanDependents'] ?? flag(query, 'orphanDependents');
  return orphan === true ? 'Orphan' : orphan === false ? 'Background' : undefined;
};

/** `body` is a decoded DeleteOptions, or undefined; what it says comes before the query. */
export const deleteOptions = (
  body: unknown,
  query: URLSearchParams,
): DeleteOptions & { readonly dryRun: boolean } => {
  const options = isObject(body) ? body : {};
  if (options['kind'] !== undefined && options['kind'] !== 'DeleteOptions')
    throw bad(`the body of a deletion is DeleteOptions, not ${JSON.stringify(options['kind'])}`);
  const grace = options['gracePeriodSeconds'] ?? wholeNumber(query, 'gracePeriodSeconds');
  if (grace !== undefined && (typeof grace !== 'number' || !Number.isSafeInteger(grace)))
    throw bad('gracePeriodSeconds must be a whole number');
  const { preconditions } = options;
  const dryRun = Array.isArray(options['dryRun']) ? options['dryRun'].map(String) : query.getAll('dryRun');
  return {
    gracePeriodSeconds: grace,
    propagationPolicy: policyOf(options, query),
    preconditions: isObject(preconditions)
      ? {
          uid: preconditions['uid'] as string | undefined,
          resourceVersion: preconditions['resourceVersion'] as string | undefined,
        }
      : undefined,
    dryRun: dryRunOf(dryRun),
  };
};
