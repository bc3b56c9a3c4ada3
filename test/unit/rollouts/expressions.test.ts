import { describe, expect, it } from 'vitest';
import { parseExpression } from '../../../src/resources/expression/parse.js';
import { evaluate } from '../../../src/rollouts/analysis/evaluate.js';

const value = (text: string, result: unknown): unknown => evaluate(parseExpression(text), { result });

describe('an expression', () => {
  it.each<[string, unknown, unknown]>([
    ['result[0] >= 0.95', [0.97], true],
    ['result[0] >= 0.95 && result[0] < 1', [1], false],
    ['all(result, # < 5)', [1, 2, 6], false],
    ['all(result, {# < 5})', [1, 2, 3], true],
    ['any(result, # > 5)', [1, 2, 6], true],
    ['len(result) == 0 || result[0] < 1', [], true],
    ['len(filter(result, .ok)) == 2', [{ ok: true }, { ok: false }, { ok: true }], true],
    ['result.data.ok and result.data.count in 1..3', { data: { ok: true, count: 2 } }, true],
    ['result.state in ["up", "warm"]', { state: 'up' }, true],
    ['result.state not in ["down"]', { state: 'up' }, true],
    ['result matches "^v\\\\d+$"', 'v12', true],
    ['result contains "ok" ? "yes" : "no"', 'it is ok', 'yes'],
    ['default(result, 0) < 1', [], true],
    ['result?.a?.b ?? 7', {}, 7],
    ['-result[-1] + 2 * 3 ** 2', [4], 14],
    ['1 + 2 * 3 == 7', 0, true],
    ['2 ** 3 ** 2', 0, 512],
    ['!isNaN(result[0]) && result[0] < 0.1', [NaN], false],
    ['asFloat(result.rate) < 0.5', { rate: '0.25' }, true],
    ['sum(result) / len(result)', [1, 2, 3], 2],
    ['result | map(# * 2) | max()', [1, 5, 2], 10],
    ['result[1:3]', [1, 2, 3, 4], [2, 3]],
    ['{"a": 1}.a == 1', 0, true],
  ])('%s', (text, result, expected) => {
    expect(value(text, result)).toEqual(expected);
  });

  it.each<[string, unknown, string]>([
    ['result[0] > 1', [], 'index out of range: 0 (there are 0)'],
    ['result.rate < 1', { rate: 'much' }, '"much" is no number'],
    ['result.a.b', { a: null }, 'cannot read "b" of nil'],
    ['other > 1', 0, 'unknown name other'],
    ['result && true', 1, '1 is neither true nor false'],
  ])('%s is an error and no verdict for what does not fit', (text, result, message) => {
    expect(() => value(text, result)).toThrow(message);
  });

  it.each([
    ['result[0', 'the expression ends too early at position 9'],
    ['result @ 1', '"@" is not expected at position 8'],
    ['"abc', 'the text does not end at position 1'],
    [`${'('.repeat(500)}1`, 'the expression is nested too deeply at position 101'],
    ['result > 1 result', '"result" is not expected at position 12'],
  ])('%s is refused with its place', (text, message) => {
    expect(() => parseExpression(text)).toThrow(message);
  });
});
