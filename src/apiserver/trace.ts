// What becomes known of one request on its way through the server, for those who stand around it: audit, metrics,
// fairness.
import type { Instant } from '../base/clock.js';
import type { HttpRequest, HttpResponse, Identity } from '../base/http.js';
import type { Attributes } from './authorize/attributes.js';
import type { Route } from './routes.js';

export interface Trace {
  readonly request: HttpRequest;
  readonly route: Route;
  /** Names the request in the audit log and in the answer's `Audit-Id`. */
  readonly id: string;
  readonly receivedAt: Instant;
  /** Milliseconds of a monotonic clock, with fractions. */
  readonly startedAt: number;
  /** Who proved to be there. */
  identity?: Identity;
  /** As whom the request is judged: another one than `identity` when that one impersonates. */
  actor?: Identity;
  wanted?: Attributes;
  allowed?: boolean;
  /** Why it is allowed, or not. */
  reason?: string;
}

/** A request that has its answer. */
export interface Answered {
  readonly trace: Trace;
  readonly response: HttpResponse;
  /** Milliseconds from the request's head to the answer's head; for a stream that has ended, to its end. */
  readonly tookMs: number;
}

export interface Observer {
  /** The head of the answer is there, and the whole body too unless it is a stream. */
  answered(answered: Answered): void;
  /** The body was a stream, and it is over. */
  ended?(answered: Answered): void;
}

/** Of the client's own choosing when that is a short plain word, so that it can find its request again. */
export const auditIdOf = ({ headers }: HttpRequest, uid: () => string): string => {
  const sent = headers['audit-id'];
  return sent !== undefined && /^[\w.:-]{1,64}$/.test(sent) ? sent : uid();
};

export const isStream = ({ body }: HttpResponse): boolean => !Array.isArray(body);

/** Tells the observers now, and once more when a stream is over. */
export const tell = (
  observers: readonly Observer[],
  trace: Trace,
  response: HttpResponse,
  ticks: () => number,
): void => {
  const answered = { trace, response, tookMs: ticks() - trace.startedAt };
  for (const observer of observers) observer.answered(answered);
  if (!isStream(response)) return;
  // Every request's signal aborts when its connection has done with it.
  const over = (): void => {
    const ended = { trace, response, tookMs: ticks() - trace.startedAt };
    for (const observer of observers) observer.ended?.(ended);
  };
  const { signal } = trace.request;
  if (signal.aborted) over();
  else signal.addEventListener('abort', over, { once: true });
};
