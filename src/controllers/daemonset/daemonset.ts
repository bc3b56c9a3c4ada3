// DaemonSet: one pod on every node that may have one. Its pods name their node; the scheduler decides like of any other.
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import { orphanPods, podsByController } from '../../client/indexes.js';
import type { View, ViewChange } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Failure, Key } from '../../reconcile/controller.js';
import { shortHash } from '../../reconcile/hash.js';
import type { ControllerRevision, DaemonSet, Node, Pod } from '../../resources/generated/types.js';
import { controllerrevisions } from '../../resources/kinds/controllerrevisions.js';
import { daemonsets } from '../../resources/kinds/daemonsets.js';
import { nodes } from '../../resources/kinds/nodes.js';
import { pods } from '../../resources/kinds/pods.js';
import { selects } from '../../resources/label-selector.js';
import { pinnedTo, targetNode } from '../../resources/node-affinity.js';
import { controllerOf, isDeleting, nameOf } from '../../resources/resource.js';
import type { Draft } from '../../resources/resource.js';
import {
  historyCleanup,
  historyOf,
  revisionHashLabel,
  revisionName,
  revisionsByController,
} from '../controller-revisions.js';
import type { History } from '../controller-revisions.js';
import { claim, ownerKeys } from '../../reconcile/ownership.js';
import { failureEvents, podCreations, podDeletions, podOf } from '../pod-actions.js';
import { boundsOf, isRolling } from './bounds.js';
import { daemonSetStatus, nextAvailableAt } from './daemonset-status.js';
import { daemonTolerations, eligibilityOf } from './eligibility.js';
import { rolled, settled } from './node-pods.js';
import type { Changes, NodePods, Turn } from './node-pods.js';

export interface DaemonSetObserved {
  readonly daemonSet: DaemonSet;
  readonly nodes: readonly Node[];
  /** Pods that it manages, those that end included. */
  readonly controlled: readonly Pod[];
  /** Pods of the namespace that nobody manages and that fit the selector. */
  readonly orphans: readonly Pod[];
  readonly revisions: readonly ControllerRevision[];
  /** The revision that has the name of the next one, whoever manages it. */
  readonly namesake: ControllerRevision | undefined;
  isTaken(podName: string): boolean;
}

/** At most so many pods are made or deleted in one turn, as in Kubernetes. */
const burst = 250;

const observe = (view: View, key: Key): DaemonSetObserved | undefined => {
  const daemonSet = view.get(daemonsets, key);
  if (daemonSet === undefined) return undefined;
  const { uid, namespace = '' } = daemonSet.metadata;
  return {
    daemonSet,
    nodes: view.list(nodes),
    controlled: view.lookup(podsByController, uid),
    orphans: view
      .lookup(orphanPods, namespace)
      .filter((pod) => selects(daemonSet.spec.selector, pod.metadata.labels)),
    revisions: view.lookup(revisionsByController, uid),
    namesake: view.get(controllerrevisions, { name: revisionName(daemonSet), namespace }),
    isTaken: (name) => view.get(pods, { name, namespace }) !== undefined,
  };
};

/** Nodes in the order of their names, and those that are gone but still named by a pod. */
const byNode = (daemonSet: DaemonSet, all: readonly Node[], owned: readonly Pod[]): readonly NodePods[] => {
  const present = new Map<string, Pod[]>();
  for (const pod of owned) {
    const node = targetNode(pod.spec);
    if (node === undefined) continue;
    const there = present.get(node);
    if (there === undefined) present.set(node, [pod]);
    else there.push(pod);
  }
  const entries = all.map((node): NodePods => {
    const { name } = node.metadata;
    const there = present.get(name) ?? [];
    present.delete(name);
    return { node: name, pods: there, ...eligibilityOf(daemonSet, node) };
  });
  // Pods on a node that is gone are collected as orphans; those that wait for it would wait for ever.
  const waiting = [...present].map(([node, there]): NodePods => ({
    node,
    pods: there.filter(({ spec }) => (spec.nodeName ?? '') === ''),
    starts: false,
    stays: false,
  }));
  return [...entries, ...waiting].sort((a, b) => (a.node < b.node ? -1 : 1));
};

/** Each node has names of its own for ever, so two decisions on one view name the same pods. */
const drafts = (
  { daemonSet, isTaken }: DaemonSetObserved,
  create: readonly string[],
  hash: string,
): readonly Draft<Pod>[] => {
  const { uid, name, generation = 1 } = daemonSet.metadata;
  const { template } = daemonSet.spec;
  const made = new Set<string>();
  return create.map((node) => {
    let slot = 0;
    const candidate = (): string => `${name.slice(0, 57)}-${shortHash(5, uid, node, slot)}`;
    while (isTaken(candidate()) || made.has(candidate())) slot += 1;
    made.add(candidate());
    return podOf(daemonSet, template, {
      name: candidate(),
      labels: { [revisionHashLabel]: hash, 'pod-template-generation': String(generation) },
      spec: {
        affinity: pinnedTo(node, template.spec?.affinity),
        tolerations: daemonTolerations(template.spec),
      },
    });
  });
};

