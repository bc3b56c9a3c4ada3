// What `capstan up` costs while nothing happens and the example runs: memory and processor time.
import { readFileSync } from 'node:fs';
import { Machine } from '../e2e/machine.js';
import { median, type Benchmark } from './benchmark.js';
import { join } from 'node:path';
import { run } from '../e2e/command.js';

const windowMs = 20_000;
const samples = 3;

/** The daemon and every process that it started. */
const family = async (pid: number): Promise<readonly number[]> => {
  const { stdout } = await run('ps', ['-eo', 'pid=,ppid=']);
  const parents = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  const found = new Set([pid]);
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const [child, parent] of parents)
      if (found.has(parent ?? -1) && child !== undefined) found.add(child);
  }
  return [...found];
};

const residentMegabytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** Clock ticks (hundredths of a second) spent so far. */
const ticks = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
};

export const idle: Benchmark = {
  name: 'idle',
  run: async (signal) => {
    const machine = await Machine.make();
    try {
      await machine.up();
      await machine.capstan(['status', '--wait', '90s'], { timeoutMs: 100_000 });
      const pid = Number(readFileSync(join(machine.dataDir, 'capstan.pid'), 'utf8'));
      await new Promise((resolve) => setTimeout(resolve, 15_000));
      const shares: number[] = [];
      const memory: number[] = [];
      for (let sample = 0; sample < samples && !signal.aborted; sample += 1) {
        const before = ticks(pid);
        await new Promise((resolve) => setTimeout(resolve, windowMs));
        shares.push((ticks(pid) - before) / (windowMs / 10));
        memory.push((await family(pid)).reduce((sum, member) => sum + residentMegabytes(member), 0));
      }
      const bare = await run(process.execPath, ['-e', 'console.log(process.memoryUsage.rss() / 1048576)']);
      const nodeAlone = Number(bare.stdout);
      return [
        {
          figure: 'memory with the example running (master and node agent)',
          value: median(memory),
          unit: 'MB',
          baseline: 'an empty Node.js process',
          baselineValue: nodeAlone,
          ratio: median(memory) / nodeAlone,
          aim: '< 200 MB',
        },
        {
          figure: 'processor time while idle',
          value: median(shares) * 100,
          unit: '% of a core',
          baseline: 'one core',
          baselineValue: 100,
          ratio: median(shares),
          aim: '< 1 %',
        },
      ];
    } finally {
      await machine.destroy();
    }
  },
};
