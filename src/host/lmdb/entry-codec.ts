// How a store's keys and entries are laid out in the database. The layout's version is `formatVersion`.
import type { Entry } from '../../store/store.js';

/** Raised whenever a directory written by this program cannot be read by an older one, or the other way round. */
export const formatVersion = 1;

/** LMDB's limit for pages of 4 KiB, less the byte that tells entries from the store's own records. */
export const maxKeyBytes = 1977;

const entryMark = 1;
const headerBytes = 16;

/** Key of a record about the store itself; it sorts before every entry. */
export const recordKey = (name: string): Buffer => Buffer.from(`\0${name}`);

/** Smallest key that an entry can have. */
export const firstEntryKey = Buffer.from([entryMark]);

export const encodeKey = (key: string): Buffer => {
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(key) + 1);
  bytes[0] = entryMark;
  bytes.write(key, 1);
  return bytes;
};

/** Revisions are 64-bit integers in big-endian order, of which JavaScript counts 48 bits exactly and fast. */
const writeRevision = (bytes: Buffer, revision: number, offset: number): void => {
  bytes.writeUInt16BE(0, offset);
  bytes.writeUIntBE(revision, offset + 2, 6);
};
const readRevision = (bytes: Buffer, offset: number): number => bytes.readUIntBE(offset + 2, 6);

/** Two revisions, then the value; all entries in one allocation, since LMDB resolves the address of each one. */
export const encodeEntries = (entries: readonly Entry[]): readonly Buffer[] => {
  const total = entries.reduce((sum, { value }) => sum + headerBytes + value.byteLength, 0);
  const all = Buffer.allocUnsafeSlow(total);
  let start = 0;
  return entries.map(({ created, modified, value }) => {
    const bytes = all.subarray(start, start + headerBytes + value.byteLength);
    start += bytes.byteLength;
    writeRevision(bytes, created, 0);
    writeRevision(bytes, modified, 8);
    bytes.set(value, headerBytes);
    return bytes;
  });
};

/** The value is copied into bytes of its own. */
export const decodeEntry = (key: Buffer, bytes: Buffer): Entry => ({
  key: key.toString('utf8', 1),
  value: new Uint8Array(bytes.subarray(headerBytes)),
  created: readRevision(bytes, 0),
  modified: readRevision(bytes, 8),
});

export const encodeRevision = (revision: number): Buffer => {
  const bytes = Buffer.allocUnsafe(8);
  writeRevision(bytes, revision, 0);
  return bytes;
};

export const decodeRevision = (bytes: Buffer): number => readRevision(bytes, 0);
