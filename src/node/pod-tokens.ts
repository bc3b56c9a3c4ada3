// Tokens of service accounts in pods' volumes: asked for when a pod needs one, and again long before it expires.
import { isAbort } from '../base/abort.js';
import type { Clock, Instant } from '../base/clock.js';
import { fromTimestamp } from '../base/clock.js';
import { hasCode, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { PodToken, Referenced, TokenQuery } from './pod-source.js';

export interface PodTokensOptions {
  readonly cluster: Pick<Cluster, 'createToken'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** A token has come, or another one: volumes that show it are set up anew. */
  changed(): void;
}

interface Held {
  readonly query: TokenQuery;
  token: PodToken | undefined;
  failure: string;
  failures: number;
  /** When it is asked for (again). */
  due: Instant;
  asking: boolean;
}

const defaultSeconds = 3600;
/** The kubelet's rule: at four fifths of its life, and once a day. */
const renewalShare = 0.8;
const longestMs = 24 * 3_600_000;
const firstRetryMs = 1000;
const longestRetryMs = 60_000;

const keyOf = ({ podUid, audience, expirationSeconds }: TokenQuery): string =>
  `${podUid} ${audience} ${String(expirationSeconds)}`;

export class PodTokens {
  readonly #options: PodTokensOptions;
  readonly #held = new Map<string, Held>();
  #wake: AbortController | undefined;

  constructor(options: PodTokensOptions) {
    this.#options = options;
  }

  /** Unknown until the API server has given one; absent while it refuses to. */
  find(query: TokenQuery): Referenced<PodToken> {
    const held = this.#held.get(keyOf(query));
    if (held === undefined) {
      const now = this.#options.clock.now();
      this.#held.set(keyOf(query), {
        query,
        token: undefined,
        failure: '',
        failures: 0,
        due: now,
        asking: false,
      });
      this.#wake?.abort();
      return { state: 'unknown' };
    }
    if (held.token !== undefined) return { state: 'present', object: held.token };
    return held.failure === '' ? { state: 'unknown' } : { state: 'absent', because: held.failure };
  }

  /** The pod is gone: its tokens are dead. */
  drop(podUid: string): void {
    for (const [key, { query }] of this.#held) if (query.podUid === podUid) this.#held.delete(key);
  }

  /** Asks for tokens until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const now = this.#options.clock.now();
      for (const held of this.#held.values()) if (!held.asking && held.due <= now) void this.#ask(held);
      await this.#pause(signal);
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const wake = new AbortController();
    this.#wake = wake;
    const pass = (): void => wake.abort();
    signal.addEventListener('abort', pass, { once: true });
    const dues = [...this.#held.values()].filter(({ asking }) => !asking).map(({ due }) => due);
    const next = Math.min(longestMs, ...dues.map((due) => Math.max(0, due - this.#options.clock.now())));
    try {
      await this.#options.clock.sleep(next, wake.signal);
    } catch (error) {
      if (!isAbort(error, wake.signal)) throw error;
    } finally {
      signal.removeEventListener('abort', pass);
    }
  }

  async #ask(held: Held): Promise<void> {
    held.asking = true;
    const { cluster, clock, log } = this.#options;
    const { query } = held;
    const asked = clock.now();
    try {
      const { token, expirationTimestamp } = await cluster.createToken(
        { name: query.account, namespace: query.namespace },
        {
          audiences: query.audience === '' ? [] : [query.audience],
          expirationSeconds: query.expirationSeconds ?? defaultSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: query.podName, uid: query.podUid },
        },
      );
      const expires = fromTimestamp(expirationTimestamp) ?? asked;
      held.token = { token, expires };
      held.failure = '';
      held.failures = 0;
      held.due = asked + Math.min((expires - asked) * renewalShare, longestMs);
    } catch (error) {
      held.failures += 1;
      // What is there goes on to be shown, as long as it is good.
      if (held.token !== undefined && held.token.expires <= clock.now()) held.token = undefined;
      if (!hasCode(error, 'ServiceUnavailable')) held.failure = messageOf(error);
      held.due = clock.now() + Math.min(longestRetryMs, firstRetryMs * 2 ** (held.failures - 1));
      const facts = { pod: `${query.namespace}/${query.podName}`, account: query.account };
      log.warn(
        { ...facts, error: messageOf(error) },
        'a token of a service account was not given: trying again',
      );
    } finally {
      held.asking = false;
      this.#wake?.abort();
      if (this.#held.get(keyOf(query)) === held) this.#options.changed();
    }
  }
}
