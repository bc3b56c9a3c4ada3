import { expect, it } from 'vitest';
import { busyNanos, readMachineUsage, usedBytes } from '../../../src/host/machine-usage.js';

it('counts the time in which something ran: not idle, not waiting for a disk', () => {
  const stat = 'cpu  100 20 30 1000 500 4 6 10 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n';
  expect(busyNanos(stat)).toBe(1.7e9);
});

it('counts the memory that would not come back at once', () => {
  expect(usedBytes('MemTotal:  1000 kB\nMemFree:  1 kB\nMemAvailable:  400 kB\n')).toBe(600 * 1024);
});

it('reads this machine', async () => {
  const first = await readMachineUsage(() => 1);
  const second = await readMachineUsage(() => 2);
  expect(second.cpuNanos).toBeGreaterThanOrEqual(first.cpuNanos);
  expect(second.workingSetBytes).toBeGreaterThan(0);
});
