// AnalysisRun: which metric is measured when, and what comes of it. Measuring itself is an action; the decision is pure.
import { fromTimestamp, toTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import type { View } from '../../client/view.js';
import type { Controller, Decision, Key } from '../../reconcile/controller.js';
import { ownerKeys } from '../../reconcile/ownership.js';
import type {
  AnalysisMetric,
  AnalysisMetricResult,
  AnalysisRun,
  AnalysisRunStatus,
  Job,
  Pod,
} from '../../resources/generated/types.js';
import { parseGoDuration } from '../../resources/go-duration.js';
import { analysisruns } from '../../resources/kinds/analysisruns.js';
import { jobs } from '../../resources/kinds/jobs.js';
import { pods } from '../../resources/kinds/pods.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { selects } from '../../resources/label-selector.js';
import { isDeleting, nameOf } from '../../resources/resource.js';
import { versionLabel } from '../../resources/rollouts/service-version.js';
import { earliest, isOver } from '../strategies/strategy.js';
import type { Phase } from '../strategies/strategy.js';
import { valuesOf, withValues } from './arguments.js';
import { countOf, isBad, judgeMetric, worstOf } from './judge.js';
import type { MeasuringAction, Measurement } from './measure.js';
import { capstanValue } from './providers/capstan.js';
import { jobCreation, jobName, jobNamed, jobVerdict } from './providers/job.js';
import { prometheusRequest } from './providers/prometheus.js';
import { webRequest } from './providers/web.js';
import { isDryRun, resultOf, withOutcome, withResult, withSummaries } from './results.js';

export interface AnalysisObserved {
  readonly run: AnalysisRun;
  /** With the values of arguments, or the sentence that says which has none. */
  readonly metrics: readonly AnalysisMetric[] | string;
  /** Of the namespace; only where a metric looks at pods. */
  readonly pods: readonly Pod[];
  job(name: string): Job | undefined;
}

const observe = (view: View, key: Key): AnalysisObserved | undefined => {
  const run = view.get(analysisruns, key);
  if (run === undefined) return undefined;
  const { namespace } = run.metadata;
  const { metrics = [], args } = run.spec;
  let filled: readonly AnalysisMetric[] | string;
  try {
    const values = valuesOf(args, (name) => view.get(secrets, { name, namespace }));
    filled = metrics.map((metric) => withValues(metric, values));
  } catch (error) {
    filled = messageOf(error);
  }
  const looksAtPods = metrics.some(({ provider }) => provider.capstan !== undefined);
  return {
    run,
    metrics: filled,
    pods: looksAtPods ? view.list(pods, namespace) : [],
    job: (name) => jobNamed(view, namespace, name),
  };
};

const errorIntervalMs = 10_000;

type Due = { readonly due: true } | { readonly due: false; readonly wakeAt: Instant | undefined };

/** When the metric is to be measured next. */
const dueAt = (
  metric: AnalysisMetric,
  result: AnalysisMetricResult | undefined,
  begun: Instant,
): Instant | undefined => {
  const last = result?.measurements?.at(-1);
  if (last === undefined) return begun + (parseGoDuration(metric.initialDelay ?? '0') ?? 0);
  const finished = fromTimestamp(last.finishedAt);
  if (finished === undefined) return undefined;
  if (last.phase === 'Error') return finished + errorIntervalMs;
  if ((result?.count ?? 0) >= countOf(metric)) return undefined;
  return metric.interval === undefined ? finished : finished + (parseGoDuration(metric.interval) ?? 0);
};

const isDue = (
  metric: AnalysisMetric,
  result: AnalysisMetricResult | undefined,
  { begun, now }: { readonly begun: Instant; readonly now: Instant },
): Due => {
  const at = dueAt(metric, result, begun);
  return at !== undefined && at <= now ? { due: true } : { due: false, wakeAt: at };
};

const capstanPods = ({ provider: { capstan } }: AnalysisMetric, all: readonly Pod[]): readonly Pod[] =>
  all.filter(({ metadata }) => {
    if (capstan?.selector !== undefined && !selects(capstan.selector, metadata.labels)) return false;
    const hash = capstan?.podTemplateHash;
    return hash === undefined || metadata.labels?.[versionLabel] === hash;
  });

/** How the metric is measured now; a Job is begun instead. */
const measurementOf = (metric: AnalysisMetric, observed: AnalysisObserved, now: Instant): Measurement => {
  const { prometheus, web, capstan } = metric.provider;
  try {
    if (prometheus !== undefined) return { metric, request: prometheusRequest(prometheus, now) };
    if (web !== undefined) return { metric, request: webRequest(web) };
    if (capstan !== undefined) return { metric, measured: capstanValue(capstanPods(metric, observed.pods)) };
  } catch (error) {
    return { metric, problem: messageOf(error) };
  }
  return { metric, problem: 'the provider is not measured here' };
};

interface Turn {
  status: AnalysisRunStatus;
  readonly actions: MeasuringAction[];
  readonly measurements: Measurement[];
  wakeAt: Instant | undefined;
}

/** A Job that is under way, and the beginning of one. */
const jobTurn = (turn: Turn, metric: AnalysisMetric, { run, job }: AnalysisObserved, now: Instant): void => {
  const { job: provider } = metric.provider;
  const result = resultOf(turn.status, metric.name);
  const running = result?.measurements?.at(-1);
  if (provider === undefined) return;
  if (running?.phase === 'Running') {
    const verdict = jobVerdict(job(running.metadata?.['job-name'] ?? ''));
    if (verdict === undefined) return;
    turn.status = withOutcome(run.spec, turn.status, {
      ...verdict,
      metric: metric.name,
      value: '',
      startedAt: now,
      finishedAt: now,
    });
    return;
  }
  const number = (result?.count ?? 0) + (result?.error ?? 0);
  const name = jobName(run, metric.name, number);
  turn.actions.push(jobCreation(run, provider, name));
  const metadata = { 'job-name': name, 'job-namespace': run.metadata.namespace ?? '' };
  const measurement = { phase: 'Running', startedAt: toTimestamp(now), metadata };
  turn.status = withResult(turn.status, {
    ...(result ?? {
      name: metric.name,
      phase: 'Running',
      ...(isDryRun(run.spec, metric.name) ? { dryRun: true } : {}),
    }),
    measurements: [...(result?.measurements ?? []), measurement],
  });
};

const settle = (turn: Turn, metric: AnalysisMetric, isEnding: boolean): void => {
  const result = resultOf(turn.status, metric.name);
  if (result === undefined || isOver(result.phase as Phase)) {
    if (result === undefined && isEnding)
      turn.status = withResult(turn.status, { name: metric.name, phase: 'Successful' });
    return;
  }
  const verdict =
    judgeMetric(metric, result) ?? (isEnding ? { phase: 'Successful', message: '' } : undefined);
  if (verdict === undefined) return;
  const { phase, message } = verdict;
  turn.status = withResult(turn.status, { ...result, phase, ...(message === '' ? {} : { message }) });
};

const hasBadMetric = ({ metricResults }: AnalysisRunStatus): boolean =>
  (metricResults ?? []).some(({ phase, dryRun }) => dryRun !== true && isBad(phase));

const finish = (run: AnalysisRun, status: AnalysisRunStatus, now: Instant): AnalysisRunStatus => {
  const counted = (status.metricResults ?? []).filter(({ dryRun }) => dryRun !== true);
  const phase = worstOf(counted.map((result) => result.phase as Phase));
  const worst = counted.find((result) => result.phase === phase && isBad(phase));
  const message =
    worst !== undefined
      ? `Metric "${worst.name ?? ''}" assessed ${phase} due to ${worst.message ?? ''}`
      : run.spec.terminate === true
        ? 'Run Terminated'
        : '';
  return {
    ...withSummaries(status),
    phase,
    ...(message === '' ? {} : { message }),
    completedAt: toTimestamp(now),
  };
};

const statusAction = (run: AnalysisRun, status: AnalysisRunStatus): readonly MeasuringAction[] =>
  equal(run.status ?? {}, status)
    ? []
    : [{ type: 'updateStatus', kind: analysisruns, object: { ...run, status } as AnalysisRun }];

/** A run that is over goes when its time to live is. */
const afterwards = (run: AnalysisRun, now: Instant): Decision<MeasuringAction> => {
  const { ttlStrategy } = run.spec;
  const { phase = '', completedAt, message = '' } = run.status ?? {};
  const seconds =
    (phase === 'Successful' ? ttlStrategy?.secondsAfterSuccess : ttlStrategy?.secondsAfterFailure) ??
    ttlStrategy?.secondsAfterCompletion;
  const because = message === '' ? `is over: ${phase}` : `is over: ${phase}: ${message}`;
  const end = fromTimestamp(completedAt);
  if (seconds === undefined || end === undefined) return { actions: [], because };
  const goesAt = end + seconds * 1000;
  if (goesAt > now) return { actions: [], because, wakeAt: goesAt };
  const { uid } = run.metadata;
  return {
    actions: [{ type: 'delete', kind: analysisruns, name: nameOf(run), options: { preconditions: { uid } } }],
    because: 'its time to live is over',
  };
};

const metricTurn = (
  turn: Turn,
  metric: AnalysisMetric,
  observed: AnalysisObserved,
  at: { readonly begun: Instant; readonly now: Instant },
): void => {
  const result = resultOf(turn.status, metric.name);
  if (isOver((result?.phase ?? 'Pending') as Phase)) return;
  if (metric.provider.job !== undefined && result?.measurements?.at(-1)?.phase === 'Running') {
    jobTurn(turn, metric, observed, at.now);
    return;
  }
  const due = isDue(metric, result, at);
  if (!due.due) {
    turn.wakeAt = earliest(turn.wakeAt, due.wakeAt);
    return;
  }
  if (metric.provider.job !== undefined) jobTurn(turn, metric, observed, at.now);
  else turn.measurements.push(measurementOf(metric, observed, at.now));
};

const running = (
  observed: AnalysisObserved,
  metrics: readonly AnalysisMetric[],
  now: Instant,
): Decision<MeasuringAction> => {
  const { run } = observed;
  const begun = fromTimestamp(run.status?.startedAt) ?? now;
  const status: AnalysisRunStatus = { ...run.status, phase: 'Running', startedAt: toTimestamp(begun) };
  const turn: Turn = { status, actions: [], measurements: [], wakeAt: undefined };
  for (const metric of metrics) settle(turn, metric, false);
  const isEnding = run.spec.terminate === true || hasBadMetric(turn.status);
  if (!isEnding) for (const metric of metrics) metricTurn(turn, metric, observed, { begun, now });
  for (const metric of metrics) settle(turn, metric, isEnding || hasBadMetric(turn.status));
  const left = metrics.filter(
    ({ name }) => !isOver((resultOf(turn.status, name)?.phase ?? 'Pending') as Phase),
  );
  if (left.length === 0) {
    const next = finish(run, turn.status, now);
    return {
      actions: statusAction(run, next),
      because: `is ${next.phase ?? ''}${next.message === undefined ? '' : `: ${next.message}`}`,
    };
  }
  // What is measured shows in the status together with the outcome.
  const { measurements } = turn;
  const told = statusAction(run, turn.status);
  const measuring: readonly MeasuringAction[] =
    measurements.length === 0
      ? []
      : [{ type: 'measure', run: { ...run, status: turn.status }, measurements }];
  return {
    actions: [...turn.actions, ...(measuring.length > 0 ? measuring : told)],
    because:
      measurements.length === 0
        ? `waits for ${left.map(({ name }) => name).join(', ')}`
        : `measures ${measurements.map(({ metric }) => metric.name).join(', ')}`,
    wakeAt: turn.wakeAt,
  };
};

export const reconcileAnalysisRun = (observed: AnalysisObserved, now: Instant): Decision<MeasuringAction> => {
  const { run, metrics } = observed;
  if (isDeleting(run)) return { actions: [], because: 'it is being deleted' };
  if (isOver((run.status?.phase ?? 'Pending') as Phase)) return afterwards(run, now);
  if (typeof metrics !== 'string') return running(observed, metrics, now);
  const status: AnalysisRunStatus = {
    ...run.status,
    phase: 'Error',
    message: metrics,
    startedAt: run.status?.startedAt ?? toTimestamp(now),
    completedAt: toTimestamp(now),
  };
  return { actions: statusAction(run, status), because: metrics };
};

export const analysisRunController: Controller<AnalysisObserved, MeasuringAction> = {
  name: 'analysisrun',
  watches: [
    { kind: analysisruns, keys: ({ object }) => [nameOf(object)] },
    { kind: jobs, keys: (change) => ownerKeys(analysisruns, change) },
  ],
  observe,
  reconcile: reconcileAnalysisRun,
};
