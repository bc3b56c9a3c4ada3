import type { ReplicaSet } from '../../resources/generated/types.js';
import { replicasets } from '../../resources/kinds/replicasets.js';
import { healthy, progressing, type HealthRule } from './health.js';

export const replicaSetHealth: HealthRule<ReplicaSet> = {
  kind: replicasets,
  judge: ({ metadata, spec, status }) => {
    if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
      return progressing('waits for its controller');
    const wanted = spec.replicas ?? 1;
    const available = status?.availableReplicas ?? 0;
    return available >= wanted
      ? healthy
      : progressing(`${String(available)} of ${String(wanted)} pods are available`);
  },
};
