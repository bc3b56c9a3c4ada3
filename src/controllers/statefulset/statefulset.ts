// StatefulSet: pods with names, storage and an order of their own. A name is never given twice, so that a pod on a node
// that was cut off keeps its ordinal until its node says that it has ended.
import type { Instant } from '../../base/clock.js';
import { orphanPods, podsByController } from '../../client/indexes.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Failure, Key } from '../../reconcile/controller.js';
import { claim, ownerKeys } from '../../reconcile/ownership.js';
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
} from '../../resources/generated/types.js';
import { controllerrevisions } from '../../resources/kinds/controllerrevisions.js';
import { persistentvolumeclaims } from '../../resources/kinds/persistentvolumeclaims.js';
import { pods } from '../../resources/kinds/pods.js';
import { statefulsets } from '../../resources/kinds/statefulsets.js';
import { selects } from '../../resources/label-selector.js';
import { controllerOf, nameOf } from '../../resources/resource.js';
import {
  historyCleanup,
  historyOf,
  revisionName,
  revisionsByController,
  templateOf,
} from '../controller-revisions.js';
import type { History } from '../controller-revisions.js';
import { event, failureEvents, podDeletions } from '../pod-actions.js';
import { claimNames, goingClaim, missingClaims, retention } from './claims.js';
import type { Claims } from './claims.js';
import { ordinalOf, podDraft, podName, rangeOf, revisionOf } from './ordinals.js';
import type { Revisions } from './ordinals.js';
import { nextAvailableAt, statefulSetStatus } from './statefulset-status.js';
import { takeTurn } from './turn.js';
import type { Turn } from './turn.js';

export interface StatefulSetObserved {
  readonly set: StatefulSet;
  /** Pods that it manages, those that end included. */
  readonly controlled: readonly Pod[];
  /** Pods of the namespace that nobody manages, that fit the selector and have a name of the set's. */
  readonly orphans: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
  readonly namesake: ControllerRevision | undefined;
  /** Of its ordinals and of the pods that it has beyond them. */
  readonly claims: Claims;
}

/** Claims of all ordinals that have a pod or shall have one. */
const claimsOf = (view: View, set: StatefulSet, owned: readonly Pod[]): Claims => {
  const { namespace = '' } = set.metadata;
  const { start, end } = rangeOf(set);
  const ordinals = new Set(Array.from({ length: end - start }, (_, index) => start + index));
  for (const pod of owned) {
    const ordinal = ordinalOf(set, pod.metadata.name);
    if (ordinal !== undefined) ordinals.add(ordinal);
  }
  const found = new Map<string, PersistentVolumeClaim>();
  for (const ordinal of ordinals)
    for (const name of claimNames(set, ordinal)) {
      const present = view.get(persistentvolumeclaims, { name, namespace });
      if (present !== undefined) found.set(name, present);
    }
  return found;
};

const observe = (view: View, key: Key): StatefulSetObserved | undefined => {
  const set = view.get(statefulsets, key);
  if (set === undefined) return undefined;
  const { uid, namespace = '' } = set.metadata;
  const controlled = view.lookup(podsByController, uid);
  const orphans = view
    .lookup(orphanPods, namespace)
    .filter(
      ({ metadata }) =>
        ordinalOf(set, metadata.name) !== undefined && selects(set.spec.selector, metadata.labels),
    );
  return {
    set,
    controlled,
    orphans,
    revisions: view.lookup(revisionsByController, uid),
    namesake: view.get(controllerrevisions, { name: revisionName(set), namespace }),
    claims: claimsOf(view, set, [...controlled, ...orphans]),
  };
};

/** The revision that is being replaced, as long as it is known. */
const revisionsOf = (
  set: StatefulSet,
  known: readonly ControllerRevision[],
  { name: update }: History,
): Revisions => {
  const current = known.find(({ metadata }) => metadata.name === set.status?.currentRevision);
  const template = current === undefined ? undefined : templateOf(current);
  return current === undefined || template === undefined
    ? { current: update, currentTemplate: set.spec.template, update }
    : { current: current.metadata.name, currentTemplate: template, update };
};

const byOrdinal = (set: StatefulSet, owned: readonly Pod[]): ReadonlyMap<number, Pod> => {
  const found = new Map<number, Pod>();
  for (const pod of owned) {
    const ordinal = ordinalOf(set, pod.metadata.name);
    if (ordinal !== undefined) found.set(ordinal, pod);
  }
  return found;
};

