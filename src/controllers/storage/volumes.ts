// PersistentVolumes: available, bound or released, and what becomes of them when their claim has gone.
// Follows `pkg/controller/volume/persistentvolume` and `pkg/controller/volume/pvprotection`.
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import type { PersistentVolume, PersistentVolumeClaim } from '../../resources/generated/types.js';
import { persistentvolumeclaims } from '../../resources/kinds/persistentvolumeclaims.js';
import { persistentvolumes } from '../../resources/kinds/persistentvolumes.js';
import { isDeleting, nameOf } from '../../resources/resource.js';
import { boundByController, localProvisioner, provisionedBy } from '../../resources/storage/binding.js';
import type { GuardedAction } from '../guarded-executor.js';
import { volumeProtection, withFinalizer, withoutFinalizer } from './protection.js';

export interface VolumeObserved {
  readonly volume: PersistentVolume;
  /** The claim of the name in `claimRef`, whatever its uid. */
  readonly claim: PersistentVolumeClaim | undefined;
}

type VolumeDecision = Decision<GuardedAction>;

const update = (object: PersistentVolume): ClusterAction => ({
  type: 'update',
  kind: persistentvolumes,
  object,
});

const updateStatus = (object: PersistentVolume): ClusterAction => ({
  type: 'updateStatus',
  kind: persistentvolumes,
  object,
});

const inPhase = (volume: PersistentVolume, phase: string, message?: string): readonly ClusterAction[] =>
  volume.status?.phase === phase
    ? []
    : [updateStatus({ ...volume, status: { phase, ...(message === undefined ? {} : { message }) } })];

/** The claim that the volume is for; undefined when it has gone, or another one has its name. */
const ownClaim = ({ volume, claim }: VolumeObserved): PersistentVolumeClaim | undefined => {
  const uid = volume.spec.claimRef?.uid ?? '';
  return claim !== undefined && (uid === '' || claim.metadata.uid === uid) ? claim : undefined;
};

const deleting = (observed: VolumeObserved): VolumeDecision => {
  const { volume } = observed;
  if (ownClaim(observed)?.spec.volumeName === volume.metadata.name)
    return { actions: [], because: 'it is being deleted, and its claim still uses it' };
  const without = withoutFinalizer(volume, volumeProtection);
  if (without !== undefined) return { actions: [update(without)], because: 'no claim uses it: it may go' };
  const waiting = volume.metadata.finalizers?.join(', ') ?? '';
  return { actions: [], because: waiting === '' ? 'it is being deleted' : `it is being deleted: ${waiting}` };
};

/** The data goes only when the claim is known to be gone, and the policy says so. */
const released = ({ volume }: VolumeObserved): VolumeDecision => {
  const { claimRef, persistentVolumeReclaimPolicy: policy } = volume.spec;
  const claim = `${claimRef?.namespace ?? ''}/${claimRef?.name ?? ''}`;
  const phase = inPhase(volume, 'Released');
  if (phase.length > 0) return { actions: phase, because: `its claim ${claim} is gone` };
  if (policy === 'Recycle') {
    const message = 'recycling is not provided: its data is kept';
    return { actions: inPhase(volume, 'Failed', message), because: message };
  }
  if (policy !== 'Delete') return { actions: [], because: `its claim ${claim} is gone; its data is kept` };
  const maker = volume.metadata.annotations?.[provisionedBy];
  if (maker !== localProvisioner)
    return { actions: [], because: `its claim ${claim} is gone; ${maker ?? 'who made it'} is to delete it` };
  return {
    actions: [
      {
        type: 'deleteOrphan',
        target: { kind: persistentvolumes, name: nameOf(volume), uid: volume.metadata.uid },
        absent: [
          {
            kind: persistentvolumeclaims,
            name: { name: claimRef?.name ?? '', namespace: claimRef?.namespace },
            uid: claimRef?.uid,
          },
        ],
        options: {},
      },
    ],
    because: `its claim ${claim} is gone, and the volume goes with it`,
  };
};

const reconcile = (observed: VolumeObserved): VolumeDecision => {
  const { volume } = observed;
  if (isDeleting(volume)) return deleting(observed);
  const guarded = withFinalizer(volume, volumeProtection);
  if (guarded !== undefined)
    return { actions: [update(guarded)], because: 'is kept from being deleted while a claim uses it' };
  const { claimRef } = volume.spec;
  if (claimRef === undefined)
    return { actions: inPhase(volume, 'Available'), because: 'waits for a claim that it fits' };
  const claim = ownClaim(observed);
  const name = `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`;
  if ((claimRef.uid ?? '') === '')
    return { actions: inPhase(volume, 'Available'), because: `is set aside for claim ${name}` };
  if (claim === undefined) return released(observed);
  if (claim.spec.volumeName === volume.metadata.name)
    return { actions: inPhase(volume, 'Bound'), because: `is bound to claim ${name}` };
  if ((claim.spec.volumeName ?? '') === '')
    return { actions: [], because: `is about to be bound to ${name}` };
  if (volume.metadata.annotations?.[boundByController] === undefined)
    return { actions: [], because: `claim ${name} has another volume` };
  // Two volumes were claimed for one claim, and the other won: this one is free again.
  const spec = { ...volume.spec };
  delete (spec as { claimRef?: unknown }).claimRef;
  return { actions: [update({ ...volume, spec })], because: `claim ${name} has another volume` };
};

const observe = (view: View, key: Key): VolumeObserved | undefined => {
  const volume = view.get(persistentvolumes, key);
  if (volume === undefined) return undefined;
  const { claimRef } = volume.spec;
  const claim =
    claimRef?.name === undefined
      ? undefined
      : view.get(persistentvolumeclaims, { name: claimRef.name, namespace: claimRef.namespace });
  return { volume, claim };
};

export const volumeController: Controller<VolumeObserved, GuardedAction> = {
  name: 'persistentvolume',
  watches: [
    { kind: persistentvolumes, keys: ({ object }) => [nameOf(object)] },
    {
      kind: persistentvolumeclaims,
      keys: ({ object }, view) => {
        const { metadata, spec } = object as PersistentVolumeClaim;
        return view
          .list(persistentvolumes)
          .filter(
            (volume) =>
              volume.metadata.name === spec.volumeName || volume.spec.claimRef?.uid === metadata.uid,
          )
          .map(nameOf);
      },
    },
  ],
  observe,
  reconcile,
};
