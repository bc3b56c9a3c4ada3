// Follows the head of the branch: each new commit becomes a revision, each revision the targets of its applications.
import { isAbort } from '../base/abort.js';
import type { Clock } from '../base/clock.js';
import { toTimestamp } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { View } from '../client/view.js';
import { applications } from '../resources/kinds/applications.js';
import { ApplicationState } from './application-state.js';
import { defaultConfig, type ClusterConfig } from './cluster-config.js';
import type { Journal } from './journal.js';
import type { ManifestRules } from './manifest-file.js';
import { readRevision, type Revision } from './revision.js';
import { SnapshotLoader } from './snapshot.js';
import type { Commit, ObjectReader, Renderer, Source } from './source.js';

export interface GitLoopOptions {
  readonly source: Source;
  /** What is valid in the cluster now; the same list of kinds until others are served. */
  readonly rules: () => ManifestRules;
  readonly renderer: Renderer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly view: View;
  readonly journal: Journal;
  readonly states: Map<string, ApplicationState>;
  nudge(application: string): void;
}

const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

export class GitLoop {
  readonly #options: GitLoopOptions;
  readonly #loader: SnapshotLoader;
  #revision: Revision | undefined;
  #config: ClusterConfig = defaultConfig;
  #failures = 0;
  #turn: Promise<void> = Promise.resolve();
  #ready = false;
  /** Other kinds are served than when the head was read: what was an error may be none. */
  #stale = false;

  constructor(options: GitLoopOptions) {
    this.#options = options;
    this.#loader = new SnapshotLoader(options.rules);
  }

  /** Of the newest revision whose capstan.yaml has no errors. */
  get config(): ClusterConfig {
    return this.#config;
  }

  get isReady(): boolean {
    return this.#ready;
  }

  /** The last one that was read. */
  get revision(): Revision | undefined {
    return this.#revision;
  }

  /** Reads the head again though it is the same. */
  reread(): void {
    this.#stale = true;
    this.#options.source.poke();
  }

  /** Follows hints until the signal aborts. Whatever fails leaves everything as it is and is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const hints = this.#options.source.hints(signal)[Symbol.asyncIterator]();
    try {
      while ((await hints.next()).done !== true) await this.#follow(signal);
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally {
      await hints.return?.();
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { journal, log, clock, source } = this.#options;
    try {
      await this.refresh(signal);
      this.#failures = 0;
    } catch (error) {
      signal.throwIfAborted();
      const message = messageOf(error);
      if (journal.status.error !== message)
        log.warn({ error: message }, 'the repository cannot be read: what runs goes on');
      journal.update({ error: message });
      this.#failures += 1;
      const delay = Math.min(lastRetryMs, firstRetryMs * 2 ** (this.#failures - 1));
      clock.sleep(delay, signal).then(
        () => source.poke(),
        () => undefined,
      );
    }
  }

  /** Reads the head of the branch now; one reading after the other. */
  refresh(signal: AbortSignal): Promise<void> {
    const next = this.#turn.then(() => this.#refresh(signal));
    this.#turn = next.catch(() => undefined);
    return next;
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const { source, journal } = this.#options;
    const head = await source.head(signal);
    if (head.oid === this.#revision?.commit.oid && !this.#stale) {
      journal.update({ error: undefined });
      return;
    }
    this.#stale = false;
    const revision = await this.read(source, head, signal);
    await this.#adopt(revision, signal);
  }

  /** Any commit, sharing what it has in common with the head. `reader` may see more than the source, as in a push. */
  async read(reader: ObjectReader, commit: Commit, signal: AbortSignal): Promise<Revision> {
    const { renderer } = this.#options;
    const previous = this.#revision;
    const snapshot = await this.#loader.load(reader, commit, { previous: previous?.snapshot, signal });
    return readRevision(
      snapshot,
      {
        reader,
        rules: this.#loader.rulesOf(snapshot),
        renderer,
        signal,
        branch: this.#options.source.branch,
      },
      previous !== undefined && this.#loader.agree(snapshot, previous.snapshot) ? previous : undefined,
    );
  }

  async #adopt(revision: Revision, signal: AbortSignal): Promise<void> {
    const { journal, clock, states, log, nudge } = this.#options;
    const { commit } = revision;
    this.#revision = revision;
    if (revision.problems.length === 0) this.#config = revision.config;
    this.#meet();
    await this.#aim(revision, signal);
    this.#ready = true;
    log.info(
      { revision: commit.oid, applications: revision.applications.size },
      'read a new head of the branch',
    );
    journal.update({
      head: commit.oid,
      subject: commit.message.split('\n')[0] ?? '',
      observedAt: toTimestamp(clock.now()),
      error: undefined,
      errors: revision.problems.map(({ file, line, column, message }) => ({ file, line, column, message })),
    });
    for (const name of states.keys()) nudge(name);
  }

  /** Applications that an earlier process has left in the cluster. */
  #meet(): void {
    const { view, states } = this.#options;
    for (const { metadata, status } of view.list(applications)) {
      if (states.has(metadata.name)) continue;
      const state = new ApplicationState(metadata.name);
      state.restore(status);
      states.set(metadata.name, state);
    }
  }

  async #aim(revision: Revision, signal: AbortSignal): Promise<void> {
    const { states } = this.#options;
    const head = revision.commit.oid;
    for (const name of revision.applications.keys())
      if (!states.has(name)) states.set(name, new ApplicationState(name));
    for (const state of states.values()) {
      const rendered = revision.applications.get(state.name);
      const problems = revision.problems.length > 0 ? revision.problems : (rendered?.problems ?? []);
      state.head = { revision: head, problems };
      if (revision.problems.length === 0) state.describe(rendered?.spec);
      if (rendered !== undefined && problems.length === 0) state.aim({ revision: head, rendered });
      else if (problems.length > 0 && state.target === undefined) await this.#recall(state, signal);
    }
  }

  /** What ran before this process started, for as long as the head has errors. */
  async #recall(state: ApplicationState, signal: AbortSignal): Promise<void> {
    const { source, log } = this.#options;
    const { syncedRevision } = state;
    if (syncedRevision === undefined) return;
    try {
      const revision = await this.read(source, await source.commit(syncedRevision, signal), signal);
      const rendered = revision.applications.get(state.name);
      if (rendered === undefined || rendered.problems.length > 0) return;
      if (state.spec === undefined) state.describe(rendered.spec);
      state.aim({ revision: syncedRevision, rendered });
    } catch (error) {
      signal.throwIfAborted();
      // After a force push the old commit may be gone: what runs is left alone, and not healed.
      log.warn(
        { application: state.name, error: messageOf(error) },
        `${syncedRevision.slice(0, 8)} cannot be read any more`,
      );
    }
  }
}
