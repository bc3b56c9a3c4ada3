// `restartAt`: pods that are older are replaced, no more at one time than may be unavailable.
import { fromTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import { resolveCount } from '../../reconcile/replica-sets.js';
import type { Pod, Rollout, RolloutSpec } from '../../resources/generated/types.js';
import { isPodReady } from '../../resources/pod-status.js';
import { isDeleting, nameOf } from '../../resources/resource.js';

export interface Restart {
  readonly actions: readonly ClusterAction[];
  /** `status.restartedAt` from now on. */
  readonly restartedAt: string | undefined;
  readonly because: string | undefined;
  readonly wakeAt: Instant | undefined;
}

export const unavailableOf = ({ strategy, replicas = 1 }: RolloutSpec): number => {
  const { maxUnavailable } = strategy?.canary ?? strategy?.blueGreen ?? {};
  return Math.max(1, resolveCount(maxUnavailable, replicas, Math.floor));
};

/** Pods are evicted, so that budgets hold; what is refused is tried again. */
export const restartOf = (rollout: Rollout, owned: readonly Pod[], now: Instant): Restart => {
  const { restartAt } = rollout.spec;
  const restartedAt = rollout.status?.restartedAt;
  const at = fromTimestamp(restartAt);
  if (at === undefined || restartAt === restartedAt)
    return { actions: [], restartedAt, because: undefined, wakeAt: undefined };
  if (at > now) return { actions: [], restartedAt, because: undefined, wakeAt: at };
  const old = owned.filter((pod) => (fromTimestamp(pod.metadata.creationTimestamp) ?? 0) < at);
  if (old.length === 0)
    return { actions: [], restartedAt: restartAt, because: 'all pods are restarted', wakeAt: undefined };
  const wanted = rollout.spec.replicas ?? 1;
  const serving = owned.filter((pod) => isPodReady(pod) && !isDeleting(pod)).length;
  const spare = serving - (wanted - unavailableOf(rollout.spec));
  const going = old.filter((pod) => !isDeleting(pod));
  const unready = going.filter((pod) => !isPodReady(pod));
  const ready = going.filter(isPodReady).slice(0, Math.max(0, spare));
  return {
    actions: [...unready, ...ready].map((pod) => ({
      type: 'evict',
      pod: nameOf(pod),
      options: { preconditions: { uid: pod.metadata.uid } },
    })),
    restartedAt,
    because: `restarts: ${String(old.length)} pods are older than ${restartAt ?? ''}`,
    wakeAt: undefined,
  };
};
