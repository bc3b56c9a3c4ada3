// Writes Events (core/v1) behind its callers' backs: bounded, rate limited, repeats counted on one Event.
import { aborted, isAbort } from '../base/abort.js';
import { toTimestamp } from '../base/clock.js';
import type { Clock, Instant } from '../base/clock.js';
import { hasCode, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { Event } from '../resources/generated/types.js';
import { events } from '../resources/kinds/events.js';
import type { Draft } from '../resources/resource.js';
import type { EventDraft, EventRecorder } from './cluster-action.js';
import { shortHash } from './hash.js';

export interface EventRecorderOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Logger;
  /** `source.component`, such as `deployment-controller`. */
  readonly component: string;
  /** `source.host`: the node, for what an agent reports. */
  readonly host?: string | undefined;
}

export interface RunningEventRecorder extends EventRecorder {
  /** Writes what is recorded until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Repeats that have not been written yet, of one Event. */
interface Pending {
  readonly name: string;
  readonly draft: EventDraft;
  readonly first: Instant;
  last: Instant;
  count: number;
}

interface Bucket {
  tokens: number;
  at: Instant;
}

const queueLimit = 2000;
const writtenLimit = 4096;
/** Per object: so many at once, then one in five minutes, as Kubernetes' spam filter has it. */
const burst = 25;
const refillMs = 300_000;
const width = 16;
const longestMessage = 1024;

const namespaceOf = ({ regarding }: EventDraft): string => regarding.metadata.namespace ?? 'default';

/** The same for the same sentence about the same object, so that a repeat finds the Event, also after a restart. */
export const eventName = ({ regarding, type, reason, message }: EventDraft): string => {
  const { name, uid } = regarding.metadata;
  return `${name.slice(0, 236)}.${shortHash(16, uid, regarding.kind, type, reason, message)}`;
};

const eventOf = (pending: Pending, { component, host }: EventRecorderOptions): Draft<Event> => {
  const { draft, name, first, last, count } = pending;
  const { apiVersion, kind, metadata } = draft.regarding;
  const { resourceVersion, uid } = metadata;
  return {
    metadata: { name, namespace: namespaceOf(draft) },
    involvedObject: {
      apiVersion,
      kind,
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      uid,
      resourceVersion,
    },
    type: draft.type,
    reason: draft.reason,
    message: draft.message.slice(0, longestMessage),
    source: host === undefined ? { component } : { component, host },
    reportingComponent: component,
    reportingInstance: host ?? '',
    firstTimestamp: toTimestamp(first),
    lastTimestamp: toTimestamp(last),
    count,
  };
};

/** Keeps the newest entries of a map that is filled in order. */
const trim = (map: Map<string, unknown>, limit: number): void => {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
};

class Recorder implements RunningEventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #queue = new Map<string, Pending>();
  /** How often Events have happened, as far as they were written. */
  readonly #written = new Map<string, number>();
  readonly #buckets = new Map<string, Bucket>();
  readonly #inFlight = new Set<Promise<void>>();
  #signal: AbortSignal | undefined;
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record(draft: EventDraft): void {
    const now = this.#options.clock.now();
    const name = eventName(draft);
    const id = `${namespaceOf(draft)}/${name}`;
    const pending = this.#queue.get(id);
    if (pending !== undefined) {
      pending.count += 1;
      pending.last = now;
      return;
    }
    if (this.#queue.size >= queueLimit || !this.#allowed(draft.regarding.metadata.uid, now)) {
      this.#dropped += 1;
      return;
    }
    this.#queue.set(id, { name, draft, first: now, last: now, count: 1 });
    this.#pump();
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#pump();
    await aborted(signal);
    await Promise.all(this.#inFlight);
  }

  #allowed(uid: string, now: Instant): boolean {
    const bucket = this.#buckets.get(uid) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / refillMs);
    bucket.at = now;
    this.#buckets.delete(uid);
    this.#buckets.set(uid, bucket);
    trim(this.#buckets, writtenLimit);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #pump(): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    for (const [id, pending] of this.#queue) {
      if (this.#inFlight.size >= width) return;
      this.#queue.delete(id);
      const write = this.#write(id, pending, signal).finally(() => {
        this.#inFlight.delete(write);
        this.#pump();
      });
      this.#inFlight.add(write);
    }
  }

  /** An Event that cannot be written is given up: it must not hold back what follows. */
  async #write(id: string, pending: Pending, signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    try {
      const count = await this.#put(id, pending);
      this.#written.delete(id);
      this.#written.set(id, count);
      trim(this.#written, writtenLimit);
      if (this.#dropped > 0) log.info({ dropped: this.#dropped }, 'events were dropped: too many at once');
      this.#dropped = 0;
    } catch (error) {
      if (isAbort(error, signal)) return;
      // Whoever deletes a namespace takes the right to write events there with it.
      if (hasCode(error, 'Forbidden', 'NotFound'))
        log.debug({ event: id, error: messageOf(error) }, 'event refused');
      else log.warn({ event: id, error: messageOf(error) }, 'event could not be written');
    }
  }

  /** How often the Event has happened, after this write. */
  async #put(id: string, pending: Pending): Promise<number> {
    const { cluster } = this.#options;
    const name = { name: pending.name, namespace: namespaceOf(pending.draft) };
    const known = this.#written.get(id);
    if (known !== undefined) {
      try {
        return await this.#count(pending, known + pending.count);
      } catch (error) {
        // It has expired meanwhile: it begins again.
        if (!hasCode(error, 'NotFound')) throw error;
      }
    }
    try {
      await cluster.create(events, eventOf(pending, this.#options));
      return pending.count;
    } catch (error) {
      if (!hasCode(error, 'AlreadyExists')) throw error;
      const existing = await cluster.get(events, name);
      return await this.#count(pending, (existing.count ?? 1) + pending.count);
    }
  }

  async #count({ name, draft, last }: Pending, count: number): Promise<number> {
    const patch = { count, lastTimestamp: toTimestamp(last) };
    await this.#options.cluster.patch(
      events,
      { name, namespace: namespaceOf(draft) },
      { type: 'merge', patch },
    );
    return count;
  }
}

export const createEventRecorder = (options: EventRecorderOptions): RunningEventRecorder =>
  new Recorder(options);
