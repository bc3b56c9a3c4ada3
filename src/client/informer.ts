// List, then watch, one kind; after a broken stream watch on, after Expired list again. Never polls.
import { isAbort } from '../base/abort.js';
import type { Clock } from '../base/clock.js';
import { hasCode, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import { resourceNameOf } from '../resources/kind.js';
import { nameOf } from '../resources/resource.js';
import type { Resource } from '../resources/resource.js';
import type { Cluster, ListOptions, WatchEvent } from './cluster.js';
import type { KindTable } from './live-view.js';
import type { ViewChange } from './view.js';

/** Which objects of the kind the view holds; all when absent. */
export type Selection = Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;

export interface InformerOptions {
  readonly cluster: Cluster;
  readonly table: KindTable;
  readonly selection: Selection;
  readonly clock: Clock;
  readonly log: Logger;
  /** In [0, 1): spreads the retries of many clients. */
  readonly random: () => number;
  /** Called in order, after the table shows the change. */
  publish(change: ViewChange): void;
  /** The table shows one complete list. */
  listed(): void;
}

const firstRetryMs = 100;
const lastRetryMs = 10_000;

/** Doubles with each failure in a row; between half and all of it, so that clients do not come back together. */
export const retryDelay = (failures: number, random: number): number =>
  Math.min(lastRetryMs, firstRetryMs * 2 ** Math.max(0, failures - 1)) * (0.5 + random / 2);

export class Informer {
  readonly #options: InformerOptions;
  /** Where the next watch starts; undefined: list first. */
  #resumeAt: string | undefined;
  #failures = 0;

  constructor(options: InformerOptions) {
    this.#options = options;
  }

  /** Resolves when the signal aborts; never rejects for what the cluster answers. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const error = await this.#round(signal);
      if (signal.aborted) return;
      if (hasCode(error, 'Expired', 'Gone')) {
        this.#resumeAt = undefined;
        // The first list after a compaction is free; a server that answers Expired again and again is not.
        if (this.#failures === 0) {
          this.#failures = 1;
          continue;
        }
      }
      this.#failures += 1;
      if (error !== undefined) this.#report(error);
      await this.#pause(signal);
    }
  }

  /** What ended the stream; undefined when the server closed it properly. */
  async #round(signal: AbortSignal): Promise<unknown> {
    const { cluster, table, selection } = this.#options;
    try {
      const from = this.#resumeAt ?? (await this.#list(signal));
      const options = { ...selection, resourceVersion: from };
      for await (const event of cluster.watch(table.kind, options, signal)) this.#apply(event);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { cluster, table, selection, publish, listed } = this.#options;
    const { items, resourceVersion } = await cluster.list(table.kind, selection, signal);
    for (const change of table.replace(items, Number(resourceVersion))) publish(change);
    this.#resumeAt = resourceVersion;
    listed();
    return resourceVersion;
  }

  #apply(event: WatchEvent<Resource>): void {
    const { table, publish, log } = this.#options;
    if (this.#failures > 1) log.info({ kind: table.kind.plural }, 'watch is back');
    this.#failures = 0;
    if (event.type === 'BOOKMARK') {
      this.#resumeAt = event.resourceVersion;
      table.revision = Math.max(table.revision, Number(event.resourceVersion));
      return;
    }
    const { object } = event;
    this.#resumeAt = object.metadata.resourceVersion;
    const change = event.type === 'DELETED' ? table.remove(nameOf(object), object) : table.put(object);
    if (change !== undefined) publish(change);
  }

  #report(error: unknown): void {
    const { log, table } = this.#options;
    const fields = { kind: resourceNameOf(table.kind), error: messageOf(error), failures: this.#failures };
    if (this.#failures === 1) log.warn(fields, 'watch broke: trying again');
    else log.debug(fields, 'watch is still broken');
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    try {
      await clock.sleep(retryDelay(this.#failures, random()), signal);
    } catch (error) {
      // Only the abort ends a sleep early, and the loop asks the signal next.
      if (!isAbort(error, signal)) throw error;
    }
  }
}
