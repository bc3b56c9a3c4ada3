// The claims of a StatefulSet's pods: made before the pod, kept or given up as the retention policy says.
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../resources/generated/types.js';
import { equal } from '../../base/json.js';
import { persistentvolumeclaims } from '../../resources/kinds/persistentvolumeclaims.js';
import { isDeleting } from '../../resources/resource.js';
import type { OwnerReference, Resource } from '../../resources/resource.js';

export const claimTemplatesOf = ({ spec }: StatefulSet): readonly PersistentVolumeClaim[] =>
  spec.volumeClaimTemplates ?? [];

export const claimName = ({ metadata }: StatefulSet, template: string, ordinal: number): string =>
  `${template}-${metadata.name}-${ordinal}`;

export const claimNames = (set: StatefulSet, ordinal: number): readonly string[] =>
  claimTemplatesOf(set).map(({ metadata }) => claimName(set, metadata.name, ordinal));

export type Claims = ReadonlyMap<string, PersistentVolumeClaim>;

/** A reference by which the claim goes with the object; nobody manages a claim. */
const keptBy = (object: Resource): OwnerReference => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  name: object.metadata.name,
  uid: object.metadata.uid,
});

const goesWithSet = ({ spec }: StatefulSet): boolean =>
  spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete';

const goesWithScale = ({ spec }: StatefulSet): boolean =>
  spec.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete';

export const missingClaims = (set: StatefulSet, ordinal: number, claims: Claims): readonly ClusterAction[] =>
  claimTemplatesOf(set)
    .filter(({ metadata }) => !claims.has(claimName(set, metadata.name, ordinal)))
    .map(({ metadata, spec }): ClusterAction => ({
      type: 'create',
      kind: persistentvolumeclaims,
      object: {
        metadata: {
          name: claimName(set, metadata.name, ordinal),
          namespace: set.metadata.namespace,
          labels: { ...metadata.labels, ...set.spec.selector.matchLabels },
          ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
          ...(goesWithSet(set) ? { ownerReferences: [keptBy(set)] } : {}),
        },
        spec,
      } as Extract<ClusterAction, { type: 'create' }>['object'],
    }));

/** A claim of an earlier pod that is still going: the new pod must not get it. */
export const goingClaim = (set: StatefulSet, ordinal: number, claims: Claims): string | undefined =>
  claimNames(set, ordinal).find((name) => {
    const claim = claims.get(name);
    return claim !== undefined && isDeleting(claim);
  });

export interface ClaimHolder {
  readonly pod: Pod;
  readonly ordinal: number;
  /** Beyond the wanted replicas. */
  readonly condemned: boolean;
}

/** Who takes a claim along, by the policy. Follows `updateClaimOwnerRefForSetAndPod` in stateful_set_utils.go. */
export const retention = (
  set: StatefulSet,
  { pod, ordinal, condemned }: ClaimHolder,
  claims: Claims,
): readonly ClusterAction[] => {
  const withPod = condemned && goesWithScale(set);
  const withSet = goesWithSet(set) && !withPod;
  return claimNames(set, ordinal).flatMap((name): readonly ClusterAction[] => {
    const claim = claims.get(name);
    if (claim === undefined || isDeleting(claim)) return [];
    const before = claim.metadata.ownerReferences ?? [];
    const others = before.filter(
      ({ uid, kind, name: owner }) =>
        uid !== set.metadata.uid && !(kind === 'Pod' && owner === pod.metadata.name),
    );
    const after = [...others, ...(withSet ? [keptBy(set)] : []), ...(withPod ? [keptBy(pod)] : [])];
    if (equal(before, after)) return [];
    const { uid, resourceVersion, namespace } = claim.metadata;
    return [
      {
        type: 'patch',
        kind: persistentvolumeclaims,
        name: { name, namespace },
        patch: { type: 'merge', patch: { metadata: { uid, resourceVersion, ownerReferences: after } } },
      },
    ];
  });
};
