// Generic ephemeral volumes: each is a claim of the pod's own, which goes when the pod goes.
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import type { PersistentVolumeClaim, Pod } from '../../resources/generated/types.js';
import { persistentvolumeclaims } from '../../resources/kinds/persistentvolumeclaims.js';
import { pods } from '../../resources/kinds/pods.js';
import { isPodTerminated } from '../../resources/pod-status.js';
import { controllerOf, isDeleting, nameOf, ownedBy } from '../../resources/resource.js';
import { ephemeralClaimName } from '../../resources/storage/binding.js';

export interface EphemeralObserved {
  readonly pod: Pod;
  /** By name, those that there are. */
  readonly claims: ReadonlyMap<string, PersistentVolumeClaim>;
}

const reconcile = ({ pod, claims }: EphemeralObserved): Decision<ClusterAction> => {
  const actions: ClusterAction[] = [];
  for (const { name, ephemeral } of pod.spec.volumes ?? []) {
    const template = ephemeral?.volumeClaimTemplate;
    if (template === undefined) continue;
    const claimName = ephemeralClaimName(pod.metadata.name, name);
    const present = claims.get(claimName);
    if (present === undefined) {
      const { labels, annotations } = template.metadata ?? {};
      const object = {
        metadata: {
          name: claimName,
          ...(pod.metadata.namespace === undefined ? {} : { namespace: pod.metadata.namespace }),
          ...(labels === undefined ? {} : { labels }),
          ...(annotations === undefined ? {} : { annotations }),
          ownerReferences: [ownedBy(pod)],
        },
        spec: template.spec,
      };
      actions.push({ type: 'create', kind: persistentvolumeclaims, object });
    } else if (controllerOf(present)?.uid !== pod.metadata.uid) {
      const message = `PVC ${claimName} was not created for pod ${pod.metadata.name} (pod is not owner)`;
      actions.push({
        type: 'event',
        event: { regarding: pod, type: 'Warning', reason: 'FailedBinding', message },
      });
    }
  }
  return {
    actions,
    because: actions.length === 0 ? 'has the claims of its volumes' : 'gets claims for its own volumes',
  };
};

const observe = (view: View, key: Key): EphemeralObserved | undefined => {
  const pod = view.get(pods, key);
  if (pod === undefined || isDeleting(pod) || isPodTerminated(pod)) return undefined;
  const claims = new Map<string, PersistentVolumeClaim>();
  for (const { name, ephemeral } of pod.spec.volumes ?? []) {
    if (ephemeral === undefined) continue;
    const claimName = ephemeralClaimName(pod.metadata.name, name);
    const claim = view.get(persistentvolumeclaims, { name: claimName, namespace: key.namespace });
    if (claim !== undefined) claims.set(claimName, claim);
  }
  return { pod, claims };
};

const hasEphemeral = ({ spec }: Pod): boolean =>
  (spec.volumes ?? []).some(({ ephemeral }) => ephemeral !== undefined);

export const ephemeralClaimController: Controller<EphemeralObserved, ClusterAction> = {
  name: 'ephemeral-volume',
  watches: [
    {
      kind: pods,
      keys: ({ type, object }) => (type !== 'deleted' && hasEphemeral(object as Pod) ? [nameOf(object)] : []),
    },
    {
      kind: persistentvolumeclaims,
      keys: ({ type, object }) => {
        const owner = controllerOf(object);
        return type === 'deleted' && owner?.kind === 'Pod'
          ? [{ name: owner.name, namespace: object.metadata.namespace }]
          : [];
      },
    },
  ],
  observe,
  reconcile,
};
