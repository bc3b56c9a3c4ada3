// A small file system of a test's own, that can be made full, larger and read-only. Needs root.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Disk {
  readonly path: string;
  resize(megabytes: number): Promise<void>;
  setReadOnly(readOnly: boolean): Promise<void>;
  unmount(): Promise<void>;
}

export const mountDisk = async (megabytes: number): Promise<Disk> => {
  if (process.getuid?.() !== 0) throw new Error('this test mounts a file system of its own: run it as root');
  const path = await mkdtemp(join(tmpdir(), 'capstan-disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${String(megabytes)}m`, 'capstan-test', path]);
  return {
    path,
    resize: async (size) => {
      await run('mount', ['-o', `remount,size=${String(size)}m`, path]);
    },
    setReadOnly: async (readOnly) => {
      await run('mount', ['-o', `remount,${readOnly ? 'ro' : 'rw'}`, path]);
    },
    unmount: async () => {
      await run('umount', ['-l', path]);
      await rm(path, { recursive: true });
    },
  };
};
