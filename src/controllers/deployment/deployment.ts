// Deployment: ReplicaSets that carry its template's history, and pods that move from one to the next.
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import { orphanReplicaSets, podsByController, replicaSetsByController } from '../../client/indexes.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Failure, Key } from '../../reconcile/controller.js';
import type { Deployment, ReplicaSet } from '../../resources/generated/types.js';
import { deployments } from '../../resources/kinds/deployments.js';
import { pods } from '../../resources/kinds/pods.js';
import { replicasets } from '../../resources/kinds/replicasets.js';
import { selects } from '../../resources/label-selector.js';
import { isPodTerminated } from '../../resources/pod-status.js';
import { controllerOf, isDeleting, nameOf } from '../../resources/resource.js';
import { claim, ownerKeys } from '../../reconcile/ownership.js';
import { actual, specified } from '../../reconcile/replica-sets.js';
import { boundsOf, isRolling } from './bounds.js';
import type { Bounds } from './bounds.js';
import { deploymentStatus } from './deployment-status.js';
import {
  annotated,
  currentName,
  isSameTemplate,
  newReplicaSet,
  nextRevision,
  revisionAnnotation,
  revisionOf,
  sizeAnnotations,
  splitSets,
} from './revisions.js';
import type { Sets } from './revisions.js';
import { newSize, rollingStep } from './rolling.js';
import type { Resizes } from './rolling.js';
import { isScaling, scalingStep } from './scaling.js';

export interface DeploymentObserved {
  readonly deployment: Deployment;
  readonly controlled: readonly ReplicaSet[];
  readonly orphans: readonly ReplicaSet[];
  /** ReplicaSets (by uid) of which a pod still runs or ends; looked up for Recreate only. */
  readonly withPods: ReadonlySet<string>;
  /** A ReplicaSet that has the name of the next one already. */
  readonly namesake: ReplicaSet | undefined;
}

const observe = (view: View, key: Key): DeploymentObserved | undefined => {
  const deployment = view.get(deployments, key);
  if (deployment === undefined) return undefined;
  const { uid, namespace = '' } = deployment.metadata;
  const controlled = view.lookup(replicaSetsByController, uid);
  const runs = (set: ReplicaSet): boolean =>
    view.lookup(podsByController, set.metadata.uid).some((pod) => !isPodTerminated(pod));
  return {
    deployment,
    controlled,
    orphans: view
      .lookup(orphanReplicaSets, namespace)
      .filter(({ metadata }) => selects(deployment.spec.selector, metadata.labels)),
    withPods: isRolling(deployment)
      ? new Set()
      : new Set(controlled.filter(runs).map(({ metadata }) => metadata.uid)),
    namesake: view.get(replicasets, { name: currentName(deployment), namespace }),
  };
};

interface Turn {
  readonly deployment: Deployment;
  readonly bounds: Bounds;
  readonly sets: Sets;
}

interface Step {
  readonly resizes: Resizes;
  /** Creates the current ReplicaSet with so many replicas. */
  readonly create?: number | undefined;
  readonly because: string;
}

const describe = (resizes: Resizes): string =>
  [...resizes].map(([name, size]) => `${name} to ${String(size)}`).join(', ');

const resize = (resizes: Resizes, otherwise: string): Step => ({
  resizes,
  because: resizes.size === 0 ? otherwise : `scales ${describe(resizes)}`,
});

const rolling = ({ deployment, bounds, sets }: Turn): Step => {
  if (sets.current === undefined)
    return {
      resizes: new Map(),
      create: newSize(bounds, undefined, sets.old),
      because: `creates ${currentName(deployment)} for the new template`,
    };
  const done = sets.old.every((set) => specified(set) === 0);
  return resize(
    rollingStep(bounds, sets),
    done
      ? `${sets.current.metadata.name} has all ${String(bounds.wanted)} pods`
      : `waits until pods of ${sets.current.metadata.name} are available`,
  );
};

