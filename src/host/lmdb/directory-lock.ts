// One process per data directory: every process that wants it leaves a claim, and the oldest living claim has it.
// A claim is a file whose name says everything, so it is never half written, never reused and needs no space.
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError } from '../../base/errors.js';

export interface DirectoryLock {
  release(): Promise<void>;
}

interface Claim {
  readonly file: string;
  /** Nanoseconds since boot at which it was made: the same clock for all processes. */
  readonly at: bigint;
  readonly pid: number;
  /** Start of the process in clock ticks since boot, so that a reused process id is not taken for the claimant. */
  readonly started: string;
}

/** How often and how long the oldest claim waits for younger ones to withdraw. */
const wait = { everyMs: 5, atMostMs: 2000 } as const;

const prefix = 'lock';

/** Undefined for a process that does not live (a zombie does not). Source: proc(5), fields 3 and 22 of stat. */
const startOf = async (pid: number): Promise<string | undefined> => {
  let stat: string;
  try {
    stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
};

const parseClaim = (file: string): Claim | undefined => {
  const [, at, pid, started] = /^lock\.(\d+)\.(\d+)\.(\d+)$/.exec(file) ?? [];
  if (at === undefined || pid === undefined || started === undefined) return undefined;
  return { file, at: BigInt(at), pid: Number(pid), started };
};

const makeClaim = async (directory: string): Promise<Claim> => {
  const { pid } = process;
  const started = (await startOf(pid)) ?? '0';
  const at = process.hrtime.bigint();
  const file = [prefix, at, pid, started].map(String).join('.');
  await writeFile(join(directory, file), '', { flag: 'wx' });
  return { file, at, pid, started };
};

/** Claims of living processes besides one's own; those of dead ones are cleared away. */
const otherClaims = async (directory: string, mine: Claim): Promise<Claim[]> => {
  const others: Claim[] = [];
  for (const name of await readdir(directory)) {
    const claim = parseClaim(name);
    if (claim === undefined || name === mine.file) continue;
    if ((await startOf(claim.pid)) === claim.started) others.push(claim);
    else await rm(join(directory, name), { force: true });
  }
  return others;
};

const isOlder = (a: Claim, b: Claim): boolean => (a.at === b.at ? a.pid < b.pid : a.at < b.at);

/**
 * Two cannot both see only themselves: each looks after its claim is there, so the later of two claimants sees the
 * earlier one. The younger withdraws, the older waits for that.
 */
const holdAlone = async (directory: string, mine: Claim): Promise<void> => {
  const deadline = performance.now() + wait.atMostMs;
  for (;;) {
    const others = await otherClaims(directory, mine);
    const [blocking] = others;
    if (blocking === undefined) return;
    const older = others.find((other) => isOlder(other, mine));
    if (older !== undefined || performance.now() > deadline)
      throw new ClusterError(
        'Conflict',
        `data directory ${directory} is in use by process ${String((older ?? blocking).pid)}: stop that process, or choose another --data-dir`,
      );
    await new Promise((resolve) => setTimeout(resolve, wait.everyMs));
  }
};

/** Throws Conflict, naming the process, while another one holds the directory. */
export const lockDirectory = async (directory: string): Promise<DirectoryLock> => {
  const mine = await makeClaim(directory);
  const release = (): Promise<void> => rm(join(directory, mine.file), { force: true });
  try {
    await holdAlone(directory, mine);
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
};
