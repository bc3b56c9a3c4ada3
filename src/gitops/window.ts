// Sync windows: when changes of an application may be carried out.
import { CronExpressionParser } from 'cron-parser';
import type { Instant } from '../base/clock.js';

export interface SyncWindow {
  /** Five cron fields: minute, hour, day of month, month, day of week. */
  readonly allow: string;
  readonly durationMs: number;
  readonly timeZone: string;
}

const fields = (expression: string): number => expression.trim().split(/\s+/).length;

/** What is wrong with a cron expression; undefined when nothing is. */
export const cronError = (expression: string): string | undefined => {
  if (expression.trim() === '' || fields(expression) !== 5)
    return `"${expression}" is not a cron expression of five fields, such as "0 8-18 * * 1-5"`;
  try {
    CronExpressionParser.parse(expression);
    return undefined;
  } catch (error) {
    return `"${expression}" is not a cron expression: ${error instanceof Error ? error.message : String(error)}`;
  }
};

export const timeZoneError = (timeZone: string): string | undefined => {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return undefined;
  } catch {
    return `there is no time zone ${timeZone}; use a name such as Europe/Berlin`;
  }
};

export interface WindowState {
  readonly open: boolean;
  /** When the next window opens; undefined while one is open. */
  readonly opensAt?: Instant | undefined;
}

/** Without windows it is always open. */
export const windowState = (windows: readonly SyncWindow[], now: Instant): WindowState => {
  if (windows.length === 0) return { open: true };
  let opensAt: Instant | undefined;
  for (const { allow, durationMs, timeZone } of windows) {
    const options = { currentDate: new Date(now + 1), tz: timeZone };
    const started = CronExpressionParser.parse(allow, options).prev().getTime();
    if (now < started + durationMs) return { open: true };
    const next = CronExpressionParser.parse(allow, options).next().getTime();
    if (opensAt === undefined || next < opensAt) opensAt = next;
  }
  return { open: false, opensAt };
};
