// Keeps the table of containers true: the engine's events, a full list when they begin, and one once in a while.
import { isAbort } from '../base/abort.js';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { ContainerTable } from './container-table.js';
import type { Runtime } from './runtime.js';

export interface EngineWatchOptions {
  readonly runtime: Runtime;
  readonly table: ContainerTable;
  readonly clock: Clock;
  readonly log: Logger;
  /** The engine was lost, or is there again. */
  changed(): void;
}

/** Asked anew: the compiler would take an earlier answer for the present one. */
const isOver = (signal: AbortSignal): boolean => signal.aborted;

const relistMs = 30_000;
const firstRetryMs = 100;
const lastRetryMs = 2000;

export class EngineWatch {
  readonly #options: EngineWatchOptions;
  #listed = false;
  #problem: string | undefined = 'it has not answered yet';
  #failures = 0;

  constructor(options: EngineWatchOptions) {
    this.#options = options;
  }

  /** All containers have been seen once. */
  get listed(): boolean {
    return this.#listed;
  }

  /** Why the engine cannot be used; undefined when it can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const stream = new AbortController();
      const pass = (): void => stream.abort(signal.reason);
      signal.addEventListener('abort', pass, { once: true });
      try {
        await Promise.all([this.#follow(stream.signal), this.#relist(stream.signal)]);
      } catch (error) {
        if (!isOver(signal)) this.#lost(error);
      } finally {
        stream.abort();
        signal.removeEventListener('abort', pass);
      }
      await this.#sleep(Math.min(lastRetryMs, firstRetryMs * 2 ** this.#failures), signal);
      this.#failures += 1;
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { runtime, table } = this.#options;
    for await (const event of runtime.events(signal)) {
      if (event.type === 'changed') table.put(event.container);
      else if (event.type === 'removed') table.remove(event.id);
      else {
        await this.#list(signal);
        this.#found();
      }
    }
    throw new Error('its events ended');
  }

  /** What events may have missed. */
  async #relist(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#options.clock.sleep(relistMs, signal);
      if (this.#problem === undefined) await this.#list(signal);
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { runtime, table } = this.#options;
    const before = table.ids();
    table.replace(await runtime.list(signal), before);
    this.#listed = true;
  }

  #found(): void {
    this.#failures = 0;
    if (this.#problem === undefined) return;
    this.#problem = undefined;
    this.#options.log.info({}, 'the container engine answers');
    this.#options.changed();
  }

  #lost(error: unknown): void {
    const message = messageOf(error);
    if (this.#problem === message) return;
    const first = this.#problem === undefined || !this.#listed;
    this.#problem = message;
    if (first)
      this.#options.log.warn({ error: message }, 'the container engine is away: pods go on, nothing changes');
    this.#options.changed();
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.clock.sleep(ms, signal);
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    }
  }
}
