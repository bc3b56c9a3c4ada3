// PersistentVolumeClaims: each gets a volume that exists, or one that is made for it, and keeps it.
// Follows `pkg/controller/volume/persistentvolume` and `pkg/controller/volume/pvcprotection`.
import type { View, Index } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import { equal } from '../../base/json.js';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
} from '../../resources/generated/types.js';
import { nodes } from '../../resources/kinds/nodes.js';
import { persistentvolumeclaims } from '../../resources/kinds/persistentvolumeclaims.js';
import { persistentvolumes } from '../../resources/kinds/persistentvolumes.js';
import { pods } from '../../resources/kinds/pods.js';
import { storageclasses } from '../../resources/kinds/storageclasses.js';
import { isPodTerminated } from '../../resources/pod-status.js';
import { isDeleting, nameOf } from '../../resources/resource.js';
import {
  bestVolume,
  bindCompleted,
  boundByController,
  claimNamesOf,
  classOf,
  isClaimedBy,
  isDelayed,
  isLargeEnough,
  localProvisioner,
  noProvisioner,
  requestOf,
  selectedNode,
  storageProvisioner,
} from '../../resources/storage/binding.js';
import { claimProtection, withFinalizer, withoutFinalizer } from './protection.js';
import { localVolumeFor } from './local-volume.js';

export interface ClaimObserved {
  readonly claim: PersistentVolumeClaim;
  /** The volume that the claim names. */
  readonly volume: PersistentVolume | undefined;
  /** All volumes, while the claim names none. */
  readonly volumes: readonly PersistentVolume[];
  readonly storageClass: StorageClass | undefined;
  /** Where the volume must be reached from: the node of the first pod that uses the claim. */
  readonly node: Node | undefined;
  /** Nodes on which a volume could be made when nobody says where. */
  readonly nodes: readonly Node[];
  /** Pods that use it and have not ended. */
  readonly usedBy: readonly Pod[];
}

type ClaimDecision = Decision<ClusterAction>;

const claimKey = (namespace: string, name: string): string => `${namespace}/${name}`;

const podsByClaim: Index<Pod> = {
  name: 'pods by claim',
  kind: pods,
  keys: (pod) => claimNamesOf(pod).map((name) => claimKey(pod.metadata.namespace ?? '', name)),
};

const update = (object: PersistentVolumeClaim): ClusterAction => ({
  type: 'update',
  kind: persistentvolumeclaims,
  object,
});

const updateVolume = (object: PersistentVolume): ClusterAction => ({
  type: 'update',
  kind: persistentvolumes,
  object,
});

const warn = (claim: PersistentVolumeClaim, reason: string, message: string): ClusterAction => ({
  type: 'event',
  event: { regarding: claim, type: 'Warning', reason, message },
});

const tell = (claim: PersistentVolumeClaim, reason: string, message: string): ClusterAction => ({
  type: 'event',
  event: { regarding: claim, type: 'Normal', reason, message },
});

const updateStatus = (object: PersistentVolumeClaim): ClusterAction => ({
  type: 'updateStatus',
  kind: persistentvolumeclaims,
  object,
});

const withStatus = (
  claim: PersistentVolumeClaim,
  status: NonNullable<PersistentVolumeClaim['status']>,
): readonly ClusterAction[] => (equal(claim.status, status) ? [] : [updateStatus({ ...claim, status })]);

const deleting = ({ claim, usedBy }: ClaimObserved): ClaimDecision => {
  const [user] = usedBy;
  if (user !== undefined)
    return { actions: [], because: `it is being deleted, and pod ${user.metadata.name} still uses it` };
  const without = withoutFinalizer(claim, claimProtection);
  return without === undefined
    ? { actions: [], because: 'it is being deleted' }
    : { actions: [update(without)], because: 'no pod uses it any more: it may go' };
};

/** What the volume gives, once the volume and the claim name each other. */
const bound = (claim: PersistentVolumeClaim, { spec }: PersistentVolume): ClaimDecision => {
  const because = `is bound to ${claim.spec.volumeName ?? ''}`;
  if (claim.metadata.annotations?.[bindCompleted] === undefined)
    return { actions: [update(annotated(claim, { [bindCompleted]: 'yes' }))], because };
  const { conditions } = claim.status ?? {};
  return {
    actions: withStatus(claim, {
      ...(conditions === undefined ? {} : { conditions }),
      phase: 'Bound',
      ...(spec.accessModes === undefined ? {} : { accessModes: spec.accessModes }),
      ...(spec.capacity === undefined ? {} : { capacity: spec.capacity }),
    }),
    because,
  };
};

