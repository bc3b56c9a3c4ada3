// Who may open a data directory: one process at a time, of the right format, undamaged.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasCode } from '../../src/base/errors.js';
import { lockDirectory } from '../../src/host/lmdb/directory-lock.js';
import { encodeRevision, recordKey } from '../../src/host/lmdb/entry-codec.js';
import { openDatabase, writeDurably } from '../../src/host/lmdb/lmdb-database.js';
import type { Database } from '../../src/host/lmdb/lmdb-database.js';
import { LmdbEngine, openLmdbEngine } from '../../src/host/lmdb/lmdb-engine.js';
import { MvccStore } from '../../src/store/mvcc-store.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'capstan-store-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const write = async (): Promise<void> => {
  const store = new MvccStore(await openLmdbEngine(directory, { program: '0.1.0' }));
  await store.commit({ key: '/a', value: Buffer.from('1') }, store.get('/a')?.modified ?? 0);
  await store.close();
};

test('a directory of another format version is refused, naming who wrote it, who reads and what to do', async () => {
  await write();
  const database = openDatabase(join(directory, 'store.mdb'));
  await writeDurably(database, () => {
    void database.put(recordKey('format'), Buffer.from(JSON.stringify({ format: 7, program: '3.2.1' })));
  });
  await database.close();
  await expect(openLmdbEngine(directory)).rejects.toThrow(
    `data directory ${directory} has format version 7, written by Capstan 3.2.1; this program reads format version 1: run the version that wrote it, or choose another --data-dir`,
  );
  // The refusal leaves neither a lock nor a change behind.
  await expect(openLmdbEngine(directory)).rejects.toSatisfy((error) => hasCode(error, 'Invalid'));
});

test('a second store on a directory is refused, naming the process, until the first one closes', async () => {
  const first = await openLmdbEngine(directory);
  await expect(openLmdbEngine(directory)).rejects.toThrow(
    `data directory ${directory} is in use by process ${String(process.pid)}: stop that process, or choose another --data-dir`,
  );
  await first.close();
  await write();
  expect((await readdir(directory)).filter((name) => name.startsWith('lock'))).toEqual([]);
});

const startOf = async (pid: number): Promise<string> => {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
};
const claim = (pid: number, started: string | number): Promise<void> =>
  writeFile(join(directory, `lock.1.${String(pid)}.${String(started)}`), '');

test('the claim of a living process holds, and of a dead one does not, even when its process id is used again', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    const started = await startOf(child.pid!);
    await claim(child.pid!, Number(started) - 1);
    await write();
    await claim(child.pid!, started);
    await expect(write()).rejects.toThrow(`in use by process ${String(child.pid)}`);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    await write();
    expect((await readdir(directory)).filter((name) => name.startsWith('lock'))).toEqual([]);
  } finally {
    child.kill('SIGKILL');
  }
});

test('of many that find the claim of a dead process, exactly one gets the directory', async () => {
  for (let round = 0; round < 20; round += 1) {
    await claim(999_999_999, round);
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(directory)));
    const taken = results.filter((result) => result.status === 'fulfilled');
    expect(taken).toHaveLength(1);
    await taken[0]!.value.release();
    expect(await readdir(directory)).toEqual([]);
  }
});

test('a damaged database is an error that says so, and never ends the process', async () => {
  const file = join(directory, 'store.mdb');
  for (const contents of [Buffer.alloc(100_000, 7), Buffer.from('x'), Buffer.alloc(100_000)]) {
    await writeFile(file, contents);
    await expect(openLmdbEngine(directory)).rejects.toThrow(
      `cannot open data directory ${directory}: the file is not a database of Capstan, or is damaged: restore a backup (MDB_INVALID)`,
    );
  }
  await rm(file);
  await write();
  await truncate(file, 5000);
  await expect(openLmdbEngine(directory)).rejects.toThrow('is damaged');
});

test('a directory that cannot be made is an error that names it', async () => {
  const file = join(directory, 'file');
  await writeFile(file, '');
  await expect(openLmdbEngine(join(file, 'store'))).rejects.toThrow(
    `cannot open data directory ${file}/store: `,
  );
});

/** A database whose head could not be written: LMDB fails that commit, then refuses every transaction. */
const panicked = (database: Database): Database =>
  Object.assign(Object.create(database) as Database, {
    batch: () => Promise.reject(Object.assign(new Error('Input/output error'), { code: 5 })),
    transactionSync: () => {
      throw Object.assign(new Error('MDB_PANIC'), { code: -30795 });
    },
    close: () => database.close(),
  });

/** A store on a database that fails so at its first write, and is sound when it is opened again. */
const openPanicking = async (): Promise<MvccStore> => {
  const open = (): Database => openDatabase(join(directory, 'store.mdb'));
  const opened: Database[] = [];
  const reopen = (): Database => {
    opened.push(opened.length === 0 ? panicked(open()) : open());
    return opened.at(-1)!;
  };
  const lock = await lockDirectory(directory);
  return new MvccStore(new LmdbEngine({ directory, lock, database: open(), reopen }));
};

test('a database that stopped after a failed write is opened anew when the next write comes', async () => {
  await write();
  const store = await openPanicking();
  await expect(store.commit({ key: '/b', value: Buffer.from('lost') }, 0)).rejects.toThrow(
    `cannot write to data directory ${directory}: the device reports an input/output error: check the disk and the kernel log (EIO)`,
  );
  expect(await store.commit({ key: '/b', value: Buffer.from('kept') }, 0)).toBe(2);
  await store.close();
  const again = new MvccStore(await openLmdbEngine(directory));
  expect(again.list('/').entries.map(({ key, modified }) => [key, modified])).toEqual([
    ['/a', 1],
    ['/b', 2],
  ]);
  await again.close();
});

test('a batch that was reported as failed and reached the disk all the same stops further writes until a restart', async () => {
  await write();
  const store = await openPanicking();
  await expect(store.commit({ key: '/b', value: Buffer.from('1') }, 0)).rejects.toThrow('(EIO)');
  const database = openDatabase(join(directory, 'store.mdb'));
  await writeDurably(database, () => void database.put(recordKey('revision'), encodeRevision(2)));
  await database.close();
  await expect(store.commit({ key: '/b', value: Buffer.from('2') }, 0)).rejects.toThrow(
    'writes that were reported as failed have reached the disk: restart Capstan',
  );
  await store.close();
});
