// What this machine consumes as a whole, from /proc.
import { readFile } from 'node:fs/promises';
import type { Stats } from '../node/runtime.js';

/** Ticks of /proc/stat in a second; fixed by the kernel's interface. */
const ticksPerSecond = 100;
const nanosPerTick = 1e9 / ticksPerSecond;

/** user, nice, system, idle, iowait, irq, softirq, steal: all but those in which nothing ran. */
export const busyNanos = (stat: string): number => {
  const [, ...fields] = stat.slice(0, stat.indexOf('\n')).trim().split(/\s+/);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields.map(Number);
  return (user + nice + system + irq + softirq + steal) * nanosPerTick;
};

/** What would not come back at once if someone needed it. */
export const usedBytes = (meminfo: string): number => {
  const kibibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(meminfo)?.[1] ?? '0');
  return Math.max(0, kibibytes('MemTotal') - kibibytes('MemAvailable')) * 1024;
};

export const readMachineUsage = async (now: () => number): Promise<Stats> => {
  const [stat, meminfo] = await Promise.all([
    readFile('/proc/stat', 'utf8'),
    readFile('/proc/meminfo', 'utf8'),
  ]);
  return { cpuNanos: busyNanos(stat), workingSetBytes: usedBytes(meminfo), at: now() };
};
