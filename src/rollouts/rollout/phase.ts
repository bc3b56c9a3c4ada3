// Phase and message of a rollout, as the `kubectl argo rollouts` plugin expects them (utils/rollout/rolloututil.go).
import { conditionOf } from '../../resources/conditions.js';
import type { RolloutSpec, RolloutStatus } from '../../resources/generated/types.js';

export interface PhaseOfRollout {
  readonly phase: 'Healthy' | 'Degraded' | 'Progressing' | 'Paused';
  readonly message: string;
}

const progressing = (message: string): PhaseOfRollout => ({ phase: 'Progressing', message });

/** What the strategy still has to do. */
const remaining = (spec: RolloutSpec, status: RolloutStatus): string | undefined => {
  const { currentPodHash, stableRS, blueGreen } = status;
  if (spec.strategy?.blueGreen === undefined)
    return stableRS === currentPodHash ? undefined : 'waiting for all steps to complete';
  if (blueGreen?.activeSelector !== currentPodHash) return 'active service cutover pending';
  return stableRS === currentPodHash ? undefined : 'waiting for analysis to complete';
};

const failureOf = (status: RolloutStatus): string | undefined => {
  const invalid = conditionOf(status.conditions, 'InvalidSpec');
  if (invalid?.status === 'True') return `InvalidSpec: ${invalid.message ?? ''}`;
  const { reason, message = '' } = conditionOf(status.conditions, 'Progressing') ?? {};
  return reason === 'RolloutAborted' || reason === 'ProgressDeadlineExceeded'
    ? `${reason}: ${message}`
    : undefined;
};

export const phaseOf = (spec: RolloutSpec, status: RolloutStatus): PhaseOfRollout => {
  const failure = failureOf(status);
  if (failure !== undefined) return { phase: 'Degraded', message: failure };
  if (spec.paused === true) return { phase: 'Paused', message: 'manually paused' };
  const [pause] = status.pauseConditions ?? [];
  if (pause !== undefined) return { phase: 'Paused', message: pause.reason ?? '' };
  if (status.held === true) return { phase: 'Paused', message: 'held by a person' };
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status;
  if (updatedReplicas < (spec.replicas ?? 1)) return progressing('more replicas need to be updated');
  const rest = remaining(spec, status);
  if (rest !== undefined) return progressing(rest);
  if (availableReplicas < updatedReplicas)
    return progressing('updated replicas are still becoming available');
  // Pods of a version that stays for its delay are no sign of work that is left.
  const isBasic = spec.strategy?.canary !== undefined && status.canary?.weights === undefined;
  return isBasic && replicas > updatedReplicas
    ? progressing('old replicas are pending termination')
    : { phase: 'Healthy', message: '' };
};
