// Which volume may serve which claim, and from which nodes: what the scheduler and the controllers both ask.
// Follows kube-scheduler's volume binding and `pkg/controller/volume/persistentvolume`.
import { matchesSelector } from '../node-affinity.js';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  Volume,
} from '../generated/types.js';
import { selects } from '../label-selector.js';
import { compareQuantities, parseQuantity, zeroQuantity } from '../quantity.js';
import { isDeleting } from '../resource.js';

/** Written by the scheduler: the node on which the first pod that uses the claim will be. */
export const selectedNode = 'volume.kubernetes.io/selected-node';
export const boundByController = 'pv.kubernetes.io/bound-by-controller';
export const bindCompleted = 'pv.kubernetes.io/bind-completed';
export const provisionedBy = 'pv.kubernetes.io/provisioned-by';
export const storageProvisioner = 'volume.kubernetes.io/storage-provisioner';
const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

/** Classes of this provisioner make nothing: their volumes are made by people. */
export const noProvisioner = 'kubernetes.io/no-provisioner';
/** Makes volumes that are folders on one node. */
export const localProvisioner = 'capstan.dev/local';
/** On a Node: the folder in which its local volumes are. */
export const volumeRoot = 'capstan.dev/volume-root';
/** On a volume whose data is on a node: that node removes the data, then this. */
export const nodeDataFinalizer = 'capstan.dev/node-data';
/** On such a volume: the name of the node. */
export const nodeOfVolume = 'capstan.dev/node';

/** '' for none. */
export const classOf = ({ metadata, spec }: PersistentVolume | PersistentVolumeClaim): string =>
  metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? '';

export const isDelayed = (storageClass: StorageClass | undefined): boolean =>
  storageClass?.volumeBindingMode === 'WaitForFirstConsumer';

export const isBound = ({ spec, status }: PersistentVolumeClaim): boolean =>
  status?.phase === 'Bound' && (spec.volumeName ?? '') !== '';

/** Nodes that do not lie between the node and the data. */
export const volumeReaches = ({ spec }: PersistentVolume, node: Node): boolean => {
  const required = spec.nodeAffinity?.required;
  return required === undefined || matchesSelector(required, node);
};

/** The volume names the claim, by uid where it names one. */
export const isClaimedBy = ({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean =>
  spec.claimRef?.name === metadata.name &&
  spec.claimRef.namespace === metadata.namespace &&
  (spec.claimRef.uid === undefined || spec.claimRef.uid === '' || spec.claimRef.uid === metadata.uid);

const sizeOf = (quantity: string | undefined) => parseQuantity(quantity ?? '0') ?? zeroQuantity;

export const requestOf = ({ spec }: PersistentVolumeClaim): string =>
  spec.resources?.requests?.['storage'] ?? '0';

export const isLargeEnough = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  compareQuantities(sizeOf(spec.capacity?.['storage']), sizeOf(requestOf(claim))) >= 0;

/** Free, or set aside for this very claim, and everything that the claim asks for. */
export const volumeFits = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean => {
  const { spec } = volume;
  if (isDeleting(volume) || volume.status?.phase === 'Released' || volume.status?.phase === 'Failed')
    return false;
  if (spec.claimRef !== undefined && !isClaimedBy(volume, claim)) return false;
  const modes: readonly string[] = spec.accessModes ?? [];
  return (
    classOf(volume) === classOf(claim) &&
    (claim.spec.accessModes ?? []).every((mode) => modes.includes(mode)) &&
    (spec.volumeMode ?? 'Filesystem') === (claim.spec.volumeMode ?? 'Filesystem') &&
    (claim.spec.selector === undefined || selects(claim.spec.selector, volume.metadata.labels)) &&
    isLargeEnough(volume, claim)
  );
};

/** One set aside for the claim, else the smallest that fits; `node` is where it must be reached from. */
export const bestVolume = (
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  node?: Node,
): PersistentVolume | undefined =>
  volumes
    .filter((volume) => volumeFits(volume, claim) && (node === undefined || volumeReaches(volume, node)))
    .sort(
      (a, b) =>
        Number(b.spec.claimRef !== undefined) - Number(a.spec.claimRef !== undefined) ||
        compareQuantities(sizeOf(a.spec.capacity?.['storage']), sizeOf(b.spec.capacity?.['storage'])) ||
        (a.metadata.name < b.metadata.name ? -1 : 1),
    )[0];

/** Whether new volumes of the class may be made for the node. */
export const mayProvisionOn = ({ allowedTopologies }: StorageClass, node: Node): boolean =>
  (allowedTopologies ?? []).length === 0 ||
  (allowedTopologies ?? []).some(({ matchLabelExpressions }) =>
    (matchLabelExpressions ?? []).every(({ key, values }) =>
      values.includes(node.metadata.labels?.[key] ?? ''),
    ),
  );

/** Names of the claims that the pod's volumes stand for; a generic ephemeral volume has one of its own. */
export const claimNamesOf = ({ metadata, spec }: Pod): readonly string[] =>
  (spec.volumes ?? []).flatMap((volume) => claimNameOf({ metadata }, volume) ?? []);

/** Undefined when the volume stands for no claim. */
export const claimNameOf = (
  { metadata }: Pick<Pod, 'metadata'>,
  { name, persistentVolumeClaim, ephemeral }: Volume,
): string | undefined =>
  persistentVolumeClaim?.claimName ??
  (ephemeral === undefined ? undefined : ephemeralClaimName(metadata.name, name));

export const ephemeralClaimName = (pod: string, volume: string): string => `${pod}-${volume}`;
