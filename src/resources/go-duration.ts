// Durations as Go writes them: `90s`, `1h30m`, `1.5h`, `500ms`.

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const whole = /^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/;
const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g;

/** Milliseconds; undefined for what is no duration. */
export const parseGoDuration = (text: string): number | undefined => {
  if (text === '0') return 0;
  if (!whole.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit = ''] of text.matchAll(part)) sum += Number(count) * (units[unit] ?? 0);
  return text.startsWith('-') ? -sum : sum;
};

/** A count of seconds, in digits or as a number, or a duration; milliseconds. */
export const parseSeconds = (value: number | string): number | undefined => {
  if (typeof value === 'number') return value * 1000;
  return /^-?\d+$/.test(value) ? Number(value) * 1000 : parseGoDuration(value);
};
