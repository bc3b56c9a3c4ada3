// Durable commits of the store against appending the same bytes to a bare file with fdatasync.
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbEngine } from '../../src/host/lmdb/lmdb-engine.js';
import { MvccStore } from '../../src/store/mvcc-store.js';
import { median, quartileSpread } from './benchmark.js';
import type { Benchmark, Row } from './benchmark.js';

/** A Pod of ordinary size as JSON. */
const valueBytes = 2300;
const repetitions = 9;
/** Commits of each writer in one repetition. */
const rounds: ReadonlyMap<number, number> = new Map([
  [1, 300],
  [32, 60],
  [256, 20],
]);
const tmpfs = 0x01021994;

/** Commits per second of writers that each update a key of their own, one commit after the other. */
const storeRate = async (store: MvccStore, writers: number, count: number): Promise<number> => {
  const write = async (writer: number): Promise<void> => {
    const key = `/bench/${String(writer)}`;
    for (let n = 0; n < count; n += 1)
      await store.commit({ key, value: new Uint8Array(valueBytes).fill(n) }, store.get(key)?.modified ?? 0);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return (writers * count * 1000) / (performance.now() - start);
};

/** The same, with one write and one fdatasync for the bytes of all writers. */
const fileRate = (file: number, writers: number, count: number): number => {
  const bytes = new Uint8Array(valueBytes * writers);
  const start = performance.now();
  for (let n = 0; n < count; n += 1) {
    writeSync(file, bytes.fill(n));
    fdatasyncSync(file);
  }
  return (writers * count * 1000) / (performance.now() - start);
};

const measure = async (directory: string, writers: number, signal: AbortSignal): Promise<Row> => {
  const store = new MvccStore(await openLmdbEngine(join(directory, `store-${String(writers)}`)));
  const file = openSync(join(directory, `file-${String(writers)}`), 'a');
  const count = rounds.get(writers) ?? 1;
  const stored: number[] = [];
  const bare: number[] = [];
  try {
    await storeRate(store, writers, count);
    fileRate(file, writers, count);
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      signal.throwIfAborted();
      bare.push(fileRate(file, writers, count));
      stored.push(await storeRate(store, writers, count));
    }
  } finally {
    closeSync(file);
    await store.close();
  }
  const ratios = stored.map((rate, index) => rate / (bare[index] ?? Number.NaN));
  const onDisk = (await statfs(directory)).type !== tmpfs;
  return {
    figure: `durable commits, ${String(writers)} ${writers === 1 ? 'writer' : 'writers'}`,
    value: median(stored),
    unit: '/s',
    baseline: writers === 1 ? 'append + fdatasync' : `append + one fdatasync for ${String(writers)} values`,
    baselineValue: median(bare),
    ratio: median(ratios),
    spread: quartileSpread(ratios),
    note: `${String(valueBytes)} bytes each${onDisk ? '' : '; in memory (tmpfs), so nothing is synced'}`,
  };
};

export const storeWrites: Benchmark = {
  name: 'store-writes',
  run: async (signal) => {
    const directory = await mkdtemp(join(tmpdir(), 'capstan-bench-'));
    try {
      const rows: Row[] = [];
      for (const writers of rounds.keys()) rows.push(await measure(directory, writers, signal));
      return rows;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};
