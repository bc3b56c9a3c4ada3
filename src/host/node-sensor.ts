// How much of its memory, disk and process numbers this machine has left.
import { readFile, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import type { NodeSensor } from '../node/pressure/pressure-watch.js';
import { readOptionalFile } from './files.js';

const kibibyte = 1024;

/** The kernel's own estimate of what can be had without swapping. */
const memoryAvailable = async (): Promise<number> => {
  const text = await readFile('/proc/meminfo', 'utf8');
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * kibibyte;
};

const number = async (path: string): Promise<number> => Number((await readOptionalFile(path)) ?? '0');

/** The fourth field of /proc/loadavg is `running/all`: every thread has a number of its own. */
const processes = async (): Promise<number> =>
  Number(/\d+\/(\d+)/.exec(await readFile('/proc/loadavg', 'utf8'))?.[1] ?? 0);

/** `directory` lies on the disk that counts. */
export const createNodeSensor = (directory: string): NodeSensor => ({
  measure: async (signal) => {
    const [disk, available, used, most, threads] = await Promise.all([
      statfs(directory),
      memoryAvailable(),
      processes(),
      number('/proc/sys/kernel/pid_max'),
      number('/proc/sys/kernel/threads-max'),
    ]);
    signal.throwIfAborted();
    const capacity = Math.min(most, threads);
    return {
      memory: { available, capacity: totalmem() },
      disk: { available: disk.bavail * disk.bsize, capacity: disk.blocks * disk.bsize },
      inodes: { available: disk.ffree, capacity: disk.files },
      pids: { available: capacity - used, capacity },
    };
  },
});
