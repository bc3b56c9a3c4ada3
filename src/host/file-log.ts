// Structured logs, one JSON object a line, through pino.
import { pino } from 'pino';
import type { Logger } from '../base/log.js';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** Writes to `file` (appended, synchronously, so that the last line before a crash is there), or to standard output. */
export const openLog = (options: { readonly file?: string; readonly level: Level }): Logger => {
  const destination = pino.destination({ dest: options.file ?? 1, sync: true, mkdir: true });
  return pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
};
