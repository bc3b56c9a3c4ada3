// The one LMDB environment of a data directory: opening, one durable batch at a time, and coming back from failures.
import { open } from 'lmdb';
import type { RootDatabase } from 'lmdb';

export type Database = RootDatabase<Buffer, Buffer>;

/** Sparse address space to begin with; LMDB enlarges it by itself. */
const mapSize = 1024 * 1024 * 1024;

/** How long a failed commit may take to name its cause. */
const causeMs = 1000;

export const openDatabase = (file: string): Database =>
  open<Buffer, Buffer>({
    path: file,
    noSubdir: true,
    encoding: 'binary',
    keyEncoding: 'binary',
    maxDbs: 1,
    mapSize,
    // Otherwise a commit resolves before it is flushed.
    overlappingSync: false,
    // Otherwise lmdb makes promises of its own that nobody can catch when a commit fails.
    eventTurnBatching: false,
  });

/** A failed commit carries its cause as a promise that rejects with it. */
const causeOf = async (error: unknown): Promise<unknown> => {
  const pending = (error as { commitError?: unknown }).commitError;
  if (!(pending instanceof Promise)) return error;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<unknown>((resolve) => {
    timer = setTimeout(() => {
      resolve(error);
    }, causeMs);
  });
  try {
    return await Promise.race([pending.then(() => error), timeout]);
  } catch (cause) {
    return cause;
  } finally {
    clearTimeout(timer);
  }
};

/** Carries out `write` in one transaction and one flush; rejects with the system's or LMDB's error. */
export const writeDurably = async (database: Database, write: () => void): Promise<void> => {
  try {
    await database.batch(write);
  } catch (error) {
    throw await causeOf(error);
  }
};

/** True when a write transaction can begin: after a failed write of its head, LMDB refuses all others. */
export const isWritable = (database: Database): boolean => {
  try {
    database.transactionSync(() => undefined);
    return true;
  } catch {
    return false;
  }
};
