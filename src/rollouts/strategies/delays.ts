// Versions that no traffic reaches any more and that stay for a while, so that going back to them is quick.
import type { Instant } from '../../base/clock.js';
import type { Version } from '../versions.js';
import { earliest } from './strategy.js';

const defaultSeconds = 30;

export interface Delay {
  /** Seconds; 30 by default. */
  readonly seconds: number | undefined;
  /** Versions that may wait at one time, the newest of them. */
  readonly limit: number | undefined;
}

export interface Departure {
  readonly sizes: ReadonlyMap<string, number>;
  readonly deadlines: ReadonlyMap<string, Instant | undefined>;
  readonly wakeAt: Instant | undefined;
}

/** `leaving` was the stable version until now: its time begins. Those without a time go at once. */
export const departures = (
  others: readonly Version[],
  leaving: string | undefined,
  { delay, now }: { readonly delay: Delay; readonly now: Instant },
): Departure => {
  const sizes = new Map<string, number>();
  const deadlines = new Map<string, Instant | undefined>();
  const waits: Instant[] = [];
  const newestFirst = [...others].sort((a, b) => b.revision - a.revision || b.createdAt - a.createdAt);
  let waiting = 0;
  for (const version of newestFirst) {
    const goesAt =
      version.goesAt ??
      (version.hash === leaving ? now + (delay.seconds ?? defaultSeconds) * 1000 : undefined);
    if (version.wanted === 0) {
      if (version.goesAt !== undefined) deadlines.set(version.name, undefined);
      continue;
    }
    if (goesAt === undefined || goesAt <= now || waiting >= (delay.limit ?? Infinity)) {
      sizes.set(version.name, 0);
      if (version.goesAt !== undefined) deadlines.set(version.name, undefined);
      continue;
    }
    waiting += 1;
    waits.push(goesAt);
    if (version.goesAt === undefined) deadlines.set(version.name, goesAt);
  }
  return { sizes, deadlines, wakeAt: earliest(...waits) };
};

/** When an aborted version may go: undefined is never. */
export const abortedGoesAt = (
  seconds: number | undefined,
  abortedAt: Instant | undefined,
): Instant | undefined =>
  seconds === 0 || abortedAt === undefined ? undefined : abortedAt + (seconds ?? defaultSeconds) * 1000;
