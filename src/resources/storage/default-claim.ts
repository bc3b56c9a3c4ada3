// Defaults of PersistentVolumeClaims and of the templates of StatefulSets (Kubernetes' pkg/apis/core/v1/defaults.go).
import { withChanges, withDefaults } from '../defaults.js';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../generated/types.js';

/** `dataSource` is the older name of what `dataSourceRef` says of this namespace. */
const withBothSources = (spec: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec => {
  const { dataSource, dataSourceRef } = spec;
  if (dataSourceRef === undefined)
    return dataSource === undefined ? spec : { ...spec, dataSourceRef: dataSource };
  if (dataSource !== undefined || (dataSourceRef.namespace ?? '') !== '') return spec;
  const { apiGroup, kind, name } = dataSourceRef;
  return { ...spec, dataSource: { kind, name, ...(apiGroup === undefined ? {} : { apiGroup }) } };
};

export const defaultedClaimSpec = (spec: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec =>
  withBothSources(withDefaults(spec, { volumeMode: 'Filesystem' }));

export const defaultedClaim = (claim: PersistentVolumeClaim): PersistentVolumeClaim => {
  // A draft's spec may be missing, whatever the type of an accepted claim says.
  const spec = (claim.spec as PersistentVolumeClaimSpec | undefined) ?? {};
  return withChanges(claim, {
    spec: defaultedClaimSpec(spec),
    status: withDefaults(claim.status ?? {}, { phase: 'Pending' }),
  });
};
