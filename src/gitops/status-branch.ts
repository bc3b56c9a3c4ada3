// Keeps the status branch: only what changed, at most one commit in a while, and never more history than a bound.
import type { Clock, Instant } from '../base/clock.js';
import { isAbort } from '../base/abort.js';
import { hasCode, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Informers } from '../client/informers.js';
import { applications } from '../resources/kinds/applications.js';
import { repositories } from '../resources/kinds/repositories.js';
import { rollouts } from '../resources/kinds/rollouts.js';
import type { ClusterConfig } from './cluster-config.js';
import { REPOSITORY_NAME } from './journal.js';
import type { Commit, Person, Source } from './source.js';
import { rolloutFacts } from './rollout-facts.js';
import { statusFiles, statusMessage, type StatusFacts } from './status-files.js';

export interface StatusBranchOptions {
  readonly source: Source;
  readonly informers: Informers;
  readonly author: Person;
  readonly clock: Clock;
  readonly log: Logger;
  config(): ClusterConfig['status'];
  /** Commits before the branch starts over; 200 unless told. */
  readonly mostCommits?: number | undefined;
}

interface Written {
  readonly branch: string;
  readonly commit: Commit;
  readonly files: ReadonlyMap<string, string>;
  readonly facts: StatusFacts;
  /** Commits of the branch up to this one. */
  readonly count: number;
}

const firstRetryMs = 1_000;
const lastRetryMs = 60_000;
/** Changes come in bursts: a commit waits this long for the rest of one. */
const settleMs = 200;

export class StatusBranch {
  readonly #options: StatusBranchOptions;
  #written: Written | undefined;
  #dirty = true;
  #wake: (() => void) | undefined;
  #lastAt: Instant = -Infinity;
  #failures = 0;

  constructor(options: StatusBranchOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { informers, clock } = this.#options;
    const changed = (): void => {
      this.#dirty = true;
      this.#wake?.();
    };
    const ends = [
      informers.subscribe(applications, changed),
      informers.subscribe(repositories, changed),
      informers.subscribe(rollouts, changed),
    ];
    signal.addEventListener('abort', changed, { once: true });
    try {
      while (!signal.aborted) {
        if (!this.#dirty)
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        this.#wake = undefined;
        signal.throwIfAborted();
        const due = Math.max(settleMs, this.#lastAt + this.#options.config().minIntervalMs - clock.now());
        await clock.sleep(due, signal);
        this.#dirty = false;
        await this.#attempt(signal);
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally {
      for (const end of ends) end();
      signal.removeEventListener('abort', changed);
    }
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await this.write(signal);
      this.#failures = 0;
    } catch (error) {
      signal.throwIfAborted();
      this.#dirty = true;
      this.#failures += 1;
      if (this.#failures === 1 || this.#failures % 20 === 0)
        log.warn({ error: messageOf(error) }, 'the status could not be written: trying again');
      await clock.sleep(Math.min(lastRetryMs, firstRetryMs * 2 ** (this.#failures - 1)), signal);
    }
  }

  #facts(): StatusFacts {
    const { view } = this.#options.informers;
    return {
      repository: view.get(repositories, { name: REPOSITORY_NAME }),
      applications: view.list(applications),
      rollouts: rolloutFacts(view),
    };
  }

  /** Writes a commit when there is something new to say. On a race with a push it is made again on top of that. */
  async write(signal: AbortSignal): Promise<void> {
    const facts = this.#facts();
    if (facts.repository?.status?.head === undefined && facts.applications.length === 0) return;
    const files = statusFiles(facts);
    const { branch } = this.#options.config();
    if (this.#written?.branch === branch && sameFiles(files, this.#written.files)) return;
    for (let attempt = 1; ; attempt += 1)
      try {
        await this.#commit({ branch, files, facts }, signal);
        return;
      } catch (error) {
        if (!hasCode(error, 'Conflict') || attempt === 5) throw error;
      }
  }

  async #commit(
    wanted: {
      readonly branch: string;
      readonly files: ReadonlyMap<string, string>;
      readonly facts: StatusFacts;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const { source, author, clock, log } = this.#options;
    const { branch, files, facts } = wanted;
    const tip = await this.#tip(branch, signal);
    const own =
      this.#written?.branch === branch && this.#written.commit.oid === tip?.oid ? this.#written : undefined;
    const before = own?.count ?? (tip === undefined ? 0 : await this.#count(tip, signal));
    const startOver = before >= this.#limit;
    const commit = await source.write(
      {
        branch,
        expected: tip?.oid,
        parents: tip === undefined || startOver ? [] : [tip.oid],
        author,
        message: statusMessage(own?.facts, facts),
        at: clock.now(),
        // On top of what somebody else has put there, the whole content is written again.
        base: own?.commit.tree,
        files: own === undefined ? files : changedFiles(own.files, files),
      },
      signal,
    );
    this.#lastAt = clock.now();
    const count = commit.oid === tip?.oid ? before : startOver ? 1 : before + 1;
    this.#written = { branch, commit, files, facts, count };
    if (!startOver) return;
    try {
      await source.tidy(signal);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ error: messageOf(error) }, 'the repository could not be packed');
    }
  }

  get #limit(): number {
    return this.#options.mostCommits ?? 200;
  }

  async #tip(branch: string, signal: AbortSignal): Promise<Commit | undefined> {
    try {
      return await this.#options.source.resolve(branch, signal);
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async #count(tip: Commit, signal: AbortSignal): Promise<number> {
    let count = 1;
    let [parent] = tip.parents;
    while (parent !== undefined && count < this.#limit) {
      count += 1;
      [parent] = (await this.#options.source.commit(parent, signal)).parents;
    }
    return count;
  }
}

const sameFiles = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([path, content]) => b.get(path) === content);

/** Undefined stands for a file that is gone. */
const changedFiles = (
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): ReadonlyMap<string, string | undefined> =>
  new Map<string, string | undefined>([
    ...[...before.keys()]
      .filter((path) => !after.has(path))
      .map((path): [string, undefined] => [path, undefined]),
    ...[...after].filter(([path, content]) => before.get(path) !== content),
  ]);
