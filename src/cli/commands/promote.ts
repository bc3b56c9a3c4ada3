// capstan promote
import { ClusterError } from '../../base/errors.js';
import type { Rollout } from '../../resources/generated/types.js';
import { stepsOf } from '../../resources/rollouts/strategy-of.js';
import { flagOption, UsageError } from '../command.js';
import { placeOf, rolloutCommand, type RolloutChange } from '../rollout-call.js';

const isUpdating = ({ status }: Rollout): boolean => status?.stableRS !== status?.currentPodHash;

const skipped = (rollout: Rollout): RolloutChange => {
  const { metadata, spec, status } = rollout;
  const index = status?.currentStepIndex ?? 0;
  if (index >= stepsOf(spec).length)
    throw new ClusterError('Conflict', `rollout ${metadata.name} has no step to skip`);
  return {
    status: { pauseConditions: null, controllerPause: null, held: null, currentStepIndex: index + 1 },
    told: `rollout ${metadata.name}: skipped the step${placeOf(rollout)}`,
  };
};

export const command = rolloutCommand({
  name: 'promote',
  summary: 'End the pause of a rollout, so that it goes on with the next step.',
  example:
    'capstan promote web -n shop\ncapstan promote web -n shop --step\ncapstan promote web -n shop --full',
  options: (program) => {
    program
      .option('--full', 'skip all steps and analyses that are left')
      .option('--step', 'skip the step at hand, whatever it waits for');
  },
  change: (rollout, invocation) => {
    const { metadata, status, spec } = rollout;
    const [full, step] = [flagOption(invocation, 'full'), flagOption(invocation, 'step')];
    if (full && step) throw new UsageError('--full and --step cannot be given together');
    if (!isUpdating(rollout))
      throw new ClusterError('Conflict', `rollout ${metadata.name} runs the wanted version already`);
    if (status?.abort === true)
      throw new ClusterError(
        'Conflict',
        `rollout ${metadata.name} is aborted: capstan retry ${metadata.name}`,
      );
    if (full)
      return {
        status: { promoteFull: true, pauseConditions: null, held: null },
        told: `rollout ${metadata.name}: goes on without further steps`,
      };
    if (step) return skipped(rollout);
    const waits = (status?.pauseConditions ?? []).length > 0 || status?.held === true || spec.paused === true;
    if (!waits)
      throw new ClusterError(
        'Conflict',
        `rollout ${metadata.name} does not pause: ${status?.because ?? ''} (--step skips what it waits for)`,
      );
    return {
      ...(spec.paused === true ? { spec: { paused: false } } : {}),
      status: { pauseConditions: null, held: null },
      told: `rollout ${metadata.name}: goes on${placeOf(rollout)}`,
    };
  },
});