const recreating = ({ deployment, bounds, sets }: Turn, withPods: ReadonlySet<string>): Step => {
  const running = sets.old.filter((set) => specified(set) > 0);
  if (running.length > 0) return resize(new Map(running.map(({ metadata }) => [metadata.name, 0])), '');
  if (sets.old.some(({ metadata }) => withPods.has(metadata.uid)))
    return { resizes: new Map(), because: 'waits until the old pods are gone' };
  if (sets.current === undefined)
    return {
      resizes: new Map(),
      create: bounds.wanted,
      because: `creates ${currentName(deployment)} for the new template`,
    };
  const { metadata } = sets.current;
  return resize(
    specified(sets.current) === bounds.wanted ? new Map() : new Map([[metadata.name, bounds.wanted]]),
    `${metadata.name} has all ${String(bounds.wanted)} pods`,
  );
};

const decide = (turn: Turn, withPods: ReadonlySet<string>): Step => {
  const { deployment, bounds, sets } = turn;
  if (isDeleting(deployment)) return { resizes: new Map(), because: 'it is being deleted' };
  const paused = deployment.spec.paused === true;
  if (paused || isScaling(bounds, sets)) {
    const resizes = scalingStep(deployment, bounds, sets);
    if (paused || resizes.size > 0) return resize(resizes, 'it is paused');
  }
  return isRolling(deployment) ? rolling(turn) : recreating(turn, withPods);
};

const sized = ({ deployment, bounds }: Turn, set: ReplicaSet, size: number): ReplicaSet => {
  const made = sizeAnnotations(deployment, bounds.wanted + bounds.surge);
  const annotations = { ...set.metadata.annotations, ...made };
  if (size === specified(set) && equal(annotations, set.metadata.annotations)) return set;
  return { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas: size } };
};

const scalingEvent = (deployment: Deployment, name: string, from: number, to: number): ClusterAction => ({
  type: 'event',
  event: {
    regarding: deployment,
    type: 'Normal',
    reason: 'ScalingReplicaSet',
    message: `Scaled ${to > from ? 'up' : 'down'} replica set ${name} from ${String(from)} to ${String(to)}`,
  },
});

/** One update for each ReplicaSet that changes, be it in size, in annotations or in both. */
const setUpdates = (turn: Turn, step: Step, revision: number): readonly ClusterAction[] => {
  const { deployment, sets } = turn;
  return [...sets.old, ...(sets.current === undefined ? [] : [sets.current])].flatMap((set) => {
    const size = step.resizes.get(set.metadata.name);
    const base = set === sets.current && !isDeleting(deployment) ? annotated(deployment, set, revision) : set;
    const next = size === undefined ? base : sized(turn, base, size);
    if (next === set) return [];
    const update: ClusterAction = { type: 'update', kind: replicasets, object: next };
    return size === undefined || size === specified(set)
      ? [update]
      : [update, scalingEvent(deployment, set.metadata.name, specified(set), size)];
  });
};

const creation = (turn: Turn, size: number | undefined, revision: number): readonly ClusterAction[] => {
  if (size === undefined) return [];
  const { deployment, bounds } = turn;
  const most = bounds.wanted + bounds.surge;
  const object = newReplicaSet(deployment, revision, { replicas: size, most });
  return [
    { type: 'create', kind: replicasets, object },
    ...(size === 0 ? [] : [scalingEvent(deployment, currentName(deployment), 0, size)]),
  ];
};

