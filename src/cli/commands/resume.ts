// capstan resume
import { ClusterError } from '../../base/errors.js';
import { placeOf, rolloutCommand } from '../rollout-call.js';

export const command = rolloutCommand({
  name: 'resume',
  summary: 'Let a rollout that was held go on; a pause among its steps still waits to be promoted.',
  example: 'capstan resume web -n shop',
  change: (rollout) => {
    const { metadata, status, spec } = rollout;
    if (status?.held !== true && spec.paused !== true)
      throw new ClusterError('Conflict', `rollout ${metadata.name} is not held`);
    return {
      ...(spec.paused === true ? { spec: { paused: false } } : {}),
      status: { held: null },
      told: `rollout ${metadata.name}: goes on${placeOf(rollout)}`,
    };
  },
});
