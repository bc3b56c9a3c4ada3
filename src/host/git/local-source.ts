// A bare or ordinary repository on this machine's disk.
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import { ClusterError } from '../../base/errors.js';
import type { BranchChange, Commit, Quarantine, Source } from '../../gitops/source.js';
import { runGit } from './git-command.js';
import { Hints } from './hints.js';
import { GitObjects } from './objects.js';
import { headBranch, moveRef, readRef } from './refs.js';
import { writeCommit } from './write-commit.js';

export interface LocalSourceOptions {
  readonly path: string;
  readonly branch: string;
  readonly hasGit: boolean;
  /** Capstan made this repository and keeps it tidy. */
  readonly own: boolean;
  /** How often the branch is looked at without being asked, in milliseconds; 5 s unless told. */
  readonly pollMs?: number | undefined;
}

/** The `.git` of a path, be it bare or with a work tree; undefined when there is no repository. */
export const gitDirOf = (path: string): string | undefined => {
  const inside = join(path, '.git');
  if (existsSync(inside)) {
    if (statSync(inside).isDirectory()) return inside;
    const target = /^gitdir: (.*)$/m.exec(readFileSync(inside, 'utf8'))?.[1];
    return target === undefined ? undefined : resolve(path, target.trim());
  }
  return existsSync(join(path, 'HEAD')) && existsSync(join(path, 'objects')) ? path : undefined;
};

const objectId = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

class LocalSource implements Source {
  readonly address: string;
  readonly branch: string;
  readonly #options: LocalSourceOptions;
  readonly #hints = new Hints();
  #objects: GitObjects | undefined;

  constructor(options: LocalSourceOptions) {
    this.#options = options;
    this.address = options.path;
    this.branch = options.branch;
  }

  /** Opened at first use and again after the repository was away: what was remembered of the old one is dropped. */
  #open(): GitObjects {
    const gitDir = gitDirOf(this.#options.path);
    if (gitDir === undefined) {
      this.#objects?.close();
      this.#objects = undefined;
      throw new ClusterError(
        'ServiceUnavailable',
        `there is no Git repository at ${this.address}: put it back, or name another with --repo`,
      );
    }
    if (this.#objects?.gitDir !== gitDir) {
      this.#objects?.close();
      this.#objects = new GitObjects(gitDir, { hasGit: this.#options.hasGit });
    }
    return this.#objects;
  }

  async head(signal: AbortSignal): Promise<Commit> {
    const objects = this.#open();
    const oid = await readRef(objects.gitDir, `refs/heads/${this.branch}`);
    if (oid === undefined)
      throw new ClusterError(
        'NotFound',
        `${this.address} has no branch ${this.branch}: push one, or name another with --branch`,
      );
    return objects.commit(oid, signal);
  }

