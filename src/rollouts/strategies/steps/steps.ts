// Every kind of step: a new one is a file and a line here.
import type { RolloutCanaryStep } from '../../../resources/generated/types.js';
import { kindOfStep } from '../../../resources/rollouts/step-kinds.js';
import { analysis } from './analysis.js';
import { experiment } from './experiment.js';
import { pause } from './pause.js';
import { setCanaryScale } from './set-canary-scale.js';
import { setWeight } from './set-weight.js';
import type { StepRule } from './step-rule.js';

const rules: readonly StepRule[] = [setWeight, pause, setCanaryScale, analysis, experiment];

/** Undefined for a step that no rule knows: validation has refused it. */
export const ruleOf = (step: RolloutCanaryStep): StepRule | undefined => {
  const kind = kindOfStep(step);
  return rules.find((rule) => rule.kind === kind);
};
