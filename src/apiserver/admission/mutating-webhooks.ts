// MutatingWebhookConfigurations: one webhook after the other changes the object; those that want to see what came after
// them are asked once more. Follows apiserver `pkg/admission/plugin/webhook/mutating/dispatcher.go`.
import { ClusterError, messageOf } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import type { MutatingWebhook } from '../../resources/generated/types.js';
import type { Kind } from '../../resources/kind.js';
import { mutatingwebhookconfigurations } from '../../resources/kinds/mutatingwebhookconfigurations.js';
import type { Resource } from '../../resources/resource.js';
import { checkSchema, prune } from '../../resources/schema.js';
import { jsonPatch } from '../patch/json-patch.js';
import { invalid } from '../verbs/rejections.js';
import { callWebhook, concernOf } from '../webhooks/call-webhook.js';
import type { Concern, WebhookOptions } from '../webhooks/call-webhook.js';
import type { Admission, AdmissionReads, AdmissionRequest } from './admission.js';

type Write = Exclude<AdmissionRequest, { readonly operation: 'delete' }>;

/** By the name of their configuration, then in their own order. */
const webhooksOf = (reads: AdmissionReads): readonly MutatingWebhook[] =>
  [...reads.list(mutatingwebhookconfigurations, undefined)]
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap(({ webhooks = [] }) => webhooks);

/** What the server sets is not a webhook's to change. */
const keptMetadata = (before: Resource, after: Resource): Resource => {
  const { name, namespace, uid, resourceVersion, creationTimestamp, generation } = before.metadata;
  const kept = { name, uid, resourceVersion, creationTimestamp };
  return {
    ...after,
    apiVersion: before.apiVersion,
    kind: before.kind,
    metadata: {
      ...after.metadata,
      ...kept,
      ...(namespace === undefined ? {} : { namespace }),
      ...(generation === undefined ? {} : { generation }),
    },
  };
};

const conformed = (kind: Kind, object: Resource, name: string): Resource => {
  const { errors } = checkSchema(kind, object);
  if (errors.length > 0) throw invalid(kind, name, errors);
  return kind.defaulted(prune(kind, object));
};

const patched = async (
  request: Write,
  { webhook, kind }: Concern,
  operations: readonly unknown[],
): Promise<Resource> => {
  const { object } = request;
  const seen =
    kind === request.kind || kind.versions === undefined ? [object] : await kind.versions.decode([object]);
  let changed: Resource;
  try {
    changed = jsonPatch(seen[0] ?? object, operations) as Resource;
  } catch (error) {
    throw new ClusterError(
      'InternalError',
      `Internal error occurred: the patch of admission webhook ${JSON.stringify(webhook.name)} cannot be applied: ${messageOf(error)}`,
    );
  }
  const back = kind === request.kind ? [changed] : await request.kind.versions?.decode([changed]);
  return conformed(request.kind, keptMetadata(object, back?.[0] ?? changed), request.name);
};

const isScale = (request: AdmissionRequest): boolean =>
  request.operation === 'update' && request.subresource === 'scale';

export const mutatingWebhooks = (options: WebhookOptions): Admission => {
  /** The object after the webhook, or the very same. */
  const ask = async (request: Write, webhook: MutatingWebhook): Promise<Resource> => {
    const concern = concernOf(options, webhook, request);
    if (concern === undefined) return request.object;
    const verdict = await callWebhook(options, concern, request);
    if (verdict?.patch === undefined || verdict.patch.length === 0 || isScale(request)) return request.object;
    const object = await patched(request, concern, verdict.patch);
    return equal(object, request.object) ? request.object : object;
  };

  const askAll = async (request: Write, webhooks: readonly MutatingWebhook[]): Promise<Resource> => {
    let current = request;
    const changedSince = new Set<MutatingWebhook>();
    const asked: MutatingWebhook[] = [];
    for (const webhook of webhooks) {
      const object = await ask(current, webhook);
      if (object !== current.object) for (const earlier of asked) changedSince.add(earlier);
      asked.push(webhook);
      current = { ...current, object };
    }
    for (const webhook of asked)
      if (webhook.reinvocationPolicy === 'IfNeeded' && changedSince.has(webhook))
        current = { ...current, object: await ask(current, webhook) };
    return current.object;
  };

  return {
    name: 'MutatingAdmissionWebhook',
    admit: (request) => {
      const webhooks = webhooksOf(request.reads);
      if (webhooks.length === 0) return undefined;
      if (request.operation !== 'delete') return askAll(request, webhooks).then((object) => ({ object }));
      return webhooks
        .reduce<Promise<unknown>>(async (before, webhook) => {
          await before;
          const concern = concernOf(options, webhook, request);
          if (concern !== undefined) await callWebhook(options, concern, request);
        }, Promise.resolve())
        .then(() => undefined);
    },
  };
};
