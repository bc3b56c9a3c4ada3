// One admission webhook and one request: whether it is concerned, what it says, and what becomes of it when it does not answer.
import { ClusterError, messageOf } from '../../base/errors.js';
import type { KindSource } from '../../resources/kind-source.js';
import { resourceNameOf } from '../../resources/kind.js';
import type { Kind } from '../../resources/kind.js';
import type { Resource } from '../../resources/resource.js';
import type { AdmissionRequest } from '../admission/admission.js';
import { scaleOf } from '../verbs/scale.js';
import type { Ids, OpenResource } from '../verbs/context.js';
import { denied, reviewRequest, verdictOf } from './admission-review.js';
import type { Verdict } from './admission-review.js';
import { askWebhook } from './webhook-client.js';
import type { WebhookClient } from './webhook-client.js';
import { admissionVariables, conditionsHold, matchingKind, selectorsMatch } from './webhook-rules.js';
import type { Webhook } from './webhook-rules.js';
import { webhookTarget } from './webhook-target.js';

export interface WebhookOptions extends WebhookClient {
  readonly kinds: KindSource;
  readonly ids: Ids;
}

export interface Concern {
  readonly webhook: Webhook;
  /** The version in which it sees the object. */
  readonly kind: Kind;
}

/** No webhook may stand in the way of its own removal. */
const isConfiguration = ({ group }: Kind): boolean => group === 'admissionregistration.k8s.io';

const equivalentsOf = ({ kinds }: WebhookOptions, kind: Kind): readonly Kind[] =>
  kind.versions === undefined
    ? []
    : kinds.served().filter((other) => other !== kind && resourceNameOf(other) === resourceNameOf(kind));

const failed = (webhook: Webhook, error: unknown): ClusterError =>
  new ClusterError(
    'InternalError',
    `Internal error occurred: failed calling webhook ${JSON.stringify(webhook.name)}: failed to call webhook: ${messageOf(error)}`,
    { cause: error },
  );

/** Undefined: not its business. Throws where that cannot be judged and its policy is to fail. */
export const concernOf = (
  options: WebhookOptions,
  webhook: Webhook,
  request: AdmissionRequest,
): Concern | undefined => {
  if (isConfiguration(request.kind)) return undefined;
  const kind = matchingKind(webhook, request, equivalentsOf(options, request.kind));
  if (kind === undefined || !selectorsMatch(webhook, request)) return undefined;
  const variables = () =>
    admissionVariables(
      request,
      reviewRequest(request, { uid: '', kind: request.kind, object: undefined, old: undefined }),
    );
  try {
    return conditionsHold(webhook.matchConditions, variables) ? { webhook, kind } : undefined;
  } catch (error) {
    if (webhook.failurePolicy === 'Ignore') return undefined;
    throw new ClusterError(
      'Forbidden',
      `${request.kind.plural} ${JSON.stringify(request.name)} is forbidden: ${webhook.name}: ${messageOf(error)}`,
    );
  }
};

const inVersion = async (kind: Kind, request: AdmissionRequest, object: Resource): Promise<Resource> => {
  const scale = request.operation === 'update' && request.subresource === 'scale';
  if (scale) return scaleOf(request.kind, object as OpenResource);
  if (kind === request.kind || kind.versions === undefined) return object;
  const [made = object] = await kind.versions.decode([object]);
  return made;
};

/** What it says; undefined when it cannot be asked and its policy is to go on. Throws when it refuses. */
export const callWebhook = async (
  options: WebhookOptions,
  { webhook, kind }: Concern,
  request: AdmissionRequest,
): Promise<Verdict | undefined> => {
  const { name, clientConfig, timeoutSeconds = 10 } = webhook;
  if (request.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun')
    throw new ClusterError(
      'BadRequest',
      `admission webhook ${JSON.stringify(name)} does not support dry run`,
    );
  const uid = options.ids.uid();
  let verdict: Verdict;
  try {
    const object =
      request.operation === 'delete' ? undefined : await inVersion(kind, request, request.object);
    const old = request.operation === 'create' ? undefined : await inVersion(kind, request, request.old);
    const body = {
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1',
      request: reviewRequest(request, { uid, kind, object, old }),
    };
    const target = webhookTarget(request.reads, clientConfig, options.ids.random());
    verdict = verdictOf(await askWebhook(options, target, { body, timeoutSeconds }), uid);
  } catch (error) {
    if (webhook.failurePolicy === 'Ignore') return undefined;
    throw failed(webhook, error);
  }
  for (const warning of verdict.warnings) request.warn?.(warning);
  if (!verdict.allowed) throw denied(name, verdict);
  return verdict;
};
