// setCanaryScale: done when the canary has that many pods available.
import { done, waiting } from './step-rule.js';
import type { StepRule } from './step-rule.js';

export const setCanaryScale: StepRule = {
  kind: 'setCanaryScale',
  judge: ({ isScaled, scale }) =>
    isScaled ? done('the canary has its size') : waiting(`sizes the canary: ${scale}`),
};
