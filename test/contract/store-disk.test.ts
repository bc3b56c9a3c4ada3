// What a full disk and a read-only one do: a clear error, nothing lost, and back to work when the disk is.
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openLmdbEngine } from '../../src/host/lmdb/lmdb-engine.js';
import { MvccStore } from '../../src/store/mvcc-store.js';
import { StoreUnavailable } from '../../src/store/store.js';
import { mountDisk } from './mounted-disk.js';
import type { Disk } from './mounted-disk.js';

let disk: Disk;
const unhandled: unknown[] = [];
const onUnhandled = (error: unknown): void => void unhandled.push(error);

beforeEach(async () => {
  disk = await mountDisk(4);
  process.on('unhandledRejection', onUnhandled);
  // lmdb prints the cause of a failed commit by itself.
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.off('unhandledRejection', onUnhandled);
  await disk.unmount();
});

const valueOf = (key: string): Buffer => Buffer.from(key.repeat(500));

/** Commits new keys, many at a time, until the disk refuses; tells what was acknowledged. */
const fill = async (store: MvccStore, acknowledged: string[]): Promise<Error> => {
  for (let round = 0; ; round += 1) {
    const keys = Array.from({ length: 40 }, (_, n) => `/fill/${String(round)}-${String(n)}`);
    const results = await Promise.allSettled(
      keys.map((key) => store.commit({ key, value: valueOf(key) }, 0)),
    );
    for (const [n, { status }] of results.entries()) if (status === 'fulfilled') acknowledged.push(keys[n]!);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) return failed.reason as Error;
  }
};

const expectExactly = (store: MvccStore, keys: readonly string[]): void => {
  expect(store.list('/').entries.map(({ key }) => key)).toEqual([...keys].sort());
  for (const { key, value } of store.list('/').entries) expect(Buffer.compare(value, valueOf(key))).toBe(0);
  expect(store.revision).toBe(keys.length);
};

test('a full disk refuses writes with a clear sentence, loses nothing, and takes writes again when there is space', async () => {
  const directory = join(disk.path, 'store');
  const acknowledged: string[] = [];
  let store = new MvccStore(await openLmdbEngine(directory));
  const error = await fill(store, acknowledged);
  expect(error).toBeInstanceOf(StoreUnavailable);
  expect(error.message).toBe(
    `cannot write to data directory ${directory}: no space is left on the device: free some space there (ENOSPC)`,
  );
  expect(acknowledged.length).toBeGreaterThan(100);
  expectExactly(store, acknowledged);
  await expect(store.commit({ key: '/big', value: Buffer.alloc(2_000_000) }, 0)).rejects.toThrow('(ENOSPC)');
  expectExactly(store, acknowledged);

  await disk.resize(16);
  await store.commit({ key: '/after', value: valueOf('/after') }, 0);
  acknowledged.push('/after');
  expectExactly(store, acknowledged);
  await store.close();
  store = new MvccStore(await openLmdbEngine(directory));
  expectExactly(store, acknowledged);
  await store.close();
  expect(unhandled).toEqual([]);
});

test('what a process left on a full disk is all there after it has space again, also without closing in between', async () => {
  const directory = join(disk.path, 'store');
  const acknowledged: string[] = [];
  const store = new MvccStore(await openLmdbEngine(directory));
  await fill(store, acknowledged);
  await store.close();
  await disk.resize(16);
  const again = new MvccStore(await openLmdbEngine(directory));
  expectExactly(again, acknowledged);
  await again.close();
});

test('a store cannot be opened on a full disk, and the error says so', async () => {
  const directory = join(disk.path, 'store');
  const store = new MvccStore(await openLmdbEngine(directory));
  await store.commit({ key: '/a', value: valueOf('/a') }, 0);
  await store.close();
  await writeFile(join(disk.path, 'ballast'), Buffer.alloc(8_000_000)).catch((error: unknown) => {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  });
  for (const path of [directory, join(disk.path, 'new')])
    await expect(openLmdbEngine(path)).rejects.toThrow(
      `cannot open data directory ${path}: no space is left on the device: free some space there (ENOSPC)`,
    );
  expect((await stat(join(directory, 'store.mdb'))).size).toBeGreaterThan(8000);
  await disk.resize(16);
  const again = new MvccStore(await openLmdbEngine(directory));
  expectExactly(again, ['/a']);
  await again.close();
});

test('a read-only directory is refused with a clear sentence and not touched', async () => {
  const directory = join(disk.path, 'store');
  const store = new MvccStore(await openLmdbEngine(directory));
  await store.commit({ key: '/a', value: valueOf('/a') }, 0);
  await store.close();
  const before = await readdir(directory);
  await disk.setReadOnly(true);
  await expect(openLmdbEngine(directory)).rejects.toThrow(
    `cannot open data directory ${directory}: the file system is read-only: remount it read-write (EROFS)`,
  );
  await expect(openLmdbEngine(join(disk.path, 'new'))).rejects.toThrow('(EROFS)');
  await disk.setReadOnly(false);
  expect(await readdir(directory)).toEqual(before);
  const again = new MvccStore(await openLmdbEngine(directory));
  expectExactly(again, ['/a']);
  await again.close();
});
