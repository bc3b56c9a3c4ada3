// The volume behind a claim, as the node mounts it.
import type { PersistentVolume, PersistentVolumeClaim } from '../resources/generated/types.js';
import { isBound, isClaimedBy, localProvisioner, provisionedBy } from '../resources/storage/binding.js';
import type { HostPathType } from './node-files.js';
import type { Referenced } from './pod-source.js';

export type ClaimSource =
  /** A folder on this node; `owned` when the pod's group is to own what is in it. */
  | {
      readonly type: 'folder';
      readonly path: string;
      readonly pathType: HostPathType;
      readonly owned: boolean;
    }
  | NetworkSource;

export interface NetworkSource {
  readonly type: 'nfs';
  readonly server: string;
  readonly path: string;
  readonly options: readonly string[];
  readonly readOnly: boolean;
}

export type ClaimPlan =
  ClaimSource | { readonly type: 'unknown' } | { readonly type: 'missing'; readonly message: string };

const missing = (message: string): ClaimPlan => ({ type: 'missing', message });

const sourceOf = ({ metadata, spec }: PersistentVolume): ClaimPlan => {
  const { hostPath, local, nfs, mountOptions = [] } = spec;
  if (local !== undefined) return { type: 'folder', path: local.path, pathType: 'Directory', owned: true };
  if (hostPath !== undefined)
    return {
      type: 'folder',
      path: hostPath.path,
      pathType: (hostPath.type ?? '') as HostPathType,
      owned: metadata.annotations?.[provisionedBy] === localProvisioner,
    };
  if (nfs !== undefined)
    return {
      type: 'nfs',
      server: nfs.server,
      path: nfs.path,
      options: mountOptions,
      readOnly: nfs.readOnly === true,
    };
  const source = Object.entries(spec).find(
    ([key, value]) =>
      typeof value === 'object' && !['capacity', 'claimRef', 'nodeAffinity', 'accessModes'].includes(key),
  );
  return missing(`volumes of type ${source?.[0] ?? 'unknown'} are not provided by this cluster`);
};

export const planClaim = (
  name: string,
  claim: Referenced<PersistentVolumeClaim>,
  volumeOf: (name: string) => Referenced<PersistentVolume>,
): ClaimPlan => {
  if (claim.state === 'unknown') return { type: 'unknown' };
  if (claim.state === 'absent') return missing(`persistentvolumeclaim "${name}" not found`);
  if (!isBound(claim.object)) return missing(`persistentvolumeclaim "${name}" is not bound`);
  const volume = volumeOf(claim.object.spec.volumeName ?? '');
  if (volume.state === 'unknown') return { type: 'unknown' };
  if (volume.state === 'absent')
    return missing(`persistentvolume "${claim.object.spec.volumeName ?? ''}" not found`);
  // The names agree, yet the claim may be a new one of an old name: its data is not the other's.
  return isClaimedBy(volume.object, claim.object)
    ? sourceOf(volume.object)
    : missing(`persistentvolume "${volume.object.metadata.name}" belongs to another claim`);
};
