// Everything that admits writes, in order: a new plugin is a file here and a line below.
import type { Admission } from './admission.js';
import { namespaceLifecycle } from './namespace-lifecycle.js';
import { defaultTolerations, podPriority, podServiceAccount } from './pod-defaults.js';
import { serviceAllocation } from './service-allocation.js';
import type { ServiceAllocationOptions } from './service-allocation.js';

export const admissionPlugins = (options: ServiceAllocationOptions): readonly Admission[] => [
  namespaceLifecycle,
  podServiceAccount,
  podPriority,
  defaultTolerations,
  serviceAllocation(options),
];
