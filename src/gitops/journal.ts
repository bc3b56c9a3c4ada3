// The Repository object: what was seen at the head of the branch, what is wrong with it, and what was done lately.
import type { Clock } from '../base/clock.js';
import { toTimestamp } from '../base/clock.js';
import { equal } from '../base/json.js';
import { hasCode, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { Repository, RepositoryStatus, RepositorySync } from '../resources/generated/types.js';
import { repositories } from '../resources/kinds/repositories.js';
import { FIELD_MANAGER } from './ownership.js';

export const REPOSITORY_NAME = 'cluster';

const mostHistory = 50;

export interface JournalOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Logger;
  readonly address: string;
  readonly branch: string;
}

export class Journal {
  readonly #options: JournalOptions;
  #status: RepositoryStatus = {};
  #written: RepositoryStatus | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  get status(): RepositoryStatus {
    return this.#status;
  }

  /** Makes the object, and takes over what an earlier process has written. */
  async open(): Promise<void> {
    const { cluster, address, branch } = this.#options;
    const found = await cluster.apply(
      repositories,
      {
        apiVersion: 'capstan.dev/v1',
        kind: 'Repository',
        metadata: { name: REPOSITORY_NAME },
        spec: { address, branch },
      },
      { fieldManager: FIELD_MANAGER, force: true },
    );
    this.#status = { ...found.status, ...this.#status };
    this.#written = found.status;
  }

  update(change: Partial<RepositoryStatus>): void {
    const next = { ...this.#status, ...change };
    if (equal(next, this.#status)) return;
    this.#status = next;
    this.#write();
  }

  record(entry: Omit<RepositorySync, 'at'>): void {
    const at = toTimestamp(this.#options.clock.now());
    this.update({ history: [{ at, ...entry }, ...(this.#status.history ?? [])].slice(0, mostHistory) });
  }

  /** Resolves when everything is written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** One write at a time; what comes meanwhile goes into the next one. */
  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    const { log } = this.#options;
    for (let attempts = 0; !equal(this.#written, this.#status) && attempts < 5; attempts += 1)
      try {
        await this.#writeOnce();
      } catch (error) {
        // It is written again with whatever happens next.
        if (!hasCode(error, 'Conflict')) {
          log.warn({ error: messageOf(error) }, 'the state of the repository could not be written');
          return;
        }
      }
  }

  async #writeOnce(): Promise<void> {
    const { cluster } = this.#options;
    const status = this.#status;
    const current: Repository = await cluster.get(repositories, { name: REPOSITORY_NAME });
    await cluster.updateStatus(repositories, { ...current, status }, { fieldManager: FIELD_MANAGER });
    this.#written = status;
  }
}
