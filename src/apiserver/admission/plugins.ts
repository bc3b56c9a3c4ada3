// Everything that admits writes, in order: a new plugin is a file here and a line below.
import type { Clock } from '../../base/clock.js';
import type { Authorizer } from '../authorize/authorizer.js';
import type { Admission } from './admission.js';
import { certificateRequests } from './certificates.js';
import { customDefinitions } from './custom-definitions.js';
import type { CustomDefinitionsOptions } from './custom-definitions.js';
import { defaultIngressClass, defaultStorageClass } from './default-classes.js';
import { escalation } from './escalation.js';
import { gitOpsGuard } from './gitops-guard.js';
import { limitRanger } from './limit-ranger.js';
import { mutatingWebhooks } from './mutating-webhooks.js';
import { namespaceLifecycle } from './namespace-lifecycle.js';
import { nodeRestriction } from './node-restriction.js';
import { defaultTolerations } from './pod-defaults.js';
import { podSecurity } from './pod-security.js';
import { podPriority } from './priority.js';
import { resourceQuota } from './resource-quota.js';
import { podServiceAccount, podServiceAccountToken } from './service-account.js';
import type { WebhookOptions } from '../webhooks/call-webhook.js';
import type { Ids } from '../verbs/context.js';
import { validatingWebhooks } from './validating-webhooks.js';
import { serviceAllocation } from './service-allocation.js';
import type { ServiceAllocationOptions } from './service-allocation.js';

export interface AdmissionOptions extends ServiceAllocationOptions {
  /** Without one everybody may give rights to everybody. */
  readonly authorizer?: Authorizer | undefined;
  /** Without it objects of applications are written by whoever may write them. Needs the authorizer. */
  readonly guard?: { readonly clock: Clock } | undefined;
  /** Without them webhook configurations are kept, and nobody is asked. */
  readonly webhooks?: WebhookOptions | undefined;
  /** Without it CustomResourceDefinitions are kept, and make no kinds. */
  readonly definitions?: CustomDefinitionsOptions | undefined;
  /**
   * Without it pods get no token of their account. Only for a cluster in which somebody issues tokens and publishes
   * kube-root-ca.crt in every namespace: elsewhere the volume could never be set up, and no pod would start.
   */
  readonly serviceAccountTokens?: { readonly ids: Pick<Ids, 'random'> } | undefined;
}

/** Quotas come last: they count what the others have made of an object. */
export const admissionPlugins = (options: AdmissionOptions): readonly Admission[] => [
  namespaceLifecycle,
  nodeRestriction,
  ...(options.authorizer === undefined ? [] : [escalation(options.authorizer)]),
  certificateRequests(options.authorizer),
  ...(options.definitions === undefined ? [] : [customDefinitions(options.definitions)]),
  ...(options.guard === undefined || options.authorizer === undefined
    ? []
    : [gitOpsGuard({ authorizer: options.authorizer, clock: options.guard.clock })]),
  defaultStorageClass,
  defaultIngressClass,
  podServiceAccount,
  ...(options.serviceAccountTokens === undefined
    ? []
    : [podServiceAccountToken(options.serviceAccountTokens.ids)]),
  podPriority,
  limitRanger,
  defaultTolerations,
  ...(options.webhooks === undefined ? [] : [mutatingWebhooks(options.webhooks)]),
  serviceAllocation(options),
  ...(options.webhooks === undefined ? [] : [validatingWebhooks(options.webhooks)]),
  podSecurity,
  resourceQuota(options),
];
