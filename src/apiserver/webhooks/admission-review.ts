// AdmissionReview (admission.k8s.io/v1): the question that a webhook is asked, and its answer.
import { Buffer } from 'node:buffer';
import { ClusterError } from '../../base/errors.js';
import type { ErrorCode } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import type { Kind } from '../../resources/kind.js';
import type { Resource } from '../../resources/resource.js';
import type { AdmissionRequest } from '../admission/admission.js';
import { operationOf, subresourceOf } from './webhook-rules.js';

const optionsKind = { create: 'CreateOptions', update: 'UpdateOptions', delete: 'DeleteOptions' } as const;

const optionsOf = ({ operation, dryRun, fieldManager }: AdmissionRequest): Record<string, unknown> => ({
  kind: optionsKind[operation],
  apiVersion: 'meta.k8s.io/v1',
  ...(dryRun ? { dryRun: ['All'] } : {}),
  ...(fieldManager === undefined || operation === 'delete' ? {} : { fieldManager }),
});

export interface Question {
  readonly uid: string;
  /** The version in which the webhook sees the object. */
  readonly kind: Kind;
  readonly object: Resource | undefined;
  readonly old: Resource | undefined;
}

const gvk = ({ group, version, kind }: Kind): Record<string, string> => ({ group, version, kind });
const gvr = ({ group, version, plural }: Kind): Record<string, string> => ({
  group,
  version,
  resource: plural,
});

export const reviewRequest = (
  request: AdmissionRequest,
  { uid, kind, object, old }: Question,
): Record<string, unknown> => {
  const { identity } = request;
  const subResource = subresourceOf(request);
  return {
    uid,
    kind: gvk(kind),
    resource: gvr(kind),
    ...(subResource === '' ? {} : { subResource, requestSubResource: subResource }),
    requestKind: gvk(request.kind),
    requestResource: gvr(request.kind),
    name: request.name,
    ...(request.namespace === undefined ? {} : { namespace: request.namespace }),
    operation: operationOf(request),
    userInfo: {
      username: identity.user,
      groups: identity.groups,
      ...(identity.uid === undefined ? {} : { uid: identity.uid }),
      ...(identity.extra === undefined ? {} : { extra: identity.extra }),
    },
    object: object ?? null,
    oldObject: old ?? null,
    dryRun: request.dryRun,
    options: optionsOf(request),
  };
};

export interface Verdict {
  readonly allowed: boolean;
  readonly status: Record<string, unknown>;
  readonly warnings: readonly string[];
  /** JSON patch of the object. */
  readonly patch: readonly unknown[] | undefined;
}

const patchOf = (response: Record<string, unknown>): readonly unknown[] | undefined => {
  const { patch, patchType } = response;
  if (patch === undefined || patch === null || patch === '') return undefined;
  if (patchType !== 'JSONPatch' || typeof patch !== 'string')
    throw new Error('the answer has a patch whose patchType is not JSONPatch');
  const operations: unknown = JSON.parse(Buffer.from(patch, 'base64').toString('utf8'));
  if (!Array.isArray(operations)) throw new Error('the patch of the answer is not a list of operations');
  return operations as readonly unknown[];
};

/** Throws an Error for an answer that is none. */
export const verdictOf = (answer: Record<string, unknown>, uid: string): Verdict => {
  const { response } = answer;
  if (answer['kind'] !== 'AdmissionReview' || answer['apiVersion'] !== 'admission.k8s.io/v1')
    throw new Error(
      `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${String(answer['apiVersion'])}, Kind=${String(answer['kind'])}`,
    );
  if (!isObject(response)) throw new Error('webhook response has no response');
  if (response['uid'] !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'])}`);
  const warnings: unknown = response['warnings'];
  return {
    allowed: response['allowed'] === true,
    status: isObject(response['status']) ? response['status'] : {},
    warnings: Array.isArray(warnings) ? warnings.filter((one): one is string => typeof one === 'string') : [],
    patch: patchOf(response),
  };
};

const codes: Readonly<Record<number, ErrorCode>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  413: 'RequestEntityTooLarge',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** In the words of Kubernetes (`pkg/admission/plugin/webhook/errors`). */
export const denied = (webhook: string, { status }: Verdict): ClusterError => {
  const { message, reason, code } = status;
  const why = [message, reason].find((text): text is string => typeof text === 'string' && text !== '');
  return new ClusterError(
    codes[typeof code === 'number' ? code : 400] ?? 'BadRequest',
    `admission webhook ${JSON.stringify(webhook)} denied the request${why === undefined ? ' without explanation' : `: ${why}`}`,
    { retry: false },
  );
};
