import { describe, expect, it } from 'vitest';
import { cronError, timeZoneError, windowState } from '../../../src/gitops/window.js';

const office = { allow: '0 8-18 * * 1-5', durationMs: 3_600_000, timeZone: 'Europe/Berlin' };
const at = (text: string): number => Date.parse(text);

describe('sync windows', () => {
  it('are always open where there are none', () => {
    expect(windowState([], 0)).toEqual({ open: true });
  });

  it.each([
    ['2026-01-05T06:59:59Z', false],
    ['2026-01-05T07:00:00Z', true],
    ['2026-01-05T18:59:59Z', false],
    ['2026-01-05T17:59:59Z', true],
    ['2026-01-10T10:00:00Z', false],
    // Summer time: 8 o'clock in Berlin is 6 o'clock UTC.
    ['2026-07-06T05:59:59Z', false],
    ['2026-07-06T06:00:00Z', true],
  ])('at %s: open is %s', (time, open) => {
    expect(windowState([office], at(time)).open).toBe(open);
  });

  it('say when the next one opens, across the change of the clocks', () => {
    expect(windowState([office], at('2026-03-28T12:00:00Z'))).toEqual({
      open: false,
      opensAt: at('2026-03-30T06:00:00Z'),
    });
  });

  it('open when any of several is open', () => {
    const night = { allow: '0 2 * * *', durationMs: 7_200_000, timeZone: 'UTC' };
    expect(windowState([office, night], at('2026-01-10T03:59:59Z')).open).toBe(true);
    expect(windowState([office, night], at('2026-01-10T04:00:00Z'))).toEqual({
      open: false,
      opensAt: at('2026-01-11T02:00:00Z'),
    });
  });

  it.each(['', '@every 1h', '* * *', '* * * * * *', '61 * * * *', 'x * * * *'])('refuse %j', (text) => {
    expect(cronError(text)).toMatch(/cron expression/);
  });

  it('refuse a time zone that does not exist', () => {
    expect(timeZoneError('Europe/Nowhere')).toMatch(/there is no time zone Europe\/Nowhere/);
    expect(timeZoneError('Europe/Berlin')).toBeUndefined();
  });
});
