// The facts of this machine that its Node object shows.
import { readFile, statfs } from 'node:fs/promises';
import { arch, availableParallelism, hostname, release, totalmem } from 'node:os';
import type { Machine } from '../node/machine.js';

const goArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', loong64: 'loong64' };

/** Empty where the file is missing or not for this user. */
const firstLine = async (path: string): Promise<string> => {
  try {
    return (await readFile(path, 'utf8')).split('\n')[0]?.trim() ?? '';
  } catch {
    return '';
  }
};

const osImage = async (): Promise<string> => {
  try {
    const text = await readFile('/etc/os-release', 'utf8');
    return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
};

/** `directory` lies on the disk whose size counts as ephemeral storage. */
export const readMachine = async (directory: string): Promise<Machine> => {
  const disk = await statfs(directory);
  const machineId = await firstLine('/etc/machine-id');
  return {
    hostname: hostname(),
    operatingSystem: 'linux',
    architecture: goArchitectures[arch()] ?? arch(),
    osImage: await osImage(),
    kernelVersion: release(),
    machineID: machineId,
    systemUUID: (await firstLine('/sys/class/dmi/id/product_uuid')) || machineId,
    bootID: await firstLine('/proc/sys/kernel/random/boot_id'),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    ephemeralStorageBytes: disk.blocks * disk.bsize,
  };
};
