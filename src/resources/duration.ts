// Durations as kubectl shows them (apimachinery `duration.HumanDuration`).
import type { Instant } from '../base/clock.js';
import { fromTimestamp } from '../base/clock.js';

const [minute, hour, day, year] = [60, 3600, 86_400, 365 * 86_400] as const;

const pair = (seconds: number, big: readonly [number, string], small: readonly [number, string]): string => {
  const rest = Math.floor((seconds % big[0]) / small[0]);
  const whole = `${Math.floor(seconds / big[0])}${big[1]}`;
  return rest === 0 ? whole : `${whole}${rest}${small[1]}`;
};

/** Milliseconds -> `45s`, `3m20s`, `5h`, `12d`, `2y30d`. Clocks may differ by a second; earlier than that is `<invalid>`. */
export const humanDuration = (ms: number): string => {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 2 * minute) return `${seconds}s`;
  if (seconds < 10 * minute) return pair(seconds, [minute, 'm'], [1, 's']);
  if (seconds < 3 * hour) return `${Math.floor(seconds / minute)}m`;
  if (seconds < 8 * hour) return pair(seconds, [hour, 'h'], [minute, 'm']);
  if (seconds < 2 * day) return `${Math.floor(seconds / hour)}h`;
  if (seconds < 8 * day) return pair(seconds, [day, 'd'], [hour, 'h']);
  if (seconds < 2 * year) return `${Math.floor(seconds / day)}d`;
  if (seconds < 8 * year) return pair(seconds, [year, 'y'], [day, 'd']);
  return `${Math.floor(seconds / year)}y`;
};

/** Time since a timestamp; `<unknown>` when there is none. */
export const ageOf = (timestamp: string | undefined, now: Instant): string => {
  const at = fromTimestamp(timestamp);
  return at === undefined ? '<unknown>' : humanDuration(now - at);
};
