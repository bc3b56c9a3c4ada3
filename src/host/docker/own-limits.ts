// The limits of this process, for engines that would ask the kernel for more than it gives.
import type Docker from 'dockerode';
import { readOptionalFile } from '../files.js';

const names: Readonly<Record<string, string>> = { nofile: 'Max open files', nproc: 'Max processes' };

const hardLimit = (table: string, title: string): number => {
  const text = new RegExp(`^${title}\\s+\\S+\\s+(\\S+)`, 'm').exec(table)?.[1];
  return text === undefined || text === 'unlimited' ? Infinity : Number(text);
};

/** There are no more processes than numbers for them, whatever the limit says; files have a limit by the kernel's. */
const kernelLimits: Readonly<Record<string, string>> = {
  nofile: '/proc/sys/fs/nr_open',
  nproc: '/proc/sys/kernel/pid_max',
};

export const ownLimits = async (): Promise<NonNullable<Docker.HostConfig['Ulimits']>> => {
  const table = (await readOptionalFile('/proc/self/limits')) ?? '';
  return Promise.all(
    Object.entries(names).map(async ([name, title]) => {
      const most = Number((await readOptionalFile(kernelLimits[name] ?? '')) ?? '32768');
      const limit = Math.min(hardLimit(table, title), most);
      return { Name: name, Soft: limit, Hard: limit };
    }),
  );
};
