// Results of a run as they grow: a measurement is added, counts follow, old measurements go.
import { toTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import type {
  AnalysisMeasurement,
  AnalysisMetricResult,
  AnalysisRunSpec,
  AnalysisRunStatus,
  AnalysisSummary,
} from '../../resources/generated/types.js';
import type { Verdict } from './judge.js';

const keptByDefault = 10;

/** A name, or an expression that the whole name fits. */
const fitsName = (pattern: string | undefined, name: string): boolean => {
  if (pattern === undefined) return false;
  if (pattern === name) return true;
  try {
    return new RegExp(`^(?:${pattern})$`).test(name);
  } catch {
    return false; // no expression: only the name itself
  }
};

export const isDryRun = ({ dryRun }: AnalysisRunSpec, name: string): boolean =>
  (dryRun ?? []).some(({ metricName }) => fitsName(metricName, name));

const keptOf = ({ measurementRetention }: AnalysisRunSpec, name: string): number =>
  (measurementRetention ?? []).find(({ metricName }) => fitsName(metricName, name))?.limit ?? keptByDefault;

export const resultOf = (status: AnalysisRunStatus, name: string): AnalysisMetricResult | undefined =>
  status.metricResults?.find((result) => result.name === name);

export interface Outcome extends Verdict {
  readonly metric: string;
  readonly value: string;
  readonly startedAt: Instant;
  readonly finishedAt: Instant;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

const counted = (result: AnalysisMetricResult, phase: string): AnalysisMetricResult => {
  const {
    count = 0,
    successful = 0,
    failed = 0,
    inconclusive = 0,
    error = 0,
    consecutiveError = 0,
    consecutiveSuccess = 0,
  } = result;
  switch (phase) {
    case 'Successful':
      return {
        ...result,
        count: count + 1,
        successful: successful + 1,
        consecutiveError: 0,
        consecutiveSuccess: consecutiveSuccess + 1,
      };
    case 'Failed':
      return { ...result, count: count + 1, failed: failed + 1, consecutiveError: 0, consecutiveSuccess: 0 };
    case 'Inconclusive':
      return {
        ...result,
        count: count + 1,
        inconclusive: inconclusive + 1,
        consecutiveError: 0,
        consecutiveSuccess: 0,
      };
    default:
      return { ...result, error: error + 1, consecutiveError: consecutiveError + 1, consecutiveSuccess: 0 };
  }
};

export const withResult = (status: AnalysisRunStatus, result: AnalysisMetricResult): AnalysisRunStatus => {
  const results = status.metricResults ?? [];
  const index = results.findIndex(({ name }) => name === result.name);
  return { ...status, metricResults: index === -1 ? [...results, result] : results.with(index, result) };
};

/** The status with one more measurement; one that was under way is finished by it. */
export const withOutcome = (
  spec: AnalysisRunSpec,
  status: AnalysisRunStatus,
  outcome: Outcome,
): AnalysisRunStatus => {
  const { metric: name, phase, message, value, metadata } = outcome;
  const before = resultOf(status, name) ?? {
    name,
    phase: 'Running',
    ...(isDryRun(spec, name) ? { dryRun: true } : {}),
  };
  const measurements = before.measurements ?? [];
  const running = measurements.at(-1)?.phase === 'Running' ? measurements.at(-1) : undefined;
  const measurement: AnalysisMeasurement = {
    phase,
    ...(message === '' ? {} : { message }),
    startedAt: running?.startedAt ?? toTimestamp(outcome.startedAt),
    finishedAt: toTimestamp(outcome.finishedAt),
    ...(value === '' ? {} : { value }),
    ...(running?.metadata === undefined && metadata === undefined
      ? {}
      : { metadata: { ...running?.metadata, ...metadata } }),
  };
  const all = [...(running === undefined ? measurements : measurements.slice(0, -1)), measurement];
  return withResult(status, { ...counted(before, phase), measurements: all.slice(-keptOf(spec, name)) });
};

const summaryOf = (results: readonly AnalysisMetricResult[]): AnalysisSummary => {
  const of = (phase: string): number => results.filter((result) => result.phase === phase).length;
  return {
    count: results.length,
    successful: of('Successful'),
    failed: of('Failed'),
    inconclusive: of('Inconclusive'),
    error: of('Error'),
  };
};

export const withSummaries = (status: AnalysisRunStatus): AnalysisRunStatus => {
  const results = status.metricResults ?? [];
  const dry = results.filter(({ dryRun }) => dryRun === true);
  return {
    ...status,
    runSummary: summaryOf(results.filter(({ dryRun }) => dryRun !== true)),
    ...(dry.length === 0 ? {} : { dryRunSummary: summaryOf(dry) }),
  };
};
