// Carries measurements out: asks the servers at once, judges what they answer, and writes it to the run's status. A server
// that is down, slow or answers nonsense makes an Error of the measurement.
import type { Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import type { Cluster } from '../../client/cluster.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import { expectNewer, expectSeenOrGone } from '../../reconcile/expectation.js';
import type { Expectation, ExpectingExecutor } from '../../reconcile/expectation.js';
import type { AnalysisMetric, AnalysisRun, AnalysisRunStatus } from '../../resources/generated/types.js';
import { analysisruns } from '../../resources/kinds/analysisruns.js';
import { nameOf } from '../../resources/resource.js';
import { judgeValue } from './judge.js';
import type { Measured, MetricAnswer, MetricRequest, SendMetricRequest } from './metric-source.js';
import { prometheusValue } from './providers/prometheus.js';
import { webValue } from './providers/web.js';
import { withOutcome } from './results.js';
import type { Outcome } from './results.js';

/** One metric, and where its value comes from: a request, what is known already, or why there is none. */
export type Measurement =
  | { readonly metric: AnalysisMetric; readonly request: MetricRequest }
  | { readonly metric: AnalysisMetric; readonly measured: Measured }
  | { readonly metric: AnalysisMetric; readonly problem: string };

export type MeasuringAction =
  | ClusterAction
  | { readonly type: 'measure'; readonly run: AnalysisRun; readonly measurements: readonly Measurement[] };

type Measure = Extract<MeasuringAction, { readonly type: 'measure' }>;

export interface MeasureOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly send: SendMetricRequest;
}

const valueIn = ({ provider }: AnalysisMetric, answer: MetricAnswer): Measured =>
  provider.web === undefined ? prometheusValue(answer) : webValue(provider.web, answer);

/** The answer, or an error when there is none in time. */
const measuredOf = async (
  measurement: Measurement,
  send: SendMetricRequest,
  signal: AbortSignal,
): Promise<Measured> => {
  if ('measured' in measurement) return measurement.measured;
  if ('problem' in measurement) throw new Error(measurement.problem);
  return valueIn(measurement.metric, await send(measurement.request, signal));
};

const outcomeOf = async (
  measurement: Measurement,
  { clock, send }: MeasureOptions,
  signal: AbortSignal,
): Promise<Outcome> => {
  const { metric } = measurement;
  const startedAt = clock.now();
  try {
    const { value, text } = await measuredOf(measurement, send, signal);
    return {
      metric: metric.name,
      ...judgeValue(metric, value),
      value: text,
      startedAt,
      finishedAt: clock.now(),
    };
  } catch (error) {
    // The daemon stops: that says nothing about the metric.
    signal.throwIfAborted();
    const message = messageOf(error);
    return { metric: metric.name, phase: 'Error', message, value: '', startedAt, finishedAt: clock.now() };
  }
};

const measure = async (
  { run, measurements }: Measure,
  options: MeasureOptions,
  signal: AbortSignal,
): Promise<Expectation | undefined> => {
  const outcomes = await Promise.all(measurements.map((one) => outcomeOf(one, options, signal)));
  const status = outcomes.reduce<AnalysisRunStatus>(
    (before, outcome) => withOutcome(run.spec, before, outcome),
    run.status ?? {},
  );
  const written = await options.cluster.updateStatus(analysisruns, { ...run, status });
  return expectSeenOrGone(analysisruns, written);
};

export const createMeasuringExecutor = (
  options: MeasureOptions,
  plain: ExpectingExecutor<ClusterAction>,
): ExpectingExecutor<MeasuringAction> => {
  const perform = (action: MeasuringAction, signal: AbortSignal): Promise<Expectation | undefined> =>
    action.type === 'measure' ? measure(action, options, signal) : plain.perform(action, signal);
  return {
    perform,
    execute: async (action, signal) => {
      await perform(action, signal);
    },
    refused: (action) =>
      action.type === 'measure'
        ? expectNewer(analysisruns, nameOf(action.run), action.run.metadata.resourceVersion)
        : plain.refused(action),
    together: (previous, action) =>
      previous.type !== 'measure' && action.type !== 'measure' && plain.together(previous, action),
  };
};
