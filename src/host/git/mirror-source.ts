// A repository elsewhere, mirrored on this disk.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import git from 'isomorphic-git';
import { ClusterError } from '../../base/errors.js';
import type { BranchChange, Commit, Source } from '../../gitops/source.js';
import { runGit } from './git-command.js';
import { Hints } from './hints.js';
import { atomicFs, GitObjects } from './objects.js';
import { readRef } from './refs.js';
import type { Transport } from './transport.js';
import { writeCommit } from './write-commit.js';

export interface MirrorOptions {
  readonly gitDir: string;
  readonly branch: string;
  readonly hasGit: boolean;
  /** How often the remote is asked, in milliseconds; 30 s unless told. */
  readonly pollMs?: number | undefined;
  transport(gitDir: string, cache: () => object): Transport;
}

class MirrorSource implements Source {
  readonly branch: string;
  readonly address: string;
  readonly #options: MirrorOptions;
  readonly #objects: GitObjects;
  readonly #transport: Transport;
  readonly #hints = new Hints();
  #ready: Promise<void> | undefined;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.branch = options.branch;
    this.#objects = new GitObjects(options.gitDir, { hasGit: options.hasGit });
    this.#transport = options.transport(options.gitDir, () => this.#objects.cache);
    this.address = this.#transport.address;
  }

  #prepare(): Promise<void> {
    this.#ready ??= this.#initialise().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #initialise(): Promise<void> {
    const { gitDir } = this.#options;
    if (existsSync(`${gitDir}/HEAD`)) return;
    await mkdir(gitDir, { recursive: true });
    await git.init({ fs: atomicFs, gitdir: gitDir, bare: true, defaultBranch: this.branch });
    await git.addRemote({ fs: atomicFs, gitdir: gitDir, remote: 'origin', url: this.address, force: true });
  }

  /** The remote reference's commit, fetched when it is not here yet. */
  async #bring(ref: string, signal: AbortSignal): Promise<Commit | undefined> {
    await this.#prepare();
    const oid = await this.#transport.lookUp(ref, signal);
    if (oid === undefined) return undefined;
    const tracking = `refs/remotes/origin/${ref.replace(/^refs\/(heads|tags)\//, '')}`;
    if ((await readRef(this.#options.gitDir, tracking)) !== oid) await this.#transport.fetch(ref, signal);
    const fetched = await readRef(this.#options.gitDir, tracking);
    return fetched === undefined ? undefined : this.#objects.commit(fetched, signal);
  }

  async head(signal: AbortSignal): Promise<Commit> {
    const commit = await this.#bring(`refs/heads/${this.branch}`, signal);
    if (commit === undefined)
      throw new ClusterError(
        'NotFound',
        `${this.address} has no branch ${this.branch}: push one, or name another with --branch`,
      );
    return commit;
  }

  async resolve(ref: string, signal: AbortSignal): Promise<Commit> {
    if (/^[0-9a-f]{40}$/.test(ref)) return this.#objects.commit(ref, signal);
    for (const name of [`refs/heads/${ref}`, `refs/tags/${ref}`]) {
      const commit = await this.#bring(name, signal);
      if (commit !== undefined) return commit;
    }
    throw new ClusterError('NotFound', `${this.address} has no branch, tag or commit ${ref}`);
  }

  async commit(oid: string, signal: AbortSignal): Promise<Commit> {
    await this.#prepare();
    return this.#objects.commit(oid, signal);
  }

  tree(oid: string, signal: AbortSignal): ReturnType<Source['tree']> {
    return this.#objects.tree(oid, signal);
  }

  blobs(oids: readonly string[], signal: AbortSignal): ReturnType<Source['blobs']> {
    return this.#objects.blobs(oids, signal);
  }

  poke(): void {
    this.#hints.give();
  }

  async *hints(signal: AbortSignal): AsyncGenerator<void> {
    this.#hints.give();
    const poll = setInterval(() => this.#hints.give(), this.#options.pollMs ?? 30_000);
    try {
      yield* this.#hints.read(signal);
    } finally {
      clearInterval(poll);
    }
  }

  async write(change: BranchChange, signal: AbortSignal): Promise<Commit> {
    await this.#prepare();
    const commit = await writeCommit(this.#objects, change, signal);
    const { branch, expected } = change;
    if (commit.oid === expected) return commit;
    const force = expected !== undefined && !change.parents.includes(expected);
    await this.#transport.push({ oid: commit.oid, branch, expected, force }, signal);
    return commit;
  }

  async tidy(signal: AbortSignal): Promise<void> {
    if (!this.#options.hasGit) return;
    const settings = [
      'gc.auto=1000',
      'gc.autoDetach=false',
      'gc.cruftPacks=true',
      'gc.pruneExpire=1.day.ago',
    ];
    await runGit(
      [...settings.flatMap((setting) => ['-c', setting]), 'gc', '--auto', '--quiet'],
      { gitDir: this.#options.gitDir, timeoutMs: 300_000 },
      signal,
    );
    this.#objects.forget();
  }

  quarantined(): never {
    throw new ClusterError('BadRequest', `pushes to ${this.address} do not pass through Capstan`);
  }
}

export const openMirrorSource = (options: MirrorOptions): Source => new MirrorSource(options);
