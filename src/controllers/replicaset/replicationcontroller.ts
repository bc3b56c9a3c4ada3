// ReplicationController: a ReplicaSet with the older form of selector, decided by the same rules.
import { orphanPods, podsByController, replicaSetsByController } from '../../client/indexes.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import { ownerKeys } from '../../reconcile/ownership.js';
import type { Pod, ReplicaSet, ReplicationController } from '../../resources/generated/types.js';
import { pods } from '../../resources/kinds/pods.js';
import { replicationcontrollers } from '../../resources/kinds/replicationcontrollers.js';
import { selectsByMap } from '../../resources/label-selector.js';
import { controllerOf, nameOf } from '../../resources/resource.js';
import { observeReplicas, reconcileReplicas } from './replicaset.js';
import type { ReplicaSetObserved } from './replicaset.js';

interface ControllerObserved extends ReplicaSetObserved {
  readonly controller: ReplicationController;
}

const asReplicaSet = (controller: ReplicationController): ReplicaSet => ({
  ...controller,
  spec: { ...controller.spec, selector: { matchLabels: { ...controller.spec.selector } } },
});

const observe = (view: View, key: Key): ControllerObserved | undefined => {
  const controller = view.get(replicationcontrollers, key);
  return controller === undefined
    ? undefined
    : { controller, ...observeReplicas(view, asReplicaSet(controller)) };
};

/** Status belongs to the object as it is. */
const ofController = (controller: ReplicationController, action: ClusterAction): ClusterAction => {
  if (action.type === 'event') return { ...action, event: { ...action.event, regarding: controller } };
  if (action.type !== 'updateStatus') return action;
  const { status } = action.object as ReplicaSet;
  const object: ReplicationController = { ...controller, status };
  return { type: 'updateStatus', kind: replicationcontrollers, object };
};

const adopters = (view: View, pod: Pod): readonly Key[] =>
  controllerOf(pod) !== undefined || pod.metadata.labels === undefined
    ? []
    : view
        .list(replicationcontrollers, pod.metadata.namespace)
        .filter(({ spec }) => selectsByMap(spec.selector, pod.metadata.labels))
        .map(nameOf);

export const replicationControllerController: Controller<ControllerObserved, ClusterAction> = {
  name: 'replicationcontroller',
  watches: [
    { kind: replicationcontrollers, keys: ({ object }) => [nameOf(object)] },
    {
      kind: pods,
      keys: (change, view) => [
        ...ownerKeys(replicationcontrollers, change),
        ...(change.type === 'deleted' ? [] : adopters(view, change.object as Pod)),
      ],
    },
  ],
  indexes: [podsByController, orphanPods, replicaSetsByController],
  observe,
  reconcile: (observed, now, failure): Decision<ClusterAction> => {
    const { actions, ...decision } = reconcileReplicas(observed, now, failure);
    return { ...decision, actions: actions.map((action) => ofController(observed.controller, action)) };
  },
};
