// Prometheus: an instant or range query of its HTTP API. A vector is a list of numbers, a scalar a number.
import { isObject } from '../../../base/json.js';
import type { AnalysisPrometheus } from '../../../resources/generated/types.js';
import { parseGoDuration } from '../../../resources/go-duration.js';
import { EvaluationError } from '../values.js';
import type { Measured, MetricAnswer, MetricRequest } from '../metric-source.js';
import { authenticationOf, headersOf } from './headers.js';

const defaultTimeoutSeconds = 30;

/** `now()`, `now() - duration("5m")`: seconds since the epoch. */
const instantOf = (text: string | undefined, nowMs: number): number => {
  const found = /^\s*now\(\)\s*(?:([-+])\s*duration\(\s*["']([^"']+)["']\s*\))?\s*$/.exec(text ?? 'now()');
  const shift = found?.[2] === undefined ? 0 : parseGoDuration(found[2]);
  if (found === null || shift === undefined)
    throw new EvaluationError(`${String(text)} is no time such as now() - duration("5m")`);
  return (nowMs + (found[1] === '-' ? -shift : shift)) / 1000;
};

export const prometheusRequest = (provider: AnalysisPrometheus, nowMs: number): MetricRequest => {
  const { address = '', query = '', rangeQuery, timeout = defaultTimeoutSeconds } = provider;
  const base = address.replace(/\/+$/, '');
  const form = new URLSearchParams({ query, timeout: `${String(timeout)}s` });
  if (rangeQuery === undefined) form.set('time', String(nowMs / 1000));
  else {
    form.set('start', String(instantOf(rangeQuery.start, nowMs)));
    form.set('end', String(instantOf(rangeQuery.end, nowMs)));
    form.set('step', rangeQuery.step ?? '1m');
  }
  return {
    method: 'POST',
    url: `${base}/api/v1/${rangeQuery === undefined ? 'query' : 'query_range'}`,
    headers: [['content-type', 'application/x-www-form-urlencoded'], ...headersOf(provider.headers)],
    body: form.toString(),
    timeoutMs: timeout * 1000,
    insecure: provider.insecure === true,
    oauth2: authenticationOf(provider.authentication),
  };
};

const sampleOf = (pair: unknown): number => {
  const value: unknown = Array.isArray(pair) ? pair[1] : undefined;
  if (typeof value !== 'string') throw new EvaluationError('the answer of Prometheus has no sample');
  if (value === '+Inf') return Infinity;
  return value === '-Inf' ? -Infinity : Number(value);
};

const numberText = (value: number): string => (Object.is(value, Infinity) ? '+Inf' : String(value));

/** Throws for an answer that is none of Prometheus'. */
export const prometheusValue = ({ status, body }: MetricAnswer): Measured => {
  const answer: unknown = JSON.parse(body);
  if (!isObject(answer) || answer['status'] !== 'success' || !isObject(answer['data'])) {
    const error = isObject(answer) ? answer['error'] : undefined;
    throw new EvaluationError(
      `Prometheus answered ${String(status)}: ${typeof error === 'string' ? error : body.slice(0, 200)}`,
    );
  }
  const { resultType, result } = answer['data'];
  if (resultType === 'scalar') {
    const value = sampleOf(result);
    return { value, text: numberText(value) };
  }
  if (!Array.isArray(result)) throw new EvaluationError('the answer of Prometheus has no result');
  const samples = (result as readonly unknown[]).flatMap((series): readonly number[] => {
    if (!isObject(series)) return [];
    return resultType === 'matrix' && Array.isArray(series['values'])
      ? series['values'].map(sampleOf)
      : [sampleOf(series['value'])];
  });
  return { value: samples, text: `[${samples.map(numberText).join(',')}]` };
};
