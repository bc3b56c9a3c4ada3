// How many pods a Deployment may have too many and too few while it rolls over.
import type { Deployment, ReplicaSet } from '../../resources/generated/types.js';

export interface Bounds {
  /** `spec.replicas`. */
  readonly wanted: number;
  /** Pods beyond `wanted`; 0 unless the strategy is RollingUpdate. */
  readonly surge: number;
  readonly unavailable: number;
}

const resolve = (value: number | string | undefined, of: number, round: (n: number) => number): number => {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(value ?? '25%')?.[1];
  return percent === undefined ? 0 : round((Number(percent) * of) / 100);
};

export const isRolling = ({ spec }: Deployment): boolean =>
  (spec.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';

/** The surge is rounded up, unavailability down; where both come to nothing, one may be unavailable. */
export const boundsOf = (deployment: Deployment): Bounds => {
  const wanted = deployment.spec.replicas ?? 1;
  if (!isRolling(deployment)) return { wanted, surge: 0, unavailable: 0 };
  const { maxSurge, maxUnavailable } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = resolve(maxSurge, wanted, Math.ceil);
  const unavailable = resolve(maxUnavailable, wanted, Math.floor);
  return { wanted, surge, unavailable: Math.min(wanted, surge === 0 && unavailable === 0 ? 1 : unavailable) };
};

export const specified = (set: ReplicaSet): number => set.spec.replicas ?? 1;
export const actual = (set: ReplicaSet): number => set.status?.replicas ?? 0;
export const available = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0;
export const ready = (set: ReplicaSet): number => set.status?.readyReplicas ?? 0;

export const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number): number =>
  sets.reduce((total, set) => total + of(set), 0);
