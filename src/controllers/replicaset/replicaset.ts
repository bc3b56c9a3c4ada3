// ReplicaSet: as many active pods of the template as `spec.replicas` says.
import type { Instant } from '../../base/clock.js';
import { orphanPods, podsByController, replicaSetsByController } from '../../client/indexes.js';
import type { View } from '../../client/view.js';
import type { ClusterAction, EventDraft } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Failure, Key } from '../../reconcile/controller.js';
import type { Pod, ReplicaSet, ReplicaSetStatus } from '../../resources/generated/types.js';
import { pods } from '../../resources/kinds/pods.js';
import { replicasets } from '../../resources/kinds/replicasets.js';
import { selects } from '../../resources/label-selector.js';
import { isPodActive } from '../../resources/pod-status.js';
import { controllerOf, isDeleting, nameOf, ownedBy } from '../../resources/resource.js';
import type { Draft } from '../../resources/resource.js';
import { claim, ownerKeys } from '../../reconcile/ownership.js';
import { podDeletions } from '../pod-actions.js';
import { rankForDeletion } from './pod-ranking.js';
import { freeNames } from './pod-slots.js';
import { nextAvailableAt, replicaSetStatus, toldFailure } from './replicaset-status.js';

export interface ReplicaSetObserved {
  readonly replicaSet: ReplicaSet;
  /** Active pods that it manages. */
  readonly controlled: readonly Pod[];
  /** Active pods of the namespace that nobody manages and that fit the selector. */
  readonly orphans: readonly Pod[];
  /** Names for the pods that are missing. */
  readonly names: readonly string[];
  /** Active pods of all ReplicaSets of the same owner by node; only when there are too many. */
  readonly podsOnNode: ReadonlyMap<string, number>;
}

/** At most so many pods are made or deleted in one turn. */
const burst = 500;

const siblings = (view: View, replicaSet: ReplicaSet): readonly ReplicaSet[] => {
  const owner = controllerOf(replicaSet);
  return owner === undefined ? [replicaSet] : view.lookup(replicaSetsByController, owner.uid);
};

const countByNode = (view: View, replicaSet: ReplicaSet): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const sibling of siblings(view, replicaSet))
    for (const pod of view.lookup(podsByController, sibling.metadata.uid)) {
      const node = pod.spec.nodeName;
      if (node !== undefined && isPodActive(pod)) counts.set(node, (counts.get(node) ?? 0) + 1);
    }
  return counts;
};

/** Also for what is managed in the same way, seen as a ReplicaSet. */
export const observeReplicas = (view: View, replicaSet: ReplicaSet): ReplicaSetObserved => {
  const { uid, name, namespace = '' } = replicaSet.metadata;
  const controlled = view.lookup(podsByController, uid).filter(isPodActive);
  const { selector, replicas = 1 } = replicaSet.spec;
  const orphans = view
    .lookup(orphanPods, namespace)
    .filter((pod) => isPodActive(pod) && selects(selector, pod.metadata.labels));
  const missing = Math.min(burst, replicas - controlled.length - orphans.length);
  return {
    replicaSet,
    controlled,
    orphans,
    names:
      missing <= 0
        ? []
        : freeNames({ name, uid }, missing, (pod) => view.get(pods, { name: pod, namespace }) !== undefined),
    podsOnNode: missing < 0 ? countByNode(view, replicaSet) : new Map(),
  };
};

const observe = (view: View, key: Key): ReplicaSetObserved | undefined => {
  const replicaSet = view.get(replicasets, key);
  return replicaSet === undefined ? undefined : observeReplicas(view, replicaSet);
};

const podOf = (replicaSet: ReplicaSet, name: string): Draft<Pod> => {
  const { metadata, spec } = replicaSet.spec.template ?? {};
  return {
    metadata: {
      name,
      generateName: `${replicaSet.metadata.name}-`,
      namespace: replicaSet.metadata.namespace,
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ...(metadata?.finalizers === undefined ? {} : { finalizers: metadata.finalizers }),
      ownerReferences: [ownedBy(replicaSet)],
    },
    ...(spec === undefined ? {} : { spec }),
  };
};

