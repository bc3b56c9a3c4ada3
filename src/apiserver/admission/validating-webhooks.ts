// ValidatingWebhookConfigurations: all that are concerned are asked at once; the first that refuses decides.
import { validatingwebhookconfigurations } from '../../resources/kinds/validatingwebhookconfigurations.js';
import { callWebhook, concernOf } from '../webhooks/call-webhook.js';
import type { WebhookOptions } from '../webhooks/call-webhook.js';
import type { Admission } from './admission.js';

export const validatingWebhooks = (options: WebhookOptions): Admission => ({
  name: 'ValidatingAdmissionWebhook',
  phase: 'validate',
  admit: (request) => {
    const webhooks = request.reads
      .list(validatingwebhookconfigurations, undefined)
      .flatMap(({ webhooks: own = [] }) => own);
    if (webhooks.length === 0) return undefined;
    const concerns = webhooks.flatMap((webhook) => concernOf(options, webhook, request) ?? []);
    if (concerns.length === 0) return undefined;
    return Promise.all(concerns.map((concern) => callWebhook(options, concern, request))).then(
      () => undefined,
    );
  },
});
