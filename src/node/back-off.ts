// How long a container or an image waits before it is tried again: 10 s, doubled up to 5 minutes.
import type { Instant } from '../base/clock.js';
import { attemptOf, crashesOf } from './labels.js';
import type { Container } from './runtime.js';

const firstMs = 10_000;
const lastMs = 300_000;
/** A container that ran this long has recovered. */
const recoveredMs = 600_000;

/** The first try after one failure waits 10 s. */
export const backOffMs = (failures: number): number =>
  failures <= 0 ? 0 : Math.min(lastMs, firstMs * 2 ** (failures - 1));

/** Ends in a row before this container's own end. */
export const crashesBefore = (container: Container): number => {
  const ran = (container.finishedAt ?? 0) - (container.startedAt ?? container.finishedAt ?? 0);
  return ran >= recoveredMs ? 0 : crashesOf(container);
};

/** The first restart is immediate, the second waits 10 s after the end, the third 20 s. */
export const restartDelayMs = (ended: Container): number => backOffMs(crashesBefore(ended));

export const restartAt = (ended: Container): Instant => (ended.finishedAt ?? 0) + restartDelayMs(ended);

/** Newest attempt first. */
export const byAttempt = (a: Container, b: Container): number =>
  attemptOf(b) - attemptOf(a) || b.createdAt - a.createdAt;

/** Go's `time.Duration` as Kubernetes prints it: `10s`, `1m20s`, `5m0s`. */
export const formatDuration = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
};
