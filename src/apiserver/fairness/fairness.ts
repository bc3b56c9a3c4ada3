// Fairness between clients: a request takes seats of its priority level, waits in its own flow's queue while there are
// none, and is told to come back later when that is full. What is long-lived (watches, exec, forwarded ports) is counted
// apart, for each client.
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../base/clock.js';
import { ClusterError } from '../../base/errors.js';
import type { HttpResponse, Identity } from '../../base/http.js';
import type { Attributes, ResourceAttributes } from '../authorize/attributes.js';
import type { Trace } from '../trace.js';
import { FairQueues } from './fair-queues.js';
import type { Waiting } from './fair-queues.js';
import { flowOf, priorityLevels } from './levels.js';
import type { Flow, PriorityLevel } from './levels.js';

export interface FairnessOptions {
  readonly clock: Clock;
  /** Resolves when the event loop has looked at its sockets: those who wait let in who arrives meanwhile. */
  readonly turn: () => Promise<void>;
  /** Long-lived requests that one client may have open; 1,000 when absent. */
  readonly longLived?: number | undefined;
  readonly levels?: Readonly<Record<string, PriorityLevel>> | undefined;
}

/** Given back when the work is done, with the answer where there is one: how large it was tells the width of the next. */
export type Leave = (response?: HttpResponse) => void;

export interface LevelFigures {
  readonly level: string;
  readonly executing: number;
  readonly waiting: number;
}

/** Whoever waits longer than this is told to come back later; Kubernetes has a quarter of the request's time. */
const longestWaitMs = 15_000;
const sweepMs = 1000;
const defaultLongLived = 1000;
const retryAfterSeconds = 1;

/** Answers are wide by their size: a list of ten thousand objects is not one GET. */
const bytesASeat = 512 * 1024;
const widest = 10;
const rememberedWidths = 2000;

const tooMany = (message: string): ClusterError =>
  new ClusterError('TooManyRequests', message, { retryAfterSeconds });

const busy = (): ClusterError => tooMany('too many requests, please try again later');

const sizeOf = ({ body }: HttpResponse): number =>
  Array.isArray(body)
    ? (body as readonly Uint8Array[]).reduce((sum, { byteLength }) => sum + byteLength, 0)
    : 0;

/** Lists that are about as large as each other. */
const listSubject = (
  { group, resource, namespace, fieldSelector = '' }: ResourceAttributes,
  query: URLSearchParams,
): string =>
  [group, resource, namespace, fieldSelector, query.get('labelSelector'), query.get('limit')].join(' ');

interface Queued extends Waiting {
  readonly since: number;
  refuse(error: ClusterError): void;
}

class Level {
  readonly queues: FairQueues;
  readonly queued = new Set<Queued>();
  pumping = false;

  constructor(readonly priority: PriorityLevel) {
    this.queues = new FairQueues(priority);
  }
}

export class Fairness {
  readonly #options: FairnessOptions;
  readonly #levels: ReadonlyMap<string, Level>;
  readonly #widths = new LRUCache<string, number>({ max: rememberedWidths });
  readonly #longLived = new Map<string, number>();
  readonly #rejected = new Map<string, number>();

  constructor(options: FairnessOptions) {
    this.#options = options;
    this.#levels = new Map(
      Object.values(options.levels ?? priorityLevels).map((level) => [level.name, new Level(level)]),
    );
  }

  /** Until the signal aborts: sends those away who have waited too long. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await clock.sleep(sweepMs, signal);
      const now = clock.now();
      for (const { queued } of this.#levels.values())
        for (const each of queued) if (now - each.since > longestWaitMs) each.refuse(busy());
    }
  }

  figures(): readonly LevelFigures[] {
    return [...this.#levels.values()].map(({ priority, queues }) => ({
      level: priority.name,
      executing: queues.taken,
      waiting: queues.waiting,
    }));
  }

  /** Requests that were told to come back later, by level. */
  rejected(): ReadonlyMap<string, number> {
    return this.#rejected;
  }

  /**
   * Resolves when the request may be worked on; `leave` must be called once. Rejects with TooManyRequests, or with the
   * signal's reason when the client goes away while it waits.
   */
  enter(identity: Identity, wanted: Attributes, { request }: Pick<Trace, 'request'>): Leave | Promise<Leave> {
    const flow = flowOf(identity, wanted, request.headers['user-agent']);
    const level = this.#levelOf(flow);
    const measured = wanted.type === 'resource' && wanted.verb === 'list';
    const subject = measured ? listSubject(wanted, request.query) : '';
    const width = measured ? Math.min(this.#widths.get(subject) ?? 1, level.priority.seats) : 1;
    const leave = this.#leaveOf(level, width, measured ? subject : undefined);
    if (level.queues.tryTake(flow.client, width)) return leave;
    return this.#wait(level, flow, { width, leave, signal: request.signal });
  }

  /** Counts something long-lived of a client until `request` is over. Throws TooManyRequests. */
  hold(identity: Identity, wanted: Attributes, { request }: Pick<Trace, 'request'>): void {
    const { client } = flowOf(identity, wanted, request.headers['user-agent']);
    const open = this.#longLived.get(client) ?? 0;
    const limit = this.#options.longLived ?? defaultLongLived;
    if (open >= limit) {
      this.#reject('long-lived');
      throw tooMany(
        `${String(open)} watches and streams of ${identity.user} are open already; close some of them`,
      );
    }
    this.#longLived.set(client, open + 1);
    const over = (): void => {
      const left = (this.#longLived.get(client) ?? 1) - 1;
      if (left > 0) this.#longLived.set(client, left);
      else this.#longLived.delete(client);
    };
    if (request.signal.aborted) over();
    else request.signal.addEventListener('abort', over, { once: true });
  }

  #levelOf({ level }: Flow): Level {
    const found = this.#levels.get(level.name) ?? this.#levels.values().next().value;
    if (found === undefined) throw new Error('there is no priority level');
    return found;
  }

  #leaveOf(level: Level, width: number, subject: string | undefined): Leave {
    let left = false;
    return (response) => {
      if (left) return;
      left = true;
      if (subject !== undefined && response !== undefined)
        this.#widths.set(subject, Math.min(widest, 1 + Math.floor(sizeOf(response) / bytesASeat)));
      level.queues.free(width);
      if (level.queues.waiting > 0) void this.#pump(level);
    };
  }

  async #pump(level: Level): Promise<void> {
    if (level.pumping) return;
    level.pumping = true;
    await this.#options.turn();
    level.pumping = false;
    level.queues.dispatch();
  }

  #wait(
    level: Level,
    { client }: Flow,
    { width, leave, signal }: { readonly width: number; readonly leave: Leave; readonly signal: AbortSignal },
  ): Promise<Leave> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        level.queued.delete(queued);
        signal.removeEventListener('abort', gone);
      };
      const queued: Queued = {
        client,
        width,
        since: this.#options.clock.now(),
        start: () => {
          settle();
          resolve(leave);
        },
        refuse: (error) => {
          if (!level.queues.withdraw(queued)) return;
          settle();
          this.#reject(level.priority.name);
          reject(error);
        },
      };
      const gone = (): void => {
        if (!level.queues.withdraw(queued)) return;
        settle();
        reject(signal.reason as Error);
      };
      if (!level.queues.enqueue(queued)) {
        this.#reject(level.priority.name);
        reject(busy());
        return;
      }
      level.queued.add(queued);
      signal.addEventListener('abort', gone, { once: true });
    });
  }

  #reject(level: string): void {
    this.#rejected.set(level, (this.#rejected.get(level) ?? 0) + 1);
  }
}
