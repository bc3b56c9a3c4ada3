// The store's durable engine on one machine: LMDB in a data directory of its own.
import { mkdir, open as openFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ClusterError } from '../../base/errors.js';
import type { Engine, Snapshot } from '../../store/engine.js';
import type { Change, Entry } from '../../store/store.js';
import { checkBeforeOpening } from './database-file.js';
import { lockDirectory } from './directory-lock.js';
import type { DirectoryLock } from './directory-lock.js';
import { describeFailure } from './disk-failure.js';
import {
  decodeEntry,
  decodeRevision,
  encodeEntries,
  encodeKey,
  encodeRevision,
  firstEntryKey,
  formatVersion,
  maxKeyBytes,
  recordKey,
} from './entry-codec.js';
import { isWritable, openDatabase, writeDurably } from './lmdb-database.js';
import type { Database } from './lmdb-database.js';

const revisionKey = recordKey('revision');
const formatKey = recordKey('format');

/** Written once, when the directory is made. */
interface Format {
  readonly format: number;
  /** Version of Capstan that made the directory. */
  readonly program: string;
}

export interface LmdbOptions {
  /** Version of this program, for the message to a program that cannot read the directory. */
  readonly program?: string;
}

export interface LmdbEngineOptions {
  readonly directory: string;
  readonly lock: DirectoryLock;
  readonly database: Database;
  /** Opens the same database once more after it was closed. */
  readonly reopen: () => Database;
}

export class LmdbEngine implements Engine {
  readonly location: string;
  readonly maxKeyBytes = maxKeyBytes;
  readonly #directory: string;
  readonly #lock: DirectoryLock;
  readonly #reopen: () => Database;
  #database: Database;
  /** Why the database is looked at, and perhaps opened anew, before the next write. */
  #doubt: 'loaded' | 'failed' | undefined;

  constructor({ directory, lock, database, reopen }: LmdbEngineOptions) {
    this.location = `data directory ${directory}`;
    this.#directory = directory;
    this.#lock = lock;
    this.#database = database;
    this.#reopen = reopen;
  }

  load(): Snapshot {
    return { revision: this.#durableRevision(), entries: this.#entries() };
  }

  gather(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  async append(batch: readonly Change[]): Promise<void> {
    const [first, last] = [batch.at(0), batch.at(-1)];
    if (first === undefined || last === undefined) return;
    try {
      if (this.#doubt !== undefined) await this.#renew(first.revision - 1);
      await writeDurably(this.#database, () => {
        this.#write(batch, last.revision);
      });
    } catch (error) {
      this.#doubt = 'failed';
      throw new Error(await describeFailure('write to', this.#directory, error), { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
    await this.#lock.release();
  }

  #write(batch: readonly Change[], revision: number): void {
    const encoded = encodeEntries(
      batch.flatMap(({ entry }) => (entry === undefined ? [] : [entry])),
    ).values();
    for (const { key, entry } of batch) {
      const bytes = entry === undefined ? undefined : encoded.next().value;
      if (bytes === undefined) void this.#database.remove(encodeKey(key));
      else void this.#database.put(encodeKey(key), bytes);
    }
    void this.#database.put(revisionKey, encodeRevision(revision));
  }

  #durableRevision(): number {
    this.#database.resetReadTxn();
    const bytes = this.#database.get(revisionKey);
    return bytes === undefined ? 0 : decodeRevision(bytes);
  }

  *#entries(): Generator<Entry> {
    for (const { key, value } of this.#database.getRange({ start: firstEntryKey }))
      yield decodeEntry(key, value);
    this.#database.resetReadTxn();
    this.#doubt = 'loaded';
  }

  /**
   * Opens the database anew when it no longer takes transactions, and after loading, which has left the whole file
   * mapped into this process's memory. Should a failed batch have reached the disk after all, memory no longer tells
   * what is there, and only a restart does.
   */
  async #renew(expected: number): Promise<void> {
    if (this.#doubt === 'loaded' || !isWritable(this.#database)) {
      await this.#database.close();
      this.#database = this.#reopen();
    }
    if (this.#durableRevision() !== expected)
      throw new Error('writes that were reported as failed have reached the disk: restart Capstan');
    this.#doubt = undefined;
  }
}

const unreadable = (directory: string, { format, program }: Format): ClusterError =>
  new ClusterError(
    'Invalid',
    `data directory ${directory} has format version ${String(format)}, written by Capstan ${program}; this program reads format version ${String(formatVersion)}: run the version that wrote it, or choose another --data-dir`,
  );

/** Node's own recursive mkdir calls a read-only file system ENOENT. */
const makeDirectory = async (directory: string): Promise<void> => {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(directory)).isDirectory()) return;
    if (code !== 'ENOENT') throw error;
    await makeDirectory(dirname(directory));
    await mkdir(directory, { mode: 0o700 });
  }
};

/** Makes what was created in the directory survive a power failure. */
const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await openFile(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Throws Invalid for a directory of another format version; marks a new one. */
const checkFormat = async (directory: string, database: Database, program: string): Promise<void> => {
  const bytes = database.get(formatKey);
  if (bytes !== undefined) {
    const found = JSON.parse(bytes.toString()) as Format;
    if (found.format !== formatVersion) throw unreadable(directory, found);
    return;
  }
  const format: Format = { format: formatVersion, program };
  await writeDurably(database, () => {
    void database.put(formatKey, Buffer.from(JSON.stringify(format)));
  });
  await syncDirectory(directory);
};

/**
 * Opens, or makes, the store's database in a directory. Throws Conflict while another process has it, Invalid when it
 * has another format version, ServiceUnavailable when the disk refuses.
 */
export const openLmdbEngine = async (
  directory: string,
  { program = 'of an unknown version' }: LmdbOptions = {},
): Promise<LmdbEngine> => {
  let lock: DirectoryLock | undefined;
  let database: Database | undefined;
  try {
    await makeDirectory(directory);
    lock = await lockDirectory(directory);
    const file = join(directory, 'store.mdb');
    await checkBeforeOpening(directory, file);
    database = openDatabase(file);
    await checkFormat(directory, database, program);
    return new LmdbEngine({ directory, lock, database, reopen: () => openDatabase(file) });
  } catch (error) {
    await database?.close();
    await lock?.release();
    if (error instanceof ClusterError) throw error;
    throw new ClusterError('ServiceUnavailable', await describeFailure('open', directory, error), {
      cause: error,
      retry: false,
    });
  }
};
