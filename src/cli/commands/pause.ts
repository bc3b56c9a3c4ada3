// capstan pause
import { ClusterError } from '../../base/errors.js';
import { placeOf, rolloutCommand } from '../rollout-call.js';

export const command = rolloutCommand({
  name: 'pause',
  summary: 'Hold a rollout at the step at hand; pods and traffic stay as they are.',
  example: 'capstan pause web -n shop',
  change: (rollout) => {
    const { metadata, status } = rollout;
    if (status?.stableRS === status?.currentPodHash)
      throw new ClusterError('Conflict', `rollout ${metadata.name} has nothing under way to hold`);
    return { status: { held: true }, told: `rollout ${metadata.name}: held${placeOf(rollout)}` };
  },
});
