// What a failed read or write means for the person who runs the machine: place, cause and way out in one sentence.
import { freeBytes } from './free-space.js';

/** LMDB's codes are negative, the system's positive. Source: lmdb.h, errno(3) on Linux. */
const names: Readonly<Record<string, string>> = {
  5: 'EIO',
  13: 'EACCES',
  28: 'ENOSPC',
  30: 'EROFS',
  122: 'EDQUOT',
  '-30793': 'MDB_INVALID',
  '-30794': 'MDB_VERSION_MISMATCH',
  '-30796': 'MDB_CORRUPTED',
  '-30795': 'MDB_PANIC',
  '-30792': 'MDB_MAP_FULL',
  '-30788': 'MDB_TXN_FULL',
};

const causes: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the device: free some space there',
  EDQUOT: 'the disk quota is used up: raise it or free some space',
  EROFS: 'the file system is read-only: remount it read-write',
  EACCES: 'permission is denied: give the user that runs Capstan the right to write there',
  EIO: 'the device reports an input/output error: check the disk and the kernel log',
  MDB_MAP_FULL: 'the address space for the database is used up: raise the limit of virtual memory',
  MDB_TXN_FULL: 'the writes are too many for one transaction: send fewer at a time',
  MDB_INVALID: 'the file is not a database of Capstan, or is damaged: restore a backup',
  MDB_VERSION_MISMATCH: 'the file is not a database of Capstan, or is damaged: restore a backup',
  MDB_CORRUPTED: 'the database is damaged: restore a backup',
  MDB_PANIC: 'the database stopped after a failed write of its head: restart Capstan',
};

const nameOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'number'
    ? (names[String(code)] ?? `error ${String(code)}`)
    : (code as string | undefined);
};

/** Less than this left counts as full: LMDB writes whole pages and reports a short write only as EIO. */
const fullBelowBytes = 64 * 1024;

/** LMDB reports a short write as an input/output error, although what it means is a full disk. */
const refine = async (name: string | undefined, directory: string): Promise<string | undefined> => {
  if (name !== 'EIO') return name;
  try {
    return (await freeBytes(directory)) < fullBelowBytes ? 'ENOSPC' : name;
  } catch {
    // The directory cannot even be asked for its space: the input/output error is the whole truth.
    return name;
  }
};

/** `cannot write to data directory D: no space is left on the device: free some space there (ENOSPC)` */
export const describeFailure = async (doing: string, directory: string, error: unknown): Promise<string> => {
  const name = await refine(nameOf(error), directory);
  const message = error instanceof Error ? error.message : String(error);
  const cause = name === undefined ? message : `${causes[name] ?? message} (${name})`;
  return `cannot ${doing} data directory ${directory}: ${cause}`;
};
