// experiment: done when it has succeeded.
import { done, waiting } from './step-rule.js';
import type { StepRule } from './step-rule.js';

export const experiment: StepRule = {
  kind: 'experiment',
  judge: ({ run }) =>
    run?.phase === 'Successful'
      ? done(`experiment ${run.name} succeeded`)
      : waiting(run === undefined ? 'begins the experiment' : `waits for experiment ${run.name}`),
  run: ({ step, index }) =>
    step.experiment === undefined ? undefined : { kind: 'experiment', index, experiment: step.experiment },
};
