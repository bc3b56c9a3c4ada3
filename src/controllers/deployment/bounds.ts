// How many pods a Deployment may have too many and too few while it rolls over.
import { resolveCount } from '../../reconcile/replica-sets.js';
import type { Deployment } from '../../resources/generated/types.js';

export interface Bounds {
  /** `spec.replicas`. */
  readonly wanted: number;
  /** Pods beyond `wanted`; 0 unless the strategy is RollingUpdate. */
  readonly surge: number;
  readonly unavailable: number;
}

export const isRolling = ({ spec }: Deployment): boolean =>
  (spec.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';

/** The surge is rounded up, unavailability down; where both come to nothing, one may be unavailable. */
export const boundsOf = (deployment: Deployment): Bounds => {
  const wanted = deployment.spec.replicas ?? 1;
  if (!isRolling(deployment)) return { wanted, surge: 0, unavailable: 0 };
  const { maxSurge, maxUnavailable } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = resolveCount(maxSurge, wanted, Math.ceil);
  const unavailable = resolveCount(maxUnavailable, wanted, Math.floor);
  return { wanted, surge, unavailable: Math.min(wanted, surge === 0 && unavailable === 0 ? 1 : unavailable) };
};
