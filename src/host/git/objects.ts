// Git objects of one repository: loose ones read directly, packed ones by the system's git or, where there is none, by
// isomorphic-git with one long-lived cache; written as loose objects in one step each.
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import git from 'isomorphic-git';
import { LRUCache } from 'lru-cache';
import { ClusterError } from '../../base/errors.js';
import type { Blob, Commit, ObjectReader, TreeEntry } from '../../gitops/source.js';
import { catFile, type GitObject } from './cat-file.js';
import { parseCommit, parseEntries, parseTree, type RawEntry } from './parse-object.js';

const inflated = promisify(inflate);

/** isomorphic-git writes files where they are to be; a reader, or a crash, must never find half of one. */
export const atomicFs = {
  promises: {
    ...fs.promises,
    writeFile: async (
      path: string,
      ...rest: [content: Uint8Array | string, options?: fs.WriteFileOptions]
    ) => {
      const temporary = `${path}.tmp-${randomBytes(6).toString('hex')}`;
      await writeFile(temporary, ...rest);
      await rename(temporary, path);
    },
  },
};

export interface ObjectsOptions {
  /** Whether the system has a git. */
  readonly hasGit: boolean;
  /** `GIT_OBJECT_DIRECTORY` and the like; everything is read through git then. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

interface Waiting {
  readonly oid: string;
  resolve(object: GitObject): void;
  reject(error: unknown): void;
}

const missing = (oid: string, cause?: unknown): ClusterError =>
  new ClusterError('NotFound', `the repository has no object ${oid}`, { cause });

export class GitObjects implements ObjectReader {
  readonly gitDir: string;
  readonly #hasGit: boolean;
  readonly #environment: Readonly<Record<string, string>> | undefined;
  #cache: object = {};
  /** The head is asked for at every hint, and most hints are about other branches. */
  readonly #commits = new LRUCache<string, Commit>({ max: 200 });
  #waiting: Waiting[] = [];
  readonly #ended = new AbortController();

  constructor(gitDir: string, options: ObjectsOptions) {
    this.gitDir = gitDir;
    this.#hasGit = options.hasGit;
    this.#environment = options.environment;
  }

  get cache(): object {
    return this.#cache;
  }

  /** After packs were rewritten: what is remembered of the old ones is of no use. */
  forget(): void {
    this.#cache = {};
  }

  close(): void {
    this.#ended.abort(new DOMException('the repository was closed', 'AbortError'));
  }

  async commit(oid: string, signal: AbortSignal): Promise<Commit> {
    const known = this.#commits.get(oid) ?? (await this.#readCommit(oid, signal));
    this.#commits.set(oid, known);
    return known;
  }

  async #readCommit(oid: string, signal: AbortSignal): Promise<Commit> {
    const object = await this.#read(oid, signal);
    if (object.type === 'tag') {
      const target = /^object ([0-9a-f]+)/.exec(Buffer.from(object.content).toString('latin1'))?.[1];
      if (target !== undefined) return this.commit(target, signal);
    }
    if (object.type !== 'commit') throw missing(oid);
    return parseCommit(oid, object.content);
  }

  async tree(oid: string, signal: AbortSignal): Promise<readonly TreeEntry[]> {
    const object = await this.#read(oid, signal);
    if (object.type !== 'tree') throw missing(oid);
    return parseTree(object.content, oid.length / 2);
  }

  /** A tree with the modes of its entries: what a changed tree is made of. */
  async entries(oid: string, signal: AbortSignal): Promise<readonly RawEntry[]> {
    return parseEntries((await this.#read(oid, signal)).content, oid.length / 2);
  }

  async *blobs(oids: readonly string[], signal: AbortSignal): AsyncGenerator<Blob> {
    if (this.#hasGit && (oids.length > 32 || this.#environment !== undefined)) {
      yield* catFile(this.gitDir, oids, { environment: this.#environment, signal });
      return;
    }
    for (let start = 0; start < oids.length; start += 32) {
      signal.throwIfAborted();
      yield* await Promise.all(oids.slice(start, start + 32).map((oid) => this.#read(oid, signal)));
    }
  }

  /** Reads that are asked for in one turn of the event loop share one child process. */
  #read(oid: string, signal: AbortSignal): Promise<GitObject> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ oid, resolve, reject });
      if (this.#waiting.length === 1)
        setImmediate(() => {
          const batch = this.#waiting;
          this.#waiting = [];
          void this.#readBatch(batch);
        });
    });
  }

  async #readBatch(batch: readonly Waiting[]): Promise<void> {
    const rest: Waiting[] = [];
    if (this.#environment !== undefined || (this.#hasGit && batch.length > 64)) rest.push(...batch);
    else
      await Promise.all(
        batch.map(async (waiting) => {
          try {
            const object = await this.#readLoose(waiting.oid);
            if (object === undefined) rest.push(waiting);
            else waiting.resolve(object);
          } catch (error) {
            waiting.reject(error);
          }
        }),
      );
    if (rest.length === 0) return;
    if (this.#hasGit) await this.#readByGit(rest);
    else await Promise.all(rest.map((waiting) => this.#readPacked(waiting)));
  }

  async #readLoose(oid: string): Promise<GitObject | undefined> {
    let compressed: Uint8Array;
    try {
      compressed = await readFile(join(this.gitDir, 'objects', oid.slice(0, 2), oid.slice(2)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    let raw: Buffer;
    try {
      raw = await inflated(compressed);
    } catch (error) {
      throw new ClusterError(
        'ServiceUnavailable',
        `the repository is damaged: object ${oid} cannot be unpacked`,
        {
          cause: error,
        },
      );
    }
    const end = raw.indexOf(0);
    return { oid, type: raw.toString('latin1', 0, raw.indexOf(0x20)), content: raw.subarray(end + 1) };
  }

  async #readByGit(batch: readonly Waiting[]): Promise<void> {
    const open = new Map<string, Waiting[]>();
    for (const waiting of batch) open.set(waiting.oid, [...(open.get(waiting.oid) ?? []), waiting]);
    try {
      const options = { environment: this.#environment, signal: this.#ended.signal };
      for await (const object of catFile(this.gitDir, [...open.keys()], options)) {
        for (const waiting of open.get(object.oid) ?? []) waiting.resolve(object);
        open.delete(object.oid);
      }
    } catch (error) {
      for (const waiting of [...open.values()].flat()) waiting.reject(error);
    }
  }

  async #readPacked({ oid, resolve, reject }: Waiting): Promise<void> {
    try {
      // Deprecated in favour of readers of one type each, but the type is what is not known here.
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      const { type, object } = await git.readObject({
        fs: atomicFs,
        gitdir: this.gitDir,
        oid,
        format: 'content',
        cache: this.#cache,
      });
      resolve({ oid, type, content: object as Uint8Array });
    } catch (error) {
      reject(error instanceof Error && error.name === 'NotFoundError' ? missing(oid, error) : error);
    }
  }
}
