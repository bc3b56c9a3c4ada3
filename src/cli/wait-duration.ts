// `--wait 90s`: how long a command waits for things to become as they should.
import { UsageError } from './command.js';

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds; a bare number counts seconds. */
export const waitDuration = (text: string): number => {
  const match = /^(\d+)(s|m|h)?$/.exec(text);
  if (match === null) throw new UsageError(`--wait: ${text} is not a duration such as 90s or 2m`);
  return Number(match[1]) * (units[match[2] ?? 's'] ?? 1_000);
};
