// The process that the crash test kills: concurrent writers on the real store, one line on stdout for each
// acknowledged write. Started as `node store-writer.js DIRECTORY WRITERS SEED` from the compiled tree.
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openLmdbEngine } from '../../src/host/lmdb/lmdb-engine.js';
import { MvccStore } from '../../src/store/mvcc-store.js';
import { createRandom } from './random.js';

/** A value that tells whether it is whole: writer, sequence number, filling and their digest. */
export const encodeValue = (writer: number, sequence: number, size: number): Buffer => {
  const body = Buffer.alloc(size, `${String(writer)}:${String(sequence)}|`);
  const header = Buffer.from(`${String(writer)} ${String(sequence)} `);
  const content = Buffer.concat([header, body]);
  return Buffer.concat([createHash('sha256').update(content).digest(), content]);
};

export interface DecodedValue {
  readonly writer: number;
  readonly sequence: number;
}

/** Undefined for a torn value. */
export const decodeValue = (value: Uint8Array): DecodedValue | undefined => {
  const content = value.subarray(32);
  const digest = createHash('sha256').update(content).digest();
  if (Buffer.compare(digest, value.subarray(0, 32)) !== 0) return undefined;
  const [writer, sequence] = Buffer.from(content).toString('latin1', 0, 40).split(' ');
  return { writer: Number(writer), sequence: Number(sequence) };
};

const keysPerWriter = 8;

const keyOf = (writer: number, slot: number): string => `/w/${String(writer)}/${String(slot)}`;

/** Key under which a writer announces the sequence number of its next write. */
export const counterOf = (writer: number): string => keyOf(writer, keysPerWriter);

export const writerOf = (key: string): number => Number(key.split('/')[2]);

/** Each writer owns its keys and has one write in flight. */
const runWriter = async (store: MvccStore, writer: number, seed: number): Promise<never> => {
  const random = createRandom(seed * 1000 + writer);
  const counter = counterOf(writer);
  const last = store.get(counter);
  let sequence = last === undefined ? 0 : (decodeValue(last.value)?.sequence ?? 0);
  const commit = async (key: string, value: Buffer | undefined): Promise<void> => {
    const revision = await store.commit({ key, value }, store.get(key)?.modified ?? 0);
    writeSync(1, `${key} ${String(revision)} ${value === undefined ? 'deleted' : String(sequence)}\n`);
  };
  for (;;) {
    sequence += 1;
    const key = keyOf(writer, random.integer(keysPerWriter));
    const deletes = store.get(key) !== undefined && random.chance(0.2);
    const size = random.chance(0.02) ? 200_000 : random.integer(3000);
    await commit(counter, encodeValue(writer, sequence, 10));
    await commit(key, deletes ? undefined : encodeValue(writer, sequence, size));
  }
};

const [directory, writers, seed] = process.argv.slice(2);
if (directory !== undefined && process.argv[1]?.endsWith('store-writer.js') === true) {
  const store = new MvccStore(await openLmdbEngine(directory));
  writeSync(1, `open ${String(store.revision)}\n`);
  await Promise.all(Array.from({ length: Number(writers) }, (_, n) => runWriter(store, n, Number(seed))));
}
