// analysis: done when its run has succeeded. A run that fails aborts the rollout before any step is judged.
import { done, waiting } from './step-rule.js';
import type { StepRule } from './step-rule.js';

export const analysis: StepRule = {
  kind: 'analysis',
  judge: ({ run, step }) => {
    if (run?.phase === 'Successful') return done(`analysis ${run.name} succeeded`);
    const names = (step.analysis?.templates ?? []).map(({ templateName }) => templateName).join(', ');
    return waiting(`waits for the analysis of ${names}`);
  },
  run: ({ step, index }) =>
    step.analysis === undefined ? undefined : { kind: 'step', index, analysis: step.analysis },
};