const annotated = (
  claim: PersistentVolumeClaim,
  annotations: Readonly<Record<string, string>>,
): PersistentVolumeClaim => ({
  ...claim,
  metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, ...annotations } },
});

const claimedBy = (volume: PersistentVolume, claim: PersistentVolumeClaim): ClusterAction => {
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  const claimRef = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid,
    resourceVersion,
  };
  const byUs = volume.spec.claimRef === undefined ? { [boundByController]: 'yes' } : {};
  return updateVolume({
    ...volume,
    metadata: { ...volume.metadata, annotations: { ...volume.metadata.annotations, ...byUs } },
    spec: { ...volume.spec, claimRef },
  });
};

/** More room on a folder of a node costs nothing but the promise. */
const grown = (
  { claim, storageClass }: ClaimObserved,
  volume: PersistentVolume,
): ClusterAction | undefined => {
  const wanted = requestOf(claim);
  if (storageClass?.provisioner !== localProvisioner || storageClass.allowVolumeExpansion !== true)
    return undefined;
  if (isLargeEnough(volume, claim)) return undefined;
  return updateVolume({
    ...volume,
    spec: { ...volume.spec, capacity: { ...volume.spec.capacity, storage: wanted } },
  });
};

const named = (observed: ClaimObserved): ClaimDecision => {
  const { claim, volume } = observed;
  const name = claim.spec.volumeName ?? '';
  if (volume === undefined) {
    if (claim.metadata.annotations?.[bindCompleted] === undefined)
      return { actions: [], because: `waits for volume ${name}` };
    const lost = withStatus(claim, { ...claim.status, phase: 'Lost' });
    const message = `Bound claim has lost its PersistentVolume ${name}. Any data on the volume is lost.`;
    return {
      actions: lost.length === 0 ? [] : [...lost, warn(claim, 'ClaimLost', message)],
      because: `its volume ${name} does not exist any more`,
    };
  }
  if (volume.spec.claimRef === undefined || (isClaimedBy(volume, claim) && !volume.spec.claimRef.uid))
    return { actions: [claimedBy(volume, claim)], because: `claims volume ${name}, which it names` };
  if (!isClaimedBy(volume, claim)) {
    const message = `volume "${name}" already bound to a different claim.`;
    return { actions: [warn(claim, 'FailedBinding', message)], because: message };
  }
  const growth = grown(observed, volume);
  if (growth !== undefined)
    return { actions: [growth], because: `volume ${name} grows to ${requestOf(claim)}` };
  return bound(claim, volume);
};