interface Step extends Changes {
  readonly because: string;
}

const count = (number: number, what: string): string => `${String(number)} ${what}${number === 1 ? '' : 's'}`;

const decide = (entries: readonly NodePods[], daemonSet: DaemonSet, turn: Turn): Step => {
  if (isDeleting(daemonSet)) return { create: [], remove: [], because: 'it is being deleted' };
  const desired = entries.filter(({ starts }) => starts).length;
  const { create, remove, wakeAt } = settled(entries, turn);
  if (create.length > 0 || remove.length > 0)
    return {
      create: create.slice(0, burst),
      remove: remove.slice(0, burst),
      wakeAt,
      because: `creates ${count(create.length, 'pod')} and deletes ${String(remove.length)}: ${count(desired, 'node')} should run one`,
    };
  if (!isRolling(daemonSet))
    return { create, remove, wakeAt, because: `${count(desired, 'node')} run a pod` };
  const next = rolled(entries, turn);
  const replaced = next.create.length + next.remove.length;
  return {
    create: next.create.slice(0, burst),
    remove: next.remove.slice(0, burst),
    wakeAt,
    because:
      replaced > 0
        ? `replaces pods of the old template on ${count(replaced, 'node')}`
        : `${count(desired, 'node')} should run a pod, and none may be replaced now`,
  };
};

const collisionCount = ({ status }: DaemonSet, { collides }: History): number | undefined =>
  collides ? (status?.collisionCount ?? 0) + 1 : status?.collisionCount;

const reconcile = (observed: DaemonSetObserved, now: Instant, failure?: Failure): Decision<ClusterAction> => {
  const { daemonSet, controlled, orphans, revisions, namesake } = observed;
  const { selector, minReadySeconds = 0 } = daemonSet.spec;
  const { owned, actions: claims } = claim({ kind: pods, owner: daemonSet, selector, controlled, orphans });
  const history = historyOf({ owner: daemonSet, revisions, namesake });
  const entries = byNode(daemonSet, observed.nodes, owned);
  const desired = entries.filter(({ starts }) => starts).length;
  const turn: Turn = { hash: history.hash, bounds: boundsOf(daemonSet, desired), minReadySeconds, now };
  // The template's revision comes first: pods are named after it.
  const step: Step = history.collides
    ? { create: [], remove: [], because: `${history.name} is taken by another revision` }
    : decide(entries, daemonSet, turn);
  const live = new Set(owned.map(({ metadata }) => metadata.labels?.[revisionHashLabel]));
  const status = daemonSetStatus({
    daemonSet,
    nodes: entries,
    hash: history.hash,
    collisionCount: collisionCount(daemonSet, history),
    now,
  });
  const object: DaemonSet = status === undefined ? daemonSet : { ...daemonSet, status };
  const wakes = [nextAvailableAt(entries, minReadySeconds, now), step.wakeAt].filter(
    (at) => at !== undefined,
  );
  return {
    actions: [
      ...claims,
      ...history.actions,
      ...(status === undefined ? [] : [{ type: 'updateStatus', kind: daemonsets, object } as const]),
      ...failureEvents(daemonSet, failure),
      ...podDeletions(daemonSet, step.remove),
      ...podCreations(daemonSet, drafts(observed, step.create, history.hash)),
      ...historyCleanup(
        daemonSet,
        revisions,
        ({ metadata }) =>
          metadata.name === history.name || live.has(metadata.labels?.[revisionHashLabel] ?? ''),
      ),
    ],
    because: failure === undefined ? step.because : `${step.because}; last attempt: ${failure.message}`,
    wakeAt: wakes.length === 0 ? undefined : Math.min(...wakes),
  };
};

/** DaemonSets that would adopt the pod. */
const adopters = (view: View, pod: Pod): readonly Key[] =>
  controllerOf(pod) !== undefined || pod.metadata.labels === undefined
    ? []
    : view
        .list(daemonsets, pod.metadata.namespace)
        .filter(({ spec }) => selects(spec.selector, pod.metadata.labels))
        .map(nameOf);

/** Heartbeats and the like change no node's daemons. */
const mattersToDaemons = ({ type, object, previous }: ViewChange<Node>): boolean =>
  type !== 'modified' ||
  previous === undefined ||
  !equal(object.metadata.labels, previous.metadata.labels) ||
  !equal(object.spec.taints, previous.spec.taints);

export const daemonSetController: Controller<DaemonSetObserved, ClusterAction> = {
  name: 'daemonset',
  watches: [
    { kind: daemonsets, keys: ({ object }) => [nameOf(object)] },
    {
      kind: pods,
      keys: (change, view) => [
        ...ownerKeys(daemonsets, change),
        ...(change.type === 'deleted' ? [] : adopters(view, change.object as Pod)),
      ],
    },
    { kind: controllerrevisions, keys: (change) => ownerKeys(daemonsets, change) },
    {
      kind: nodes,
      keys: (change, view) =>
        mattersToDaemons(change as ViewChange<Node>) ? view.list(daemonsets).map(nameOf) : [],
    },
  ],
  indexes: [podsByController, orphanPods, revisionsByController],
  observe,
  reconcile,
};
