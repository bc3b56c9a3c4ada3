// What must hold before LMDB may touch a directory: it maps its files, and a mapped file that is damaged or has no
// space behind it ends the process instead of failing.
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { freeBytes } from './free-space.js';

/** Head pages at offsets 0 and one page. Source: lmdb 3.5, mdb.c: MDB_page, MDB_meta. */
const head = { pages: 2, magic: 0xbeefc0de, version: 2, metaFlag: 8 } as const;
const offsets = { flags: 18, magic: 24, version: 28, pageSize: 48 } as const;
const headBytes = 64;

/** What opening writes at most: two head pages, the lock table, the first records. */
const neededBytes = 256 * 1024;

const failure = (code: string): Error => Object.assign(new Error(code), { code });

const readHead = async (file: FileHandle, position: number): Promise<Buffer | undefined> => {
  const bytes = Buffer.alloc(headBytes);
  const { bytesRead } = await file.read(bytes, 0, headBytes, position);
  const isHead =
    bytesRead === headBytes &&
    (bytes.readUInt16LE(offsets.flags) & head.metaFlag) !== 0 &&
    bytes.readUInt32LE(offsets.magic) === head.magic;
  return isHead ? bytes : undefined;
};

const checkHeads = async (file: FileHandle): Promise<void> => {
  const { size } = await file.stat();
  if (size === 0) return;
  const first = await readHead(file, 0);
  const pageSize = first?.readUInt32LE(offsets.pageSize) ?? 0;
  if (first === undefined || pageSize < 512 || size < head.pages * pageSize) throw failure('MDB_INVALID');
  if ((first.readUInt32LE(offsets.version) & 0xffff) !== head.version) throw failure('MDB_VERSION_MISMATCH');
  if ((await readHead(file, pageSize)) === undefined) throw failure('MDB_INVALID');
};

/** Throws an error with code ENOSPC, MDB_INVALID or MDB_VERSION_MISMATCH; an absent or empty file is fine. */
export const checkBeforeOpening = async (directory: string, path: string): Promise<void> => {
  if ((await freeBytes(directory)) < neededBytes) throw failure('ENOSPC');
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    await checkHeads(file);
  } finally {
    await file.close();
  }
};
