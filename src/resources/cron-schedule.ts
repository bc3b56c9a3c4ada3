// Cron schedules as Kubernetes takes them: five fields or a macro, in a time zone, with daylight saving.
import { CronExpressionParser } from 'cron-parser';
import { messageOf } from '../base/errors.js';
import type { Instant } from '../base/clock.js';

const macros: ReadonlySet<string> = new Set([
  '@yearly',
  '@annually',
  '@monthly',
  '@weekly',
  '@daily',
  '@midnight',
  '@hourly',
]);

/** Kubernetes knows no seconds, no `L`, `W`, `#` or `H`: the parser would take them. */
const field = /^(?:[\d*?/,-]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT)+$/i;

export interface CronSchedule {
  readonly schedule: string;
  /** An IANA name; UTC when absent. */
  readonly timeZone?: string | undefined;
}

const expressionAt = ({ schedule, timeZone }: CronSchedule, at: Instant) =>
  CronExpressionParser.parse(schedule.trim(), { currentDate: new Date(at), tz: timeZone ?? 'UTC' });

/** What is wrong with a schedule; undefined when it can be followed. */
export const scheduleProblem = (schedule: string): string | undefined => {
  const text = schedule.trim();
  if (text === '') return 'a schedule is required';
  if (/TZ=/.test(text)) return 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
  if (text.startsWith('@')) {
    if (macros.has(text)) return undefined;
    return `unrecognized descriptor: ${text}; write five fields, such as "*/5 * * * *", or one of ${[...macros].join(', ')}`;
  }
  const fields = text.split(/\s+/);
  if (fields.length !== 5)
    return `expected exactly 5 fields, found ${String(fields.length)}: ${JSON.stringify(fields)}`;
  const wrong = fields.find((one) => !field.test(one));
  if (wrong !== undefined) return `failed to parse ${JSON.stringify(wrong)}`;
  try {
    expressionAt({ schedule: text }, 0);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
};

export const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    // RangeError is how the platform says no.
    return false;
  }
};

/** The first time after `after`. */
export const nextTime = (schedule: CronSchedule, after: Instant): Instant =>
  expressionAt(schedule, after).next().getTime();

export interface MissedTimes {
  /** The last time that is not after `until`. */
  readonly latest: Instant;
  /** Times in the span, counted up to `bound`. */
  readonly count: number;
}

/** The times in (`after`, `until`]; undefined when there is none. */
export const missedTimes = (
  schedule: CronSchedule,
  { after, until, bound }: { readonly after: Instant; readonly until: Instant; readonly bound: number },
): MissedTimes | undefined => {
  // The parser looks strictly before its date, in whole seconds.
  const expression = expressionAt(schedule, Math.floor(until / 1000) * 1000 + 1000);
  const latest = expression.prev().getTime();
  if (latest <= after) return undefined;
  let count = 1;
  while (count < bound && expression.prev().getTime() > after) count += 1;
  return { latest, count };
};
