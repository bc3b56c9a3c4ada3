import { describe, expect, it } from 'vitest';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliValue,
  parseQuantity,
  quantity,
  subtractQuantities,
  wholeValue,
} from '../../../src/resources/quantity.js';

describe('quantities', () => {
  it.each([
    ['0.5', '500m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['1024Mi', '1Gi'],
    ['1536Mi', '1536Mi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['100Mi', '100Mi'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['1000000', '1M'],
    ['1e3', '1e3'],
    ['12e6', '12e6'],
    ['1E', '1E'],
    ['1E3', '1e3'],
    ['1.1Ki', '1126400m'],
    ['0.1n', '1n'],
    ['+5', '5'],
    ['-250m', '-250m'],
    ['00010', '10'],
    ['.5', '500m'],
    ['5.', '5'],
    ['0', '0'],
    ['0Mi', '0'],
    ['99999999999999999999', '9223372036854775807'],
  ])('%s is written %s', (written, canonical) => {
    expect(canonicalQuantity(written)).toBe(canonical);
    expect(canonicalQuantity(canonical)).toBe(canonical);
  });

  it.each(['', '.', 'm', '1.2.3', '1mi', '1 Gi', '1KI', '1e', 'e3', '0x10', '--1', 'NaN', '1'.repeat(90)])(
    '%j is not a quantity',
    (text) => {
      expect(parseQuantity(text)).toBeUndefined();
    },
  );

  it('takes numbers as JSON writes them', () => {
    expect(canonicalQuantity(0.25)).toBe('250m');
    expect(canonicalQuantity(2)).toBe('2');
    expect(formatQuantity(quantity(1e21))).toBe('9223372036854775807');
  });

  it('says what a quantity must look like', () => {
    expect(() => quantity('lots')).toThrow(/"lots" is not a quantity: quantities must match/);
  });

  it('adds, subtracts and compares exactly across notations', () => {
    expect(formatQuantity(addQuantities(quantity('100m'), quantity('0.9')))).toBe('1');
    expect(formatQuantity(addQuantities(quantity('1Gi'), quantity('512Mi')))).toBe('1536Mi');
    expect(formatQuantity(addQuantities(quantity('0'), quantity('1Gi')))).toBe('1Gi');
    expect(formatQuantity(subtractQuantities(quantity('1'), quantity('1m')))).toBe('999m');
    expect(compareQuantities(quantity('1Gi'), quantity('1024Mi'))).toBe(0);
    expect(compareQuantities(quantity('1G'), quantity('1Gi'))).toBe(-1);
    expect(compareQuantities(quantity('2'), quantity('1999m'))).toBe(1);
  });

  it('rounds values up, so that nothing is promised that was not asked for', () => {
    expect(milliValue('0.0001')).toBe(1);
    expect(milliValue('1.5')).toBe(1500);
    expect(wholeValue('1500m')).toBe(2);
    expect(wholeValue('64Mi')).toBe(67108864);
    expect(wholeValue('-1500m')).toBe(-1);
    expect(milliValue(undefined)).toBe(0);
  });

  it('does not spend time on enormous exponents', () => {
    expect(formatQuantity(quantity('1e999999999'))).toBe('9223372036854775807');
    expect(canonicalQuantity('1e-999999999')).toBe('1e-9');
  });
});