/** Old ReplicaSets beyond `revisionHistoryLimit`, the lowest revisions first; none that may still have pods. */
const cleanup = ({ deployment, sets, bounds }: Turn): readonly ClusterAction[] => {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const finished =
    deployment.spec.paused === true ||
    (sets.current !== undefined && (sets.current.status?.availableReplicas ?? 0) >= bounds.wanted);
  const kept = sets.old.filter((set) => !isDeleting(set));
  if (!finished || isDeleting(deployment) || kept.length <= limit) return [];
  return [...kept]
    .sort((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, kept.length - limit)
    .filter(
      (set) =>
        specified(set) === 0 &&
        actual(set) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    )
    .map(({ metadata: { name, namespace, uid, resourceVersion } }) => ({
      type: 'delete',
      kind: replicasets,
      name: { name, namespace },
      options: { propagationPolicy: 'Background', preconditions: { uid, resourceVersion } },
    }));
};

const revisionPatch = (deployment: Deployment, revision: number): readonly ClusterAction[] =>
  revisionOf(deployment) === revision
    ? []
    : [
        {
          type: 'patch',
          kind: deployments,
          name: nameOf(deployment),
          patch: {
            type: 'merge',
            patch: { metadata: { annotations: { [revisionAnnotation]: String(revision) } } },
          },
        },
      ];

/** The name is taken by a ReplicaSet that is not ours or has another template: the next name is tried. */
const collides = ({ deployment }: Turn, step: Step, namesake: ReplicaSet | undefined): boolean =>
  step.create !== undefined &&
  namesake !== undefined &&
  !(
    controllerOf(namesake)?.uid === deployment.metadata.uid &&
    isSameTemplate(namesake.spec.template, deployment.spec.template)
  );

const reconcile = (
  observed: DeploymentObserved,
  now: Instant,
  failure?: Failure,
): Decision<ClusterAction> => {
  const { deployment, controlled, orphans, withPods, namesake } = observed;
  const { owned, actions: claims } = claim({
    kind: replicasets,
    owner: deployment,
    selector: deployment.spec.selector,
    controlled,
    orphans,
  });
  const sets = splitSets(
    deployment,
    owned.filter((set) => !isDeleting(set)),
  );
  const turn: Turn = { deployment, bounds: boundsOf(deployment), sets };
  const step = decide(turn, withPods);
  const collision = collides(turn, step, namesake);
  const known = sets.current === undefined ? 0 : revisionOf(sets.current);
  const revision = Math.max(known, nextRevision(sets.old));
  const { status, deadline } = deploymentStatus({
    ...turn,
    now,
    failure,
    created:
      step.create === undefined || collision || failure !== undefined ? undefined : currentName(deployment),
    collisionCount: collision
      ? (deployment.status?.collisionCount ?? 0) + 1
      : deployment.status?.collisionCount,
  });
  const changes = [
    ...setUpdates(turn, step, revision),
    ...(collision ? [] : creation(turn, step.create, revision)),
  ];
  const told: readonly ClusterAction[] =
    status === undefined
      ? []
      : [{ type: 'updateStatus', kind: deployments, object: { ...deployment, status } as Deployment }];
  const bookkeeping =
    sets.current === undefined && step.create === undefined ? [] : revisionPatch(deployment, revision);
  return {
    // A failure is told before the next attempt may fail too.
    actions: [
      ...claims,
      ...(failure === undefined ? [...changes, ...told] : [...told, ...changes]),
      ...(isDeleting(deployment) ? [] : bookkeeping),
      ...cleanup(turn),
    ],
    because: collision ? `${currentName(deployment)} is taken by another ReplicaSet` : step.because,
    wakeAt: deadline,
  };
};

export const deploymentController: Controller<DeploymentObserved, ClusterAction> = {
  name: 'deployment',
  watches: [
    { kind: deployments, keys: ({ object }) => [nameOf(object)] },
    {
      kind: replicasets,
      keys: (change, view) => [
        ...ownerKeys(deployments, change),
        ...adopters(view, change.object as ReplicaSet),
      ],
    },
    {
      // Recreate waits for the last old pod.
      kind: pods,
      keys: ({ type, object }, view) => (type === 'deleted' ? recreatedBy(view, object) : []),
    },
  ],
  indexes: [replicaSetsByController, orphanReplicaSets, podsByController],
  observe,
  reconcile,
};

const adopters = (view: View, set: ReplicaSet): readonly Key[] =>
  controllerOf(set) !== undefined || set.metadata.labels === undefined
    ? []
    : view
        .list(deployments, set.metadata.namespace)
        .filter(({ spec }) => selects(spec.selector, set.metadata.labels))
        .map(nameOf);

const recreatedBy = (view: View, pod: Parameters<typeof controllerOf>[0]): readonly Key[] => {
  const { namespace } = pod.metadata;
  const owner = controllerOf(pod);
  if (owner?.kind !== replicasets.kind) return [];
  const set = view.get(replicasets, { name: owner.name, namespace });
  const above = set === undefined ? undefined : controllerOf(set);
  if (above?.kind !== deployments.kind) return [];
  const deployment = view.get(deployments, { name: above.name, namespace });
  return deployment === undefined || isRolling(deployment) ? [] : [nameOf(deployment)];
};