const event = (
  regarding: ReplicaSet,
  { type = 'Normal', reason, message }: Partial<EventDraft> & Pick<EventDraft, 'reason' | 'message'>,
): ClusterAction => ({ type: 'event', event: { regarding, type, reason, message } });

const creations = (replicaSet: ReplicaSet, names: readonly string[]): readonly ClusterAction[] => [
  ...names.map((name): ClusterAction => ({ type: 'create', kind: pods, object: podOf(replicaSet, name) })),
  ...names.map((name) => event(replicaSet, { reason: 'SuccessfulCreate', message: `Created pod: ${name}` })),
];

interface Change {
  readonly actions: readonly ClusterAction[];
  readonly because: string;
}

const scaled = (observed: ReplicaSetObserved, active: readonly Pod[]): Change => {
  const { replicaSet, names, podsOnNode } = observed;
  const wanted = replicaSet.spec.replicas ?? 1;
  if (isDeleting(replicaSet)) return { actions: [], because: 'it is being deleted' };
  if (active.length < wanted)
    return {
      actions: creations(replicaSet, names),
      because: `creates ${names.length} pods: ${active.length} of ${wanted} are there`,
    };
  if (active.length > wanted) {
    const doomed = rankForDeletion(active, podsOnNode).slice(0, Math.min(burst, active.length - wanted));
    return {
      actions: podDeletions(replicaSet, doomed),
      because: `deletes ${doomed.length} pods: ${active.length} are there, ${wanted} are wanted`,
    };
  }
  return { actions: [], because: `${wanted} pods are wanted and there` };
};

const statusUpdate = (replicaSet: ReplicaSet, status: ReplicaSetStatus): ClusterAction => {
  const object: ReplicaSet = { ...replicaSet, status };
  return { type: 'updateStatus', kind: replicasets, object };
};

const failureEvent = (replicaSet: ReplicaSet, failure: Failure | undefined): readonly ClusterAction[] =>
  failure === undefined || failure.message === toldFailure(replicaSet)
    ? []
    : [
        event(replicaSet, {
          type: 'Warning',
          reason: 'FailedCreate',
          message: `Error creating: ${failure.message}`,
        }),
      ];

export const reconcileReplicas = (
  observed: ReplicaSetObserved,
  now: Instant,
  failure?: Failure,
): Decision<ClusterAction> => {
  const { replicaSet, controlled, orphans } = observed;
  const { selector, minReadySeconds = 0 } = replicaSet.spec;
  const { owned: active, actions: claims } = claim({
    kind: pods,
    owner: replicaSet,
    selector,
    controlled,
    orphans,
  });
  const change = scaled(observed, active);
  // What is done now shows in the status once the view has it; a failure is told before the next attempt may fail too.
  const status =
    change.actions.length > 0 && failure === undefined
      ? undefined
      : replicaSetStatus({ replicaSet, active, now, failure });
  return {
    actions: [
      ...claims,
      ...(status === undefined ? [] : [statusUpdate(replicaSet, status)]),
      ...failureEvent(replicaSet, failure),
      ...change.actions,
    ],
    because: failure === undefined ? change.because : `${change.because}; last attempt: ${failure.message}`,
    wakeAt: nextAvailableAt(active, minReadySeconds, now),
  };
};

/** ReplicaSets that would adopt the pod. */
const adopters = (view: View, pod: Pod): readonly Key[] =>
  controllerOf(pod) !== undefined || pod.metadata.labels === undefined
    ? []
    : view
        .list(replicasets, pod.metadata.namespace)
        .filter(({ spec }) => selects(spec.selector, pod.metadata.labels))
        .map(nameOf);

export const replicaSetController: Controller<ReplicaSetObserved, ClusterAction> = {
  name: 'replicaset',
  watches: [
    { kind: replicasets, keys: ({ object }) => [nameOf(object)] },
    {
      kind: pods,
      keys: (change, view) => [
        ...ownerKeys(replicasets, change),
        ...(change.type === 'deleted' ? [] : adopters(view, change.object as Pod)),
      ],
    },
  ],
  indexes: [podsByController, orphanPods, replicaSetsByController],
  observe,
  reconcile: reconcileReplicas,
};
