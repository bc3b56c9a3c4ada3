// A volume that is a folder on one node. The node makes the folder when it first mounts it, and removes it once the
// volume is deleted.
import { tieBreak } from '../../reconcile/hash.js';
import { isConditionTrue } from '../../resources/conditions.js';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../resources/generated/types.js';
import type { Draft } from '../../resources/resource.js';
import {
  localProvisioner,
  mayProvisionOn,
  nodeDataFinalizer,
  nodeOfVolume,
  provisionedBy,
  requestOf,
  volumeRoot,
} from '../../resources/storage/binding.js';
import { volumeProtection } from './protection.js';

export interface LocalVolumeOptions {
  readonly claim: PersistentVolumeClaim;
  readonly storageClass: StorageClass;
  /** Chosen by the scheduler; undefined when any of `nodes` will do. */
  readonly node: Node | undefined;
  readonly nodes: readonly Node[];
}

export type LocalVolume =
  { readonly volume: Draft<PersistentVolume>; readonly node: string } | { readonly problem: string };

const modes: ReadonlySet<string> = new Set(['ReadWriteOnce', 'ReadWriteOncePod']);

const rootOf = ({ metadata }: Node): string | undefined => metadata.annotations?.[volumeRoot];

const isUsable = (node: Node, storageClass: StorageClass): boolean =>
  rootOf(node) !== undefined &&
  node.spec.unschedulable !== true &&
  isConditionTrue(node.status?.conditions, 'Ready') &&
  mayProvisionOn(storageClass, node);

/** The same claim asks for the same node each time, and claims spread. */
const anyNode = ({ claim, storageClass, nodes }: LocalVolumeOptions): Node | undefined => {
  const order = (node: Node): number => tieBreak(`${claim.metadata.uid} ${node.metadata.name}`);
  return nodes.filter((node) => isUsable(node, storageClass)).sort((a, b) => order(a) - order(b))[0];
};

export const localVolumeFor = (options: LocalVolumeOptions): LocalVolume => {
  const { claim, storageClass } = options;
  const foreign = (claim.spec.accessModes ?? []).filter((mode) => !modes.has(mode));
  if (foreign.length > 0)
    return {
      problem: `a volume of class ${storageClass.metadata.name} is on one node: it cannot be ${foreign.join(', ')}`,
    };
  if (claim.spec.volumeMode === 'Block')
    return { problem: `class ${storageClass.metadata.name} makes file systems, not block devices` };
  const source = claim.spec.dataSourceRef ?? claim.spec.dataSource;
  if (source !== undefined)
    return {
      problem: `class ${storageClass.metadata.name} makes empty volumes, not copies of a ${source.kind}`,
    };
  const node = options.node ?? anyNode(options);
  if (node === undefined) return { problem: 'no node that is ready can hold the volume' };
  const root = rootOf(node);
  if (root === undefined) return { problem: `node ${node.metadata.name} has no folder for volumes` };
  const name = `pvc-${claim.metadata.uid}`;
  const { namespace } = claim.metadata;
  const volume: Draft<PersistentVolume> = {
    metadata: {
      name,
      labels: { [nodeOfVolume]: node.metadata.name },
      annotations: { [provisionedBy]: localProvisioner },
      finalizers: [volumeProtection, nodeDataFinalizer],
    },
    spec: {
      capacity: { storage: requestOf(claim) },
      accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
      volumeMode: 'Filesystem',
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: storageClass.metadata.name,
      hostPath: { path: `${root}/${name}`, type: 'DirectoryOrCreate' },
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name: claim.metadata.name,
        ...(namespace === undefined ? {} : { namespace }),
        uid: claim.metadata.uid,
      },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {
              matchExpressions: [
                {
                  key: 'kubernetes.io/hostname',
                  operator: 'In',
                  values: [node.metadata.labels?.['kubernetes.io/hostname'] ?? node.metadata.name],
                },
              ],
            },
          ],
        },
      },
    },
  };
  return { volume, node: node.metadata.name };
};
