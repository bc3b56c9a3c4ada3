// PodDisruptionBudget: counts the healthy pods of an application and how many of them may be evicted. The eviction verb
// takes from that number. Follows `pkg/controller/disruption`.
import { fromTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import { withCondition } from '../../resources/conditions.js';
import type { Pod, PodDisruptionBudget } from '../../resources/generated/types.js';
import { deployments } from '../../resources/kinds/deployments.js';
import { poddisruptionbudgets } from '../../resources/kinds/poddisruptionbudgets.js';
import { pods } from '../../resources/kinds/pods.js';
import { replicasets } from '../../resources/kinds/replicasets.js';
import { selects } from '../../resources/label-selector.js';
import { isPodReady, isPodTerminated } from '../../resources/pod-status.js';
import { controllerOf, isDeleting, nameOf } from '../../resources/resource.js';

export interface DisruptionObserved {
  readonly budget: PodDisruptionBudget;
  /** Pods that it selects. */
  readonly pods: readonly Pod[];
  /** Replicas that those who manage the pods ask for; undefined when someone does not say. */
  readonly scale: number | undefined;
}

/** An evicted pod that is not deleted by then is not going to be. */
const evictionTimeoutMs = 120_000;

interface Scale {
  readonly uid: string;
  readonly replicas: number;
}

const scaleOf = (view: View, pod: Pod): Scale | undefined => {
  const { namespace } = pod.metadata;
  const owner = controllerOf(pod);
  if (owner?.kind !== replicasets.kind) return undefined;
  const set = view.get(replicasets, { name: owner.name, namespace });
  if (set === undefined) return undefined;
  const above = controllerOf(set);
  const deployment =
    above?.kind === deployments.kind ? view.get(deployments, { name: above.name, namespace }) : undefined;
  const { metadata, spec } = deployment ?? set;
  return { uid: metadata.uid, replicas: spec.replicas ?? 1 };
};

const totalScale = (view: View, selected: readonly Pod[]): number | undefined => {
  const scales = new Map<string, number>();
  for (const pod of selected) {
    const scale = scaleOf(view, pod);
    if (scale === undefined) return undefined;
    scales.set(scale.uid, scale.replicas);
  }
  return [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
};

const observe = (view: View, key: Key): DisruptionObserved | undefined => {
  const budget = view.get(poddisruptionbudgets, key);
  if (budget === undefined) return undefined;
  const selected = view
    .list(pods, budget.metadata.namespace)
    .filter((pod) => !isPodTerminated(pod) && selects(budget.spec.selector, pod.metadata.labels));
  return { budget, pods: selected, scale: totalScale(view, selected) };
};

/** A part is rounded up, be it of what must be there or of what may be missing, as in Kubernetes. */
const resolve = (value: number | string, of: number): number =>
  typeof value === 'number' ? value : Math.ceil((parseInt(value, 10) * of) / 100);

interface Need {
  readonly expected: number;
  readonly healthy: number;
}

/** Undefined when it is not known how many pods there should be. */
const needOf = ({ budget, pods: selected, scale }: DisruptionObserved): Need | undefined => {
  const { minAvailable, maxUnavailable } = budget.spec;
  if (typeof minAvailable === 'number') return { expected: selected.length, healthy: minAvailable };
  if (scale === undefined) return undefined;
  if (maxUnavailable !== undefined)
    return { expected: scale, healthy: Math.max(0, scale - resolve(maxUnavailable, scale)) };
  return { expected: scale, healthy: minAvailable === undefined ? 1 : resolve(minAvailable, scale) };
};

/** Evictions that the view does not show yet. */
const pending = (
  { budget, pods: selected }: DisruptionObserved,
  now: Instant,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(budget.status?.disruptedPods ?? {}).filter(
      ([name, since]) =>
        (fromTimestamp(since) ?? 0) + evictionTimeoutMs > now &&
        selected.some((pod) => pod.metadata.name === name && !isDeleting(pod)),
    ),
  );

const reconcile = (observed: DisruptionObserved, now: Instant): Decision<ClusterAction> => {
  const { budget, pods: selected } = observed;
  const { metadata, status } = budget;
  const disruptedPods = pending(observed, now);
  const need = needOf(observed);
  const healthy = selected.filter(
    (pod) => !isDeleting(pod) && isPodReady(pod) && disruptedPods[pod.metadata.name] === undefined,
  ).length;
  const allowed = need === undefined || need.expected <= 0 ? 0 : Math.max(0, healthy - need.healthy);
  const because =
    need === undefined
      ? 'a pod is managed by nobody who says how many there should be: set a number as minAvailable'
      : `${String(healthy)} of ${String(need.expected)} pods are healthy, ${String(need.healthy)} must be: ${String(allowed)} may be evicted`;
  const condition =
    need === undefined
      ? { status: 'False', reason: 'SyncFailed', message: because }
      : {
          status: allowed > 0 ? 'True' : 'False',
          reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
          message: '',
        };
  const conditions = withCondition(
    status?.conditions,
    {
      type: 'DisruptionAllowed',
      ...condition,
      ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
      lastTransitionTime: new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
    },
    now,
  );
  const next = {
    conditions,
    currentHealthy: healthy,
    desiredHealthy: need?.healthy ?? 0,
    expectedPods: need?.expected ?? selected.length,
    disruptionsAllowed: allowed,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    observedGeneration: metadata.generation,
  };
  const object: PodDisruptionBudget = { ...budget, status: next };
  const ends = Object.values(disruptedPods).map((since) => (fromTimestamp(since) ?? 0) + evictionTimeoutMs);
  return {
    actions: equal(status, next) ? [] : [{ type: 'updateStatus', kind: poddisruptionbudgets, object }],
    because,
    wakeAt: ends.length === 0 ? undefined : Math.min(...ends),
  };
};

const selecting = (view: View, all: readonly (Pod | undefined)[]): readonly Key[] => {
  const namespace = all.find((pod) => pod !== undefined)?.metadata.namespace;
  return view
    .list(poddisruptionbudgets, namespace)
    .filter(({ spec }) => all.some((pod) => pod !== undefined && selects(spec.selector, pod.metadata.labels)))
    .map(nameOf);
};

const ofNamespace = (view: View, namespace: string | undefined): readonly Key[] =>
  view.list(poddisruptionbudgets, namespace).map(nameOf);

export const disruptionController: Controller<DisruptionObserved, ClusterAction> = {
  name: 'disruption',
  watches: [
    { kind: poddisruptionbudgets, keys: ({ object }) => [nameOf(object)] },
    {
      kind: pods,
      keys: ({ object, previous }, view) => selecting(view, [object as Pod, previous as Pod | undefined]),
    },
    { kind: deployments, keys: ({ object }, view) => ofNamespace(view, object.metadata.namespace) },
    { kind: replicasets, keys: ({ object }, view) => ofNamespace(view, object.metadata.namespace) },
  ],
  observe,
  reconcile,
};
