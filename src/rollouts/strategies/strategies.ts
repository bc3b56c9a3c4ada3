// Every strategy: a new one is a file and a line here.
import type { RolloutSpec } from '../../resources/generated/types.js';
import { isTrafficRouted } from '../../resources/rollouts/strategy-of.js';
import { basicCanary } from './basic-canary.js';
import { blueGreen } from './blue-green.js';
import { routedCanary } from './routed-canary.js';
import type { Strategy } from './strategy.js';

export const strategyOf = ({ strategy }: RolloutSpec): Strategy => {
  if (strategy?.blueGreen !== undefined) return blueGreen;
  return strategy?.canary !== undefined && isTrafficRouted(strategy.canary) ? routedCanary : basicCanary;
};
