// capstan abort
import { ClusterError } from '../../base/errors.js';
import { placeOf, rolloutCommand } from '../rollout-call.js';

export const command = rolloutCommand({
  name: 'abort',
  summary: 'Give the new version of a rollout up: all traffic goes back to the one before.',
  example: 'capstan abort web -n shop',
  change: (rollout) => {
    const { metadata, status } = rollout;
    if (status?.stableRS === status?.currentPodHash)
      throw new ClusterError('Conflict', `rollout ${metadata.name} runs the wanted version already`);
    return {
      status: { abort: true, abortMessage: 'a person aborted it' },
      told: `rollout ${metadata.name}: aborted${placeOf(rollout)}`,
    };
  },
});