const creations = (
  set: StatefulSet,
  { create }: Turn,
  { revisions, claims }: { readonly revisions: Revisions; readonly claims: Claims },
): readonly ClusterAction[] =>
  create.flatMap((ordinal): readonly ClusterAction[] => [
    ...missingClaims(set, ordinal, claims),
    { type: 'create', kind: pods, object: podDraft(set, ordinal, revisions) },
    event(set, {
      reason: 'SuccessfulCreate',
      message: `create Pod ${podName(set, ordinal)} in StatefulSet ${set.metadata.name} successful`,
    }),
  ]);

/** Who takes which claim along is settled before a pod goes. */
const retentions = (
  set: StatefulSet,
  present: ReadonlyMap<number, Pod>,
  claims: Claims,
): readonly ClusterAction[] => {
  const { start, end } = rangeOf(set);
  return [...present].flatMap(([ordinal, pod]) =>
    retention(set, { pod, ordinal, condemned: ordinal < start || ordinal >= end }, claims),
  );
};

const reconcile = (
  observed: StatefulSetObserved,
  now: Instant,
  failure?: Failure,
): Decision<ClusterAction> => {
  const { set, controlled, orphans, revisions: known, namesake, claims } = observed;
  const { owned, actions: adoptions } = claim({
    kind: pods,
    owner: set,
    selector: set.spec.selector,
    controlled,
    orphans,
  });
  const history = historyOf({ owner: set, revisions: known, namesake });
  const revisions = revisionsOf(set, known, history);
  const present = byOrdinal(set, owned);
  const obstacle = (ordinal: number): string | undefined => {
    const going = goingClaim(set, ordinal, claims);
    return going === undefined ? undefined : `its claim ${going} of an earlier pod is still going`;
  };
  const turn: Turn = history.collides
    ? { create: [], remove: [], because: `${history.name} is taken by another revision` }
    : takeTurn({ set, pods: present, revisions, now, obstacle });
  const { collisionCount } = set.status ?? {};
  const status = statefulSetStatus({
    set,
    pods: owned,
    revisions,
    collisionCount: history.collides ? (collisionCount ?? 0) + 1 : collisionCount,
    now,
  });
  const object: StatefulSet = status === undefined ? set : { ...set, status };
  const live = new Set([history.name, revisions.current, ...owned.map(revisionOf)]);
  const wakes = [turn.wakeAt, nextAvailableAt(set, owned, now)].filter((at) => at !== undefined);
  return {
    actions: [
      ...adoptions,
      ...history.actions,
      ...(status === undefined ? [] : [{ type: 'updateStatus', kind: statefulsets, object } as const]),
      ...failureEvents(set, failure),
      ...retentions(set, present, claims),
      ...podDeletions(set, turn.remove),
      ...creations(set, turn, { revisions, claims }),
      ...historyCleanup(set, known, ({ metadata }) => live.has(metadata.name)),
    ],
    because: failure === undefined ? turn.because : `${turn.because}; last attempt: ${failure.message}`,
    wakeAt: wakes.length === 0 ? undefined : Math.min(...wakes),
  };
};

/** StatefulSets that would adopt the pod. */
const adopters = (view: View, pod: Pod): readonly Key[] =>
  controllerOf(pod) !== undefined || pod.metadata.labels === undefined
    ? []
    : view
        .list(statefulsets, pod.metadata.namespace)
        .filter(
          (set) =>
            ordinalOf(set, pod.metadata.name) !== undefined &&
            selects(set.spec.selector, pod.metadata.labels),
        )
        .map(nameOf);

/** StatefulSets one of whose claims it is, by its name. */
const claimants = (view: View, { metadata }: PersistentVolumeClaim): readonly Key[] =>
  view
    .list(statefulsets, metadata.namespace)
    .filter(({ metadata: { name }, spec }) =>
      (spec.volumeClaimTemplates ?? []).some((template) =>
        metadata.name.startsWith(`${template.metadata.name}-${name}-`),
      ),
    )
    .map(nameOf);

export const statefulSetController: Controller<StatefulSetObserved, ClusterAction> = {
  name: 'statefulset',
  watches: [
    { kind: statefulsets, keys: ({ object }) => [nameOf(object)] },
    {
      kind: pods,
      keys: (change, view) => [
        ...ownerKeys(statefulsets, change),
        ...(change.type === 'deleted' ? [] : adopters(view, change.object as Pod)),
      ],
    },
    { kind: controllerrevisions, keys: (change) => ownerKeys(statefulsets, change) },
    {
      kind: persistentvolumeclaims,
      keys: ({ object }, view) => claimants(view, object as PersistentVolumeClaim),
    },
  ],
  indexes: [podsByController, orphanPods, revisionsByController],
  observe,
  reconcile,
};
