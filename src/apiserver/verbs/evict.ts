// Asks a pod to leave its node: a deletion with the pod's own grace period, which a PodDisruptionBudget may forbid.
// Follows `pkg/registry/core/pod/storage/eviction.go`.
import { toTimestamp } from '../../base/clock.js';
import { ClusterError } from '../../base/errors.js';
import type { DeleteOptions } from '../../client/cluster.js';
import type { Pod, PodDisruptionBudget } from '../../resources/generated/types.js';
import { poddisruptionbudgets } from '../../resources/kinds/poddisruptionbudgets.js';
import { pods } from '../../resources/kinds/pods.js';
import { selects } from '../../resources/label-selector.js';
import { isPodReady, isPodTerminated, phaseOf } from '../../resources/pod-status.js';
import type { ObjectName } from '../../resources/resource.js';
import { isDeleting } from '../../resources/resource.js';
import { RevisionConflict } from '../../store/store.js';
import type { CallOptions } from '../registry.js';
import { commit } from './commit.js';
import type { VerbContext } from './context.js';
import { deleteObject } from './delete.js';

const attempts = 20;

/** `retryAfterSeconds` only where waiting alone helps: a client that is told to wait says nothing to its user meanwhile. */
const violates = (why: string, retryAfterSeconds?: number): ClusterError =>
  new ClusterError(
    'TooManyRequests',
    `Cannot evict pod as it would violate the pod's disruption budget. ${why}`,
    retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
  );

/** For a budget that the controller has not looked at yet. */
const processedWithinSeconds = 10;

/** The budget with one disruption fewer; throws TooManyRequests when it allows none. */
const taken = (budget: PodDisruptionBudget, pod: string, now: number): PodDisruptionBudget => {
  const { metadata, status } = budget;
  if (status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0))
    throw violates(
      `The disruption budget ${metadata.name} is still being processed by the server.`,
      processedWithinSeconds,
    );
  const { disruptionsAllowed, desiredHealthy, currentHealthy, disruptedPods } = status;
  if (disruptionsAllowed <= 0)
    throw violates(
      `The disruption budget ${metadata.name} needs ${String(desiredHealthy)} healthy pods and has ${String(currentHealthy)} currently`,
    );
  return {
    ...budget,
    status: {
      ...status,
      disruptionsAllowed: disruptionsAllowed - 1,
      disruptedPods: { ...disruptedPods, [pod]: toTimestamp(now) },
    },
  };
};

/** A pod that is not ready costs no availability; by default it may go while the others are enough. */
const goesUnhealthy = (pod: Pod, { spec, status }: PodDisruptionBudget): boolean => {
  if (isPodReady(pod)) return false;
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
};

const ask = async (context: VerbContext, pod: Pod, dryRun: boolean): Promise<void> => {
  const { name, namespace, labels } = pod.metadata;
  const budgets = context.reads
    .list(poddisruptionbudgets, namespace)
    .filter(({ spec }) => selects(spec.selector, labels));
  const [budget] = budgets;
  if (budget === undefined) return;
  if (budgets.length > 1)
    throw new ClusterError(
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  if (goesUnhealthy(pod, budget)) return;
  const object = taken(budget, name, context.clock.now());
  if (!dryRun)
    await commit(context, poddisruptionbudgets, {
      object,
      expected: Number(budget.metadata.resourceVersion),
    });
};

/** Throws NotFound, Conflict, and TooManyRequests while the pod's budget allows no disruption. */
export const evict = async (
  context: VerbContext,
  request: { readonly name: ObjectName; readonly deletion: DeleteOptions; readonly options: CallOptions },
): Promise<void> => {
  const dryRun = request.options.dryRun === true || request.deletion.dryRun === true;
  for (let attempt = 1; ; attempt += 1) {
    const pod = context.reads.get(pods, request.name);
    // What has not begun, has ended or is going already takes nothing from a budget.
    if (pod === undefined || isPodTerminated(pod) || phaseOf(pod) === 'Pending' || isDeleting(pod)) break;
    try {
      await ask(context, pod, dryRun);
      break;
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      if (attempt === attempts) throw violates('Its budget changes too often: try again.');
    }
  }
  await deleteObject(context, pods, request);
};
