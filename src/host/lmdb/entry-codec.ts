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

/** Two revisions as 64-bit integers, then the value. */
export const encodeEntry = ({ created, modified, value }: Entry): Buffer => {
  const bytes = Buffer.allocUnsafe(headerBytes + value.byteLength);
  bytes.writeBigUInt64BE(BigInt(created), 0);
  bytes.writeBigUInt64BE(BigInt(modified), 8);
  bytes.set(value, headerBytes);
  return bytes;
};

/** The value is copied into bytes of its own. */
export const decodeEntry = (key: Buffer, bytes: Buffer): Entry => ({
  key: key.toString('utf8', 1),
  value: new Uint8Array(bytes.subarray(headerBytes)),
  created: Number(bytes.readBigUInt64BE(0)),
  modified: Number(bytes.readBigUInt64BE(8)),
});

export const encodeRevision = (revision: number): Buffer => {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(revision));
  return bytes;
};

export const decodeRevision = (bytes: Buffer): number => Number(bytes.readBigUInt64BE(0));
