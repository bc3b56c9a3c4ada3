import { describe, expect, it } from 'vitest';
import type { AnalysisMetric, AnalysisMetricResult } from '../../../src/resources/generated/types.js';
import { judgeMetric, judgeValue, worstOf } from '../../../src/rollouts/analysis/judge.js';
import { prometheusValue } from '../../../src/rollouts/analysis/providers/prometheus.js';
import { webValue } from '../../../src/rollouts/analysis/providers/web.js';

const metric = (fields: object = {}): AnalysisMetric => ({ name: 'm', provider: {}, ...fields });

describe('a measurement', () => {
  it.each<[string, object, unknown, string]>([
    ['without conditions is a success', {}, [], 'Successful'],
    ['that meets the success condition', { successCondition: 'result > 1' }, 2, 'Successful'],
    ['that does not meet it', { successCondition: 'result > 1' }, 1, 'Failed'],
    ['that does not meet the failure condition', { failureCondition: 'result > 1' }, 1, 'Successful'],
    [
      'that meets both fails',
      { successCondition: 'result > 1', failureCondition: 'result > 5' },
      6,
      'Failed',
    ],
    [
      'that meets neither has no verdict',
      { successCondition: 'result > 5', failureCondition: 'result < 2' },
      3,
      'Inconclusive',
    ],
    ['that cannot be judged is an error', { successCondition: 'result[0] > 5' }, [], 'Error'],
    ['whose condition is neither true nor false is an error', { successCondition: 'result' }, 5, 'Error'],
  ])('%s', (_, conditions, value, phase) => {
    expect(judgeValue(metric(conditions), value).phase).toBe(phase);
  });
});

describe('a metric', () => {
  it.each<[string, object, AnalysisMetricResult, string | undefined]>([
    ['with one failure fails', {}, { failed: 1, count: 1 }, 'Failed: failed (1) > failureLimit (0)'],
    [
      'bears failures up to its limit',
      { failureLimit: 2, interval: '1s' },
      { failed: 2, count: 5 },
      undefined,
    ],
    [
      'bears all failures without a limit',
      { failureLimit: -1, count: 3, interval: '1s' },
      { failed: 3, count: 3 },
      'Successful: ',
    ],
    [
      'without verdicts is inconclusive, whatever failed',
      {},
      { failed: 1, inconclusive: 1, count: 2 },
      'Inconclusive: inconclusive (1) > inconclusiveLimit (0)',
    ],
    [
      'with errors in a row is in error, whatever else',
      {},
      { failed: 1, consecutiveError: 5, measurements: [{ message: 'down' }] },
      'Error: consecutiveErrors (5) > consecutiveErrorLimit (4): "Error Message: down"',
    ],
    ['bears four errors in a row', {}, { consecutiveError: 4 }, undefined],
    ['is done when it was measured once', {}, { successful: 1, count: 1 }, 'Successful: '],
    [
      'goes on without end with an interval alone',
      { interval: '1s' },
      { successful: 900, count: 900 },
      undefined,
    ],
    [
      'is done after enough successes in a row',
      { interval: '1s', consecutiveSuccessLimit: 3 },
      { consecutiveSuccess: 3, count: 9 },
      'Successful: consecutiveSuccess (3) >= consecutiveSuccessLimit (3)',
    ],
    [
      'that had to succeed in a row and did not is inconclusive',
      { interval: '1s', count: '4', consecutiveSuccessLimit: 3 },
      { consecutiveSuccess: 2, count: 4 },
      'Inconclusive: consecutiveSuccess (2) < consecutiveSuccessLimit (3)',
    ],
    [
      'and fails where failures do not count by themselves',
      { interval: '1s', count: 4, consecutiveSuccessLimit: 3, failureLimit: -1 },
      { consecutiveSuccess: 2, count: 4 },
      'Failed: consecutiveSuccess (2) < consecutiveSuccessLimit (3)',
    ],
  ])('%s', (_, fields, result, expected) => {
    const verdict = judgeMetric(metric(fields), result);
    expect(verdict === undefined ? undefined : `${verdict.phase}: ${verdict.message}`).toBe(expected);
  });

  it('gives a run the worst of all verdicts', () => {
    expect(worstOf(['Successful', 'Inconclusive'])).toBe('Inconclusive');
    expect(worstOf(['Failed', 'Error', 'Inconclusive'])).toBe('Failed');
    expect(worstOf([])).toBe('Successful');
  });
});

describe('an answer', () => {
  const vector = (...values: readonly string[]): string =>
    JSON.stringify({
      status: 'success',
      data: { resultType: 'vector', result: values.map((one) => ({ metric: {}, value: [1, one] })) },
    });

  it('of Prometheus is a list of numbers', () => {
    expect(prometheusValue({ status: 200, body: vector('0.5', '+Inf') })).toEqual({
      value: [0.5, Infinity],
      text: '[0.5,+Inf]',
    });
    expect(prometheusValue({ status: 200, body: vector() }).value).toEqual([]);
    expect(
      prometheusValue({
        status: 200,
        body: '{"status":"success","data":{"resultType":"scalar","result":[1,"3"]}}',
      }).value,
    ).toBe(3);
  });

  it.each([
    ['{"status":"error","error":"bad query"}', 'Prometheus answered 400: bad query'],
    ['<html>', 'Unexpected token'],
    ['{"status":"success","data":{"resultType":"vector","result":[{"value":7}]}}', 'has no sample'],
  ])('of Prometheus that is nonsense is an error: %s', (body, message) => {
    expect(() => prometheusValue({ status: 400, body })).toThrow(message);
  });

  it('of the web is read by its path', () => {
    const body = '{"data":{"ok":true,"rates":[{"v":1},{"v":2}]}}';
    expect(webValue({ jsonPath: '{$.data.ok}' }, { status: 200, body })).toEqual({
      value: true,
      text: 'true',
    });
    expect(webValue({ jsonPath: '{$.data.rates[*].v}' }, { status: 200, body }).value).toEqual([1, 2]);
    expect(webValue({}, { status: 200, body: 'fine' }).value).toBe('fine');
    expect(() => webValue({ jsonPath: '{$.nothing}' }, { status: 200, body })).toThrow('could not find');
    expect(() => webValue({}, { status: 503, body })).toThrow('received non 2xx response code: 503');
  });
});
