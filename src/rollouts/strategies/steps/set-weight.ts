// setWeight: done when the pods that the weight needs are available and the traffic is split so.
import { done, waiting } from './step-rule.js';
import type { StepRule } from './step-rule.js';

export const setWeight: StepRule = {
  kind: 'setWeight',
  judge: ({ step, isScaled, isWeighted, scale }) => {
    const weight = String(step.setWeight ?? 0);
    if (!isScaled) return waiting(`goes to weight ${weight}: ${scale}`);
    return isWeighted
      ? done(`weight ${weight} is reached`)
      : waiting(`waits until the traffic has weight ${weight}`);
  },
};
