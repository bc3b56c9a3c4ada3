import type { Rollout } from '../../resources/generated/types.js';
import { rollouts } from '../../resources/kinds/rollouts.js';
import { degraded, healthy, progressing, type HealthRule } from './health.js';

/** A rollout that waits for a person is on its way; one that was aborted has failed for good: its template is taken back. */
export const rolloutHealth: HealthRule<Rollout> = {
  kind: rollouts,
  judge: ({ metadata, status }) => {
    if (Number(status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
      return progressing('waits for its controller');
    const { phase, message = '', because = '', abort, stableRS, currentPodHash } = status ?? {};
    if (phase === 'Healthy') return healthy;
    if (phase === 'Degraded') {
      const failed = abort === true && stableRS !== currentPodHash;
      return failed || message.startsWith('ProgressDeadlineExceeded')
        ? { status: 'Degraded', message, failed: true }
        : degraded(message);
    }
    return progressing(phase === 'Paused' ? `pauses: ${because}` : because === '' ? message : because);
  },
};
