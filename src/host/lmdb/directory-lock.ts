// One process per data directory: a lock file that names its holder and counts only while the holder lives.
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError } from '../../base/errors.js';

export interface DirectoryLock {
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  /** Start of the process in clock ticks since boot, so that a reused process id is not taken for the holder. */
  readonly started: string;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Undefined for a process that does not live (a zombie does not). Source: proc(5), fields 3 and 22 of stat. */
const startOf = async (pid: number): Promise<string | undefined> => {
  let stat: string;
  try {
    stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
};

const parseHolder = (text: string): Holder | undefined => {
  const [pid, started] = text.trim().split(' ');
  return pid === undefined || started === undefined || !/^\d+$/.test(pid)
    ? undefined
    : { pid: Number(pid), started };
};

const readLock = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

/** True when the lock was taken; false when somebody has it. */
const linkOnce = async (from: string, to: string): Promise<boolean> => {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
};

/** Moves a dead holder's lock out of the way, unless somebody else did so and took it meanwhile. */
const clearStale = async (file: string, seen: string): Promise<void> => {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readLock(aside)) !== seen) await linkOnce(aside, file);
  await rm(aside, { force: true });
};

/** Throws Conflict, naming the process, while another one holds the directory. */
export const lockDirectory = async (directory: string): Promise<DirectoryLock> => {
  const file = join(directory, 'lock');
  const mine = `${String(process.pid)} ${(await startOf(process.pid)) ?? ''} ${randomUUID()}\n`;
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, mine);
  try {
    while (!(await linkOnce(draft, file))) {
      const text = await readLock(file);
      if (text === undefined) continue;
      const holder = parseHolder(text);
      if (holder !== undefined && (await startOf(holder.pid)) === holder.started)
        throw new ClusterError(
          'Conflict',
          `data directory ${directory} is in use by process ${String(holder.pid)}: stop that process, or choose another --data-dir`,
        );
      await clearStale(file, text);
    }
  } finally {
    await rm(draft, { force: true });
  }
  return {
    release: async () => {
      if ((await readLock(file)) === mine) await rm(file, { force: true });
    },
  };
};
