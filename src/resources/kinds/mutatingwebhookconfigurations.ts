// MutatingWebhookConfigurations: HTTPS endpoints that may change what is written.
import { ageColumn, integer, nameColumn } from '../columns.js';
import { mapped, withChanges, withDefaults } from '../defaults.js';
import type { MutatingWebhookConfiguration } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { nameErrors } from '../validation/metadata.js';
import { defaultedWebhook, webhooksErrors } from '../webhooks.js';

export const mutatingwebhookconfigurations = defineKind<MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  categories: ['api-extensions'],
  namespaced: false,
  definition: 'io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration',
  generationFields: ['webhooks'],
  columns: [
    nameColumn,
    integer('Webhooks', 'How many webhooks there are.', ({ webhooks }) => webhooks?.length ?? 0),
    ageColumn,
  ],
  defaulted: (configuration) =>
    withChanges(configuration, {
      webhooks: mapped(configuration.webhooks, (webhook) =>
        withDefaults(defaultedWebhook(webhook), { reinvocationPolicy: 'Never' }),
      ),
    }),
  validate: ({ metadata, webhooks }) => [...nameErrors(metadata), ...webhooksErrors(webhooks)],
});
