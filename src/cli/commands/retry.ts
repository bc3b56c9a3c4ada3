// capstan retry
import { ClusterError } from '../../base/errors.js';
import { rolloutCommand } from '../rollout-call.js';

export const command = rolloutCommand({
  name: 'retry',
  summary: 'Try an aborted rollout again, from its first step.',
  example: 'capstan retry web -n shop',
  change: ({ metadata, status }) => {
    if (status?.abort !== true) throw new ClusterError('Conflict', `rollout ${metadata.name} is not aborted`);
    return { status: { abort: false }, told: `rollout ${metadata.name}: tries again` };
  },
});