/** Someone else makes the volume: it is told which claims are its own. */
const external = (claim: PersistentVolumeClaim, provisioner: string): ClaimDecision => {
  const because = `waits for a volume to be made by ${provisioner}`;
  if (claim.metadata.annotations?.[storageProvisioner] === provisioner) return { actions: [], because };
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator.`;
  return {
    actions: [
      update(annotated(claim, { [storageProvisioner]: provisioner })),
      tell(claim, 'ExternalProvisioning', message),
    ],
    because,
  };
};

const provisioned = (observed: ClaimObserved): ClaimDecision => {
  const { claim, storageClass, node } = observed;
  const className = classOf(claim);
  if (storageClass === undefined) {
    const message =
      className === ''
        ? 'no persistent volumes available for this claim and no storage class is set'
        : `storageclass.storage.k8s.io "${className}" not found`;
    const reason = className === '' ? 'FailedBinding' : 'ProvisioningFailed';
    return { actions: [warn(claim, reason, message)], because: message };
  }
  const { provisioner } = storageClass;
  if (provisioner === noProvisioner) {
    const message = `no volume of class ${className} fits, and the class makes none`;
    return { actions: [warn(claim, 'FailedBinding', message)], because: message };
  }
  if (provisioner !== localProvisioner) return external(claim, provisioner);
  const made = localVolumeFor({ claim, storageClass, node, nodes: observed.nodes });
  if ('problem' in made)
    return { actions: [warn(claim, 'ProvisioningFailed', made.problem)], because: made.problem };
  const message = `Successfully provisioned volume ${made.volume.metadata.name} on node ${made.node}`;
  return {
    actions: [
      { type: 'create', kind: persistentvolumes, object: made.volume },
      tell(claim, 'ProvisioningSucceeded', message),
    ],
    because: `volume ${made.volume.metadata.name} is made for it on ${made.node}`,
  };
};

const unnamed = (observed: ClaimObserved): ClaimDecision => {
  const { claim, volumes, storageClass, node } = observed;
  const own = volumes.find(({ spec }) => spec.claimRef?.uid === claim.metadata.uid);
  if (own !== undefined) {
    const { name } = own.metadata;
    const object = annotated(claim, { [bindCompleted]: 'yes', [boundByController]: 'yes' });
    return {
      actions: [update({ ...object, spec: { ...object.spec, volumeName: name } })],
      because: `gets volume ${name}`,
    };
  }
  const asks = claim.metadata.annotations?.[selectedNode];
  if (isDelayed(storageClass) && asks === undefined) {
    const message = 'waiting for first consumer to be created before binding';
    return { actions: [tell(claim, 'WaitForFirstConsumer', message)], because: message };
  }
  if (asks !== undefined && node === undefined) {
    const annotations = Object.fromEntries(
      Object.entries(claim.metadata.annotations ?? {}).filter(([key]) => key !== selectedNode),
    );
    return {
      actions: [update({ ...claim, metadata: { ...claim.metadata, annotations } })],
      because: `node ${asks} is gone: another one is to be chosen`,
    };
  }
  const found = bestVolume(claim, volumes, node);
  if (found !== undefined)
    return { actions: [claimedBy(found, claim)], because: `volume ${found.metadata.name} fits` };
  return provisioned(observed);
};

const reconcile = (observed: ClaimObserved): ClaimDecision => {
  const { claim } = observed;
  if (isDeleting(claim)) return deleting(observed);
  const guarded = withFinalizer(claim, claimProtection);
  if (guarded !== undefined)
    return { actions: [update(guarded)], because: 'is kept from being deleted while pods use it' };
  return (claim.spec.volumeName ?? '') === '' ? unnamed(observed) : named(observed);
};

const observe = (view: View, key: Key): ClaimObserved | undefined => {
  const claim = view.get(persistentvolumeclaims, key);
  if (claim === undefined) return undefined;
  const name = claim.spec.volumeName ?? '';
  const asks = claim.metadata.annotations?.[selectedNode];
  const className = classOf(claim);
  const isFree = name === '';
  return {
    claim,
    volume: isFree ? undefined : view.get(persistentvolumes, { name }),
    volumes: isFree ? view.list(persistentvolumes) : [],
    storageClass: className === '' ? undefined : view.get(storageclasses, { name: className }),
    node: asks === undefined ? undefined : view.get(nodes, { name: asks }),
    nodes: isFree && asks === undefined ? view.list(nodes) : [],
    usedBy: view
      .lookup(podsByClaim, claimKey(key.namespace ?? '', key.name))
      .filter((pod) => !isPodTerminated(pod)),
  };
};

const isWaiting = ({ spec }: PersistentVolumeClaim): boolean => (spec.volumeName ?? '') === '';

/** A volume that is free may be what any claim waits for. */
const claimsOfVolume = ({ spec }: PersistentVolume, view: View): readonly Key[] => {
  const { claimRef } = spec;
  if (claimRef?.name !== undefined) return [{ name: claimRef.name, namespace: claimRef.namespace }];
  return view.list(persistentvolumeclaims).filter(isWaiting).map(nameOf);
};

export const claimController: Controller<ClaimObserved, ClusterAction> = {
  name: 'persistentvolumeclaim',
  watches: [
    { kind: persistentvolumeclaims, keys: ({ object }) => [nameOf(object)] },
    {
      kind: persistentvolumes,
      keys: ({ object }, view) => claimsOfVolume(object as PersistentVolume, view),
    },
    {
      kind: storageclasses,
      keys: ({ type, object }, view) =>
        type === 'deleted'
          ? []
          : view
              .list(persistentvolumeclaims)
              .filter((claim) => isWaiting(claim) && classOf(claim) === object.metadata.name)
              .map(nameOf),
    },
    {
      kind: pods,
      keys: ({ type, object }, view) => {
        const pod = object as Pod;
        if (type !== 'deleted' && !isPodTerminated(pod)) return [];
        const { namespace } = pod.metadata;
        return claimNamesOf(pod)
          .map((name) => ({ name, namespace }))
          .filter((name) => view.get(persistentvolumeclaims, name) !== undefined);
      },
    },
  ],
  indexes: [podsByClaim],
  observe,
  reconcile,
};
