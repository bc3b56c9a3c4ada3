// Finalizers that keep claims from going while pods use them, and volumes while claims do.
import type { Resource } from '../../resources/resource.js';

export const claimProtection = 'kubernetes.io/pvc-protection';
export const volumeProtection = 'kubernetes.io/pv-protection';

/** Undefined when it is there already. */
export const withFinalizer = <T extends Resource>(object: T, finalizer: string): T | undefined => {
  const { finalizers = [] } = object.metadata;
  if (finalizers.includes(finalizer)) return undefined;
  return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
};

/** Undefined when it is not there. */
export const withoutFinalizer = <T extends Resource>(object: T, finalizer: string): T | undefined => {
  const { finalizers = [] } = object.metadata;
  if (!finalizers.includes(finalizer)) return undefined;
  const others = finalizers.filter((name) => name !== finalizer);
  return { ...object, metadata: { ...object.metadata, finalizers: others } };
};