  async resolve(ref: string, signal: AbortSignal): Promise<Commit> {
    const objects = this.#open();
    for (const name of [ref, `refs/heads/${ref}`, `refs/tags/${ref}`]) {
      const oid =
        name.startsWith('refs/') || name === 'HEAD' ? await readRef(objects.gitDir, name) : undefined;
      if (oid !== undefined) return objects.commit(oid, signal);
    }
    if (objectId.test(ref)) return objects.commit(ref, signal);
    if (/^[0-9a-f]{4,}$/.test(ref) && this.#options.hasGit) {
      const found = await runGit(
        ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`],
        { gitDir: objects.gitDir },
        signal,
      ).catch(() => undefined);
      if (found !== undefined) return objects.commit(found.trim(), signal);
    }
    throw new ClusterError('NotFound', `${this.address} has no branch, tag or commit ${ref}`);
  }

  commit(oid: string, signal: AbortSignal): ReturnType<Source['commit']> {
    return this.#open().commit(oid, signal);
  }

  tree(oid: string, signal: AbortSignal): ReturnType<Source['tree']> {
    return this.#open().tree(oid, signal);
  }

  blobs(oids: readonly string[], signal: AbortSignal): ReturnType<Source['blobs']> {
    return this.#open().blobs(oids, signal);
  }

  poke(): void {
    this.#hints.give();
  }

  async *hints(signal: AbortSignal): AsyncGenerator<void> {
    let watcher: FSWatcher | undefined;
    let watched: string | undefined;
    let last: string | undefined;
    const look = async (): Promise<void> => {
      const gitDir = gitDirOf(this.#options.path);
      if (gitDir !== watched || gitDir === undefined) {
        await watcher?.close();
        watcher = gitDir === undefined ? undefined : this.#watch(gitDir);
        if (watched !== gitDir) this.#hints.give();
        watched = gitDir;
      }
      const now =
        gitDir === undefined
          ? undefined
          : await readRef(gitDir, `refs/heads/${this.branch}`).catch(() => 'unreadable');
      if (now !== last) this.#hints.give();
      last = now;
    };
    this.#hints.give();
    await look();
    let looking = false;
    const poll = setInterval(() => {
      if (looking) return;
      looking = true;
      void look().finally(() => {
        looking = false;
      });
    }, this.#options.pollMs ?? 5_000);
    try {
      yield* this.#hints.read(signal);
    } finally {
      clearInterval(poll);
      await watcher?.close();
      this.#objects?.close();
      this.#objects = undefined;
    }
  }

  #watch(gitDir: string): FSWatcher {
    const watcher = watch([join(gitDir, 'refs', 'heads'), join(gitDir, 'packed-refs')], {
      ignoreInitial: true,
      ignored: (path) => path.endsWith('.lock'),
    });
    watcher.on('all', () => this.#hints.give());
    // The poll goes on where watching fails, for want of inotify watches for example.
    watcher.on('error', () => this.#hints.give());
    return watcher;
  }

  async write(change: BranchChange, signal: AbortSignal): Promise<Commit> {
    const objects = this.#open();
    const ref = `refs/heads/${change.branch}`;
    const commit = await writeCommit(objects, change, signal);
    if (commit.oid === change.expected) return commit;
    const checkedOut = !this.#isBare(objects) && (await headBranch(objects.gitDir)) === ref;
    if (checkedOut) await this.#mergeIntoWorkTree(objects, commit, change, signal);
    else await moveRef(objects.gitDir, ref, { expected: change.expected, to: commit.oid });
    return commit;
  }

  #isBare(objects: GitObjects): boolean {
    return objects.gitDir === this.#options.path;
  }

  /** A branch that someone has checked out moves together with its files, or not at all. */
  async #mergeIntoWorkTree(
    objects: GitObjects,
    commit: Commit,
    change: BranchChange,
    signal: AbortSignal,
  ): Promise<void> {
    const current = await readRef(objects.gitDir, `refs/heads/${change.branch}`);
    if (current !== change.expected)
      throw new ClusterError('Conflict', `${change.branch} moved meanwhile`, { retry: true });
    await runGit(['merge', '--ff-only', '--quiet', commit.oid], { workTree: this.#options.path }, signal);
  }

  async tidy(signal: AbortSignal): Promise<void> {
    if (!this.#options.hasGit || !this.#options.own) return;
    const objects = this.#open();
    const settings = [
      'gc.auto=1000',
      'gc.autoDetach=false',
      'gc.cruftPacks=true',
      'gc.pruneExpire=1.day.ago',
    ];
    await runGit(
      [...settings.flatMap((setting) => ['-c', setting]), 'gc', '--auto', '--quiet'],
      { gitDir: objects.gitDir, timeoutMs: 300_000 },
      signal,
    );
    objects.forget();
  }

  quarantined({ objectDirectory, alternates }: Quarantine): ReturnType<Source['quarantined']> {
    const { gitDir } = this.#open();
    const inside = join(gitDir, 'objects');
    if (!existsSync(objectDirectory) || !realpathSync(objectDirectory).startsWith(`${realpathSync(inside)}/`))
      throw new ClusterError('BadRequest', `${objectDirectory} is not a quarantine of ${this.address}`);
    return new GitObjects(gitDir, {
      hasGit: true,
      environment: {
        GIT_OBJECT_DIRECTORY: objectDirectory,
        GIT_ALTERNATE_OBJECT_DIRECTORIES: alternates ?? inside,
      },
    });
  }
}

export const openLocalSource = (options: LocalSourceOptions): Source => new LocalSource(options);
