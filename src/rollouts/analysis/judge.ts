// Verdicts: of one measurement, of a metric, of a run. Follows argo-rollouts `utils/evaluate` and `analysis/analysis.go`.
import { messageOf } from '../../base/errors.js';
import { parseExpression } from '../../resources/expression/parse.js';
import type { AnalysisMetric, AnalysisMetricResult } from '../../resources/generated/types.js';
import type { Phase } from '../strategies/strategy.js';
import { isTrue } from './evaluate.js';

export interface Verdict {
  readonly phase: Phase;
  readonly message: string;
}

/** What was measured, by the metric's conditions. */
export const judgeValue = (metric: AnalysisMetric, value: unknown): Verdict => {
  const holds = (condition: string): boolean => isTrue(parseExpression(condition), { result: value });
  const { successCondition = '', failureCondition = '' } = metric;
  try {
    if (successCondition === '' && failureCondition === '') return { phase: 'Successful', message: '' };
    if (failureCondition !== '' && holds(failureCondition)) return { phase: 'Failed', message: '' };
    if (successCondition === '') return { phase: 'Successful', message: '' };
    if (holds(successCondition)) return { phase: 'Successful', message: '' };
    return { phase: failureCondition === '' ? 'Failed' : 'Inconclusive', message: '' };
  } catch (error) {
    return { phase: 'Error', message: messageOf(error) };
  }
};

/** A limit that may be written as a text. */
export const limitOf = (value: number | string | undefined, otherwise: number): number => {
  const number = value === undefined || value === '' ? otherwise : Number(value);
  return Number.isFinite(number) ? number : otherwise;
};

/** How many measurements there are to be: one without an interval, without end with an interval alone. */
export const countOf = ({ count, interval }: AnalysisMetric): number =>
  limitOf(count, 0) > 0 ? limitOf(count, 0) : interval === undefined ? 1 : Infinity;

const over = (what: string, count: number, name: string, limit: number): string =>
  `${what} (${String(count)}) > ${name} (${String(limit)})`;

/** Undefined while there is none yet. The later rules win over the earlier ones. */
export const judgeMetric = (metric: AnalysisMetric, result: AnalysisMetricResult): Verdict | undefined => {
  const failureLimit = limitOf(metric.failureLimit, 0);
  const inconclusiveLimit = limitOf(metric.inconclusiveLimit, 0);
  const errorLimit = limitOf(metric.consecutiveErrorLimit, 4);
  const successLimit = limitOf(metric.consecutiveSuccessLimit, 0);
  const { failed = 0, inconclusive = 0, consecutiveError = 0, consecutiveSuccess = 0, count = 0 } = result;
  let verdict: Verdict | undefined;
  if (failureLimit >= 0 && failed > failureLimit)
    verdict = { phase: 'Failed', message: over('failed', failed, 'failureLimit', failureLimit) };
  if (inconclusive > inconclusiveLimit)
    verdict = {
      phase: 'Inconclusive',
      message: over('inconclusive', inconclusive, 'inconclusiveLimit', inconclusiveLimit),
    };
  if (consecutiveError > errorLimit) {
    const last = result.measurements?.at(-1)?.message ?? '';
    const text = over('consecutiveErrors', consecutiveError, 'consecutiveErrorLimit', errorLimit);
    verdict = { phase: 'Error', message: last === '' ? text : `${text}: "Error Message: ${last}"` };
  }
  if (verdict !== undefined) return verdict;
  if (successLimit > 0 && consecutiveSuccess >= successLimit)
    return {
      phase: 'Successful',
      message: `consecutiveSuccess (${String(consecutiveSuccess)}) >= consecutiveSuccessLimit (${String(successLimit)})`,
    };
  if (count < countOf(metric)) return undefined;
  if (successLimit === 0) return { phase: 'Successful', message: '' };
  return {
    phase: failureLimit >= 0 ? 'Inconclusive' : 'Failed',
    message: `consecutiveSuccess (${String(consecutiveSuccess)}) < consecutiveSuccessLimit (${String(successLimit)})`,
  };
};

const worstLast: readonly Phase[] = ['Successful', 'Inconclusive', 'Error', 'Failed'];

/** The worst of them. */
export const worstOf = (phases: readonly Phase[]): Phase =>
  phases.reduce<Phase>(
    (worst, phase) => (worstLast.indexOf(phase) > worstLast.indexOf(worst) ? phase : worst),
    'Successful',
  );

/** A bad verdict ends the rest of the run. */
export const isBad = (phase: string | undefined): boolean =>
  phase === 'Failed' || phase === 'Error' || phase === 'Inconclusive';
