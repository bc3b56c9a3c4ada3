import type { ReplicationController } from '../../resources/generated/types.js';
import { replicationcontrollers } from '../../resources/kinds/replicationcontrollers.js';
import { healthy, progressing, type HealthRule } from './health.js';

export const replicationControllerHealth: HealthRule<ReplicationController> = {
  kind: replicationcontrollers,
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
