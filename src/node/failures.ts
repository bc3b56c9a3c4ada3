// How failed starts are shown and when they are tried again.
import type { Instant } from '../base/clock.js';
import { backOffMs } from './back-off.js';
import type { Failure } from './pod-memory.js';

/** What waits for somebody to change something is tried again soon: it costs nothing. */
const quickMs = 5000;

export const retryAt = ({ reason, at, failures }: Failure): Instant =>
  at + (reason === 'CreateContainerConfigError' ? quickMs : backOffMs(failures));

/** The error itself is shown this long; then that it waits. */
const shownMs = 1000;

export const shownFailure = (
  { reason, message, at }: Failure,
  image: string,
  now: Instant,
): { readonly reason: string; readonly message: string; readonly changesAt?: Instant | undefined } => {
  if (reason !== 'ErrImagePull') return { reason, message };
  if (now < at + shownMs) return { reason, message, changesAt: at + shownMs };
  return {
    reason: 'ImagePullBackOff',
    message: `Back-off pulling image "${image}": ErrImagePull: ${message}`,
  };
};

export const nextFailure = (previous: Failure | undefined, failure: Omit<Failure, 'failures'>): Failure => ({
  ...failure,
  failures: previous?.specHash === failure.specHash ? previous.failures + 1 : 1,
});
