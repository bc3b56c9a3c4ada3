// How many nodes may be without their daemon, or have two, while a DaemonSet's pods are replaced.
import type { DaemonSet } from '../../resources/generated/types.js';

export interface Bounds {
  /** Nodes that may have an old and a new pod at once. */
  readonly surge: number;
  /** Nodes that may have no available pod; 1 where neither is given. */
  readonly unavailable: number;
}

/** A count, or a percentage of `nodes`, rounded up. */
const resolve = (value: number | string | undefined, nodes: number): number => {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(value ?? '')?.[1];
  return percent === undefined ? 0 : Math.ceil((Number(percent) * nodes) / 100);
};

export const isRolling = ({ spec }: DaemonSet): boolean =>
  (spec.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate';

/** `nodes`: those that are to run a pod. */
export const boundsOf = (daemonSet: DaemonSet, nodes: number): Bounds => {
  const { maxSurge, maxUnavailable } = daemonSet.spec.updateStrategy?.rollingUpdate ?? {};
  const surge = isRolling(daemonSet) ? resolve(maxSurge, nodes) : 0;
  const unavailable = resolve(maxUnavailable ?? (surge === 0 ? 1 : 0), nodes);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
};
