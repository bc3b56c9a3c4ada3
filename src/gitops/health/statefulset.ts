import type { StatefulSet } from '../../resources/generated/types.js';
import { statefulsets } from '../../resources/kinds/statefulsets.js';
import { healthy, progressing, type HealthRule } from './health.js';

export const statefulSetHealth: HealthRule<StatefulSet> = {
  kind: statefulsets,
  judge: ({ metadata, spec, status }) => {
    if (status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0))
      return progressing('waits for its controller');
    const wanted = spec.replicas ?? 1;
    const { type = 'RollingUpdate', rollingUpdate } = spec.updateStrategy ?? {};
    const { updatedReplicas: updated = 0, availableReplicas: available = 0 } = status;
    // Pods below the partition stay as they are; with OnDelete the user decides when pods are replaced.
    const rolled = Math.max(0, wanted - (rollingUpdate?.partition ?? 0));
    if (type !== 'OnDelete' && updated < rolled)
      return progressing(`${String(updated)} of ${String(rolled)} pods have the new template`);
    return available < wanted
      ? progressing(`${String(available)} of ${String(wanted)} pods are available`)
      : healthy;
  },
};
