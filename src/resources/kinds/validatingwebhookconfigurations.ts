// ValidatingWebhookConfigurations: HTTPS endpoints that may refuse what is written.
import { ageColumn, integer, nameColumn } from '../columns.js';
import { mapped, withChanges } from '../defaults.js';
import type { ValidatingWebhookConfiguration } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { nameErrors } from '../validation/metadata.js';
import { defaultedWebhook, webhooksErrors } from '../webhooks.js';

export const validatingwebhookconfigurations = defineKind<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  categories: ['api-extensions'],
  namespaced: false,
  definition: 'io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration',
  generationFields: ['webhooks'],
  columns: [
    nameColumn,
    integer('Webhooks', 'How many webhooks there are.', ({ webhooks }) => webhooks?.length ?? 0),
    ageColumn,
  ],
  defaulted: (configuration) =>
    withChanges(configuration, {
      webhooks: mapped(configuration.webhooks, defaultedWebhook),
    }),
  validate: ({ metadata, webhooks }) => [...nameErrors(metadata), ...webhooksErrors(webhooks)],
});
