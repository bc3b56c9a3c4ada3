// Every controller of progressive delivery: a new one is a file and a line here.
import type { Clock } from '../base/clock.js';
import type { Cluster } from '../client/cluster.js';
import type { ClusterAction } from '../reconcile/cluster-action.js';
import type { ExpectingExecutor } from '../reconcile/expectation.js';
import { runnable } from '../reconcile/runnable.js';
import type { Runnable } from '../reconcile/runnable.js';
import { analysisRunController } from './analysis/analysis-run.js';
import { createMeasuringExecutor } from './analysis/measure.js';
import type { SendMetricRequest } from './analysis/metric-source.js';
import { experimentController } from './experiment/experiment.js';
import { releaseController } from './release/release.js';
import { rolloutController } from './rollout/rollout.js';

export interface RolloutControllersOptions {
  readonly cluster: Cluster;
  readonly executor: ExpectingExecutor<ClusterAction>;
  readonly clock: Clock;
  /** To metric servers. */
  readonly send: SendMetricRequest;
}

export const createRolloutControllers = (options: RolloutControllersOptions): readonly Runnable[] => {
  const { executor } = options;
  return [
    runnable(rolloutController, executor, { width: 16 }),
    runnable(experimentController, executor),
    runnable(releaseController, executor),
    runnable(analysisRunController, createMeasuringExecutor(options, executor), { width: 32 }),
  ];
};
