import { describe, expect, it } from 'vitest';
import { cgroupUsage, pathsOf } from '../../../src/host/cgroup-usage.js';

describe('control groups of a process', () => {
  it('are read in both versions', () => {
    expect([...pathsOf('9:name=systemd:/docker/a\n4:memory:/docker/a\n2:cpu,cpuacct:/docker/b\n')]).toEqual([
      ['name=systemd', '/docker/a'],
      ['memory', '/docker/a'],
      ['cpu', '/docker/b'],
      ['cpuacct', '/docker/b'],
    ]);
    expect([...pathsOf('0::/system.slice/docker-a.scope\n')]).toEqual([['', '/system.slice/docker-a.scope']]);
  });

  it('say nothing about a process that is not there', async () => {
    expect(await cgroupUsage(0)).toBeUndefined();
    expect(await cgroupUsage(2 ** 30)).toBeUndefined();
  });
});
