import type { DaemonSet } from '../../resources/generated/types.js';
import { daemonsets } from '../../resources/kinds/daemonsets.js';
import { healthy, progressing, type HealthRule } from './health.js';

export const daemonSetHealth: HealthRule<DaemonSet> = {
  kind: daemonsets,
  judge: ({ metadata, spec, status }) => {
    if (status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0))
      return progressing('waits for its controller');
    const { desiredNumberScheduled: wanted, updatedNumberScheduled: updated = 0 } = status;
    const { numberAvailable: available = 0 } = status;
    // With OnDelete the user decides when pods are replaced.
    if (spec.updateStrategy?.type !== 'OnDelete' && updated < wanted)
      return progressing(`${String(updated)} of ${String(wanted)} nodes have a pod of the new template`);
    return available < wanted
      ? progressing(`${String(available)} of ${String(wanted)} nodes have an available pod`)
      : healthy;
  },
};
