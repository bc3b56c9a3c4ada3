// Every controller of progressive delivery: a new one is a file and a line here.
import type { ClusterAction } from '../reconcile/cluster-action.js';
import type { ExpectingExecutor } from '../reconcile/expectation.js';
import { runnable } from '../reconcile/runnable.js';
import type { Runnable } from '../reconcile/runnable.js';
import { rolloutController } from './rollout/rollout.js';

export interface RolloutControllersOptions {
  readonly executor: ExpectingExecutor<ClusterAction>;
}

export const createRolloutControllers = ({ executor }: RolloutControllersOptions): readonly Runnable[] => [
  runnable(rolloutController, executor, { width: 16 }),
];
