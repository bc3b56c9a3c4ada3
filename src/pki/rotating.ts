// What is replaced while it is in use: certificates, which are renewed before they expire, and whoever holds them is told.
import { isAbort } from '../base/abort.js';
import type { Clock, Instant } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { parseCertificate } from './certificate.js';
import { renewalTime } from './renewal.js';

export interface Rotating<T> {
  readonly current: T;
  /** Called with every later value. */
  subscribe(listener: (value: T) => void): void;
}

export class RotatingValue<T> implements Rotating<T> {
  readonly #listeners = new Set<(value: T) => void>();
  #current: T;

  constructor(initial: T) {
    this.#current = initial;
  }

  get current(): T {
    return this.#current;
  }

  subscribe(listener: (value: T) => void): void {
    this.#listeners.add(listener);
  }

  replace(value: T): void {
    this.#current = value;
    for (const listener of this.#listeners) listener(value);
  }
}

/** A part of what rotates. */
export const partOf = <T, Part>(whole: Rotating<T>, part: (value: T) => Part): Rotating<Part> => ({
  get current() {
    return part(whole.current);
  },
  subscribe: (listener) => whole.subscribe((value) => listener(part(value))),
});

export interface RenewalOptions<T> {
  readonly name: string;
  readonly value: RotatingValue<T>;
  /** PEM of all certificates in it. */
  certificates(value: T): readonly string[];
  /** The next value; those of its certificates that are not old may be the same. */
  renew(now: Instant, signal: AbortSignal): Promise<T>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Clocks are set, and timers do not count days: the time is looked at again at least this often. */
const longestSleepMs = 3_600_000;
const retryMs = 30_000;

const wait = async (clock: Clock, ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  }
};

const nextRenewal = <T>({ value, certificates }: RenewalOptions<T>): Instant =>
  Math.min(...certificates(value.current).map((pem) => renewalTime(parseCertificate(pem))));

/** After a failure: soon, but for a short life not too late. */
const patience = <T>({ value, certificates }: RenewalOptions<T>): number =>
  Math.min(
    retryMs,
    ...certificates(value.current).map((pem) => {
      const { notBefore, notAfter } = parseCertificate(pem);
      return (notAfter - notBefore) / 50;
    }),
  );

/** Until the signal aborts: renews at 70 to 90 % of each certificate's life; what fails is tried again. */
export const keepRenewed = async <T>(options: RenewalOptions<T>, signal: AbortSignal): Promise<void> => {
  const { name, value, clock, log } = options;
  while (!signal.aborted) {
    const left = nextRenewal(options) - clock.now();
    if (left > 0) {
      await wait(clock, Math.min(left, longestSleepMs), signal);
      continue;
    }
    try {
      value.replace(await options.renew(clock.now(), signal));
      log.info({ next: new Date(nextRenewal(options)).toISOString() }, `${name} renewed`);
    } catch (error) {
      if (isAbort(error, signal)) return;
      log.warn({ error: messageOf(error) }, `${name} could not be renewed: trying again`);
      await wait(clock, patience(options), signal);
    }
  }
};
