// What several features ask of a pod's status: is it ready, available, over.
import type { Instant } from '../base/clock.js';
import { fromTimestamp } from '../base/clock.js';
import { conditionOf } from './conditions.js';
import type { Container, ContainerStatus, Pod } from './generated/types.js';
import { isDeleting } from './resource.js';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

/** An absent phase counts as Pending. */
export const phaseOf = (pod: Pod): PodPhase => (pod.status?.phase ?? 'Pending') as PodPhase;

/** Succeeded or Failed: none of its containers will run again. */
export const isPodTerminated = (pod: Pod): boolean => {
  const phase = phaseOf(pod);
  return phase === 'Succeeded' || phase === 'Failed';
};

/** Runs or will run: neither terminated nor being deleted. */
export const isPodActive = (pod: Pod): boolean => !isPodTerminated(pod) && !isDeleting(pod);

export const isPodReady = (pod: Pod): boolean =>
  conditionOf(pod.status?.conditions, 'Ready')?.status === 'True';

/** The time from which a ready pod counts as available; undefined while it is not ready. */
export const podAvailableAt = (pod: Pod, minReadySeconds = 0): Instant | undefined => {
  const ready = conditionOf(pod.status?.conditions, 'Ready');
  if (ready?.status !== 'True') return undefined;
  return (fromTimestamp(ready.lastTransitionTime) ?? 0) + minReadySeconds * 1000;
};

export const isPodAvailable = (pod: Pod, minReadySeconds: number, now: Instant): boolean => {
  const at = podAvailableAt(pod, minReadySeconds);
  return at !== undefined && (minReadySeconds === 0 || at <= now);
};

/** Restarts for ever beside the containers, as a sidecar. */
export const isSidecar = (container: Pick<Container, 'restartPolicy'>): boolean =>
  container.restartPolicy === 'Always';

export const containerStatusOf = (pod: Pod, container: string): ContainerStatus | undefined =>
  [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.ephemeralContainerStatuses ?? []),
  ].find(({ name }) => name === container);

/** Restarts of all containers, sidecars included. */
export const podRestarts = (pod: Pod): number =>
  [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].reduce(
    (sum, { restartCount }) => sum + restartCount,
    0,
  );
