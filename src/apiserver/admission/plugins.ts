// Everything that admits writes, in order: a new plugin is a file here and a line below.
import type { Authorizer } from '../authorize/authorizer.js';
import type { Admission } from './admission.js';
import { certificateRequests } from './certificates.js';
import { customDefinitions } from './custom-definitions.js';
import type { CustomDefinitionsOptions } from './custom-definitions.js';
import { escalation } from './escalation.js';
import { limitRanger } from './limit-ranger.js';
import { mutatingWebhooks } from './mutating-webhooks.js';
import { namespaceLifecycle } from './namespace-lifecycle.js';
import { nodeRestriction } from './node-restriction.js';
import { defaultTolerations, podServiceAccount } from './pod-defaults.js';
import { podPriority } from './priority.js';
import { resourceQuota } from './resource-quota.js';
import type { WebhookOptions } from '../webhooks/call-webhook.js';
import { validatingWebhooks } from './validating-webhooks.js';
import { serviceAllocation } from './service-allocation.js';
import type { ServiceAllocationOptions } from './service-allocation.js';

export interface AdmissionOptions extends ServiceAllocationOptions {
  /** Without one everybody may give rights to everybody. */
  readonly authorizer?: Authorizer | undefined;
  /** Without them webhook configurations are kept, and nobody is asked. */
  readonly webhooks?: WebhookOptions | undefined;
  /** Without it CustomResourceDefinitions are kept, and make no kinds. */
  readonly definitions?: CustomDefinitionsOptions | undefined;
}

/** Quotas come last: they count what the others have made of an object. */
export const admissionPlugins = (options: AdmissionOptions): readonly Admission[] => [
  namespaceLifecycle,
  nodeRestriction,
  ...(options.authorizer === undefined ? [] : [escalation(options.authorizer)]),
  certificateRequests(options.authorizer),
  ...(options.definitions === undefined ? [] : [customDefinitions(options.definitions)]),
  podServiceAccount,
  podPriority,
  limitRanger,
  defaultTolerations,
  ...(options.webhooks === undefined ? [] : [mutatingWebhooks(options.webhooks)]),
  serviceAllocation(options),
  ...(options.webhooks === undefined ? [] : [validatingWebhooks(options.webhooks)]),
  resourceQuota(options),
];
