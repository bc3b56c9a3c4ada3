// Time as an argument: the only way the program learns what time it is or waits.

/** Milliseconds since the Unix epoch. */
export type Instant = number;

export interface Clock {
  now(): Instant;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** RFC 3339 with seconds, as Kubernetes writes `metav1.Time`. */
export const toTimestamp = (instant: Instant): string => `${new Date(instant).toISOString().slice(0, 19)}Z`;

/** RFC 3339 with microseconds, as Kubernetes writes `metav1.MicroTime`. */
export const toMicroTimestamp = (instant: Instant): string =>
  `${new Date(instant).toISOString().slice(0, 23)}000Z`;

/** Undefined for an absent or malformed timestamp. */
export const fromTimestamp = (timestamp: string | undefined): Instant | undefined => {
  if (timestamp === undefined) return undefined;
  const parsed = Date.parse(timestamp);
  return Number.isNaN(parsed) ? undefined : parsed;
};
