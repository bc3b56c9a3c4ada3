// Everything that admits writes, in order: a new plugin is a file here and a line below.
import type { Admission } from './admission.js';
import { limitRanger } from './limit-ranger.js';
import { namespaceLifecycle } from './namespace-lifecycle.js';
import { defaultTolerations, podServiceAccount } from './pod-defaults.js';
import { podPriority } from './priority.js';
import { resourceQuota } from './resource-quota.js';
import { serviceAllocation } from './service-allocation.js';
import type { ServiceAllocationOptions } from './service-allocation.js';

/** Quotas come last: they count what the others have made of an object. */
export const admissionPlugins = (options: ServiceAllocationOptions): readonly Admission[] => [
  namespaceLifecycle,
  podServiceAccount,
  podPriority,
  limitRanger,
  defaultTolerations,
  serviceAllocation(options),
  resourceQuota(options),
];
