// Paths of the node's own disk that pods may use: of the type that they were said to be, made where they may be.
import { mkdir, open, stat } from 'node:fs/promises';
import { ClusterError } from '../base/errors.js';
import type { HostPathType } from '../node/node-files.js';

const typeChecks: Readonly<Record<string, (facts: Awaited<ReturnType<typeof stat>>) => boolean>> = {
  Directory: (facts) => facts.isDirectory(),
  DirectoryOrCreate: (facts) => facts.isDirectory(),
  File: (facts) => facts.isFile(),
  FileOrCreate: (facts) => facts.isFile(),
  Socket: (facts) => facts.isSocket(),
  CharDevice: (facts) => facts.isCharacterDevice(),
  BlockDevice: (facts) => facts.isBlockDevice(),
};

export const statOrNothing = async (path: string) => {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Throws Invalid when the path is not of that type. */
export const checkHostPath = async (path: string, type: HostPathType): Promise<void> => {
  let facts = await statOrNothing(path);
  if (facts === undefined) {
    if (type === 'FileOrCreate') await (await open(path, 'a', 0o644)).close();
    // The engine refuses a path that does not exist, so the type '' makes a directory, as Docker's binds do.
    else if (type === 'DirectoryOrCreate' || type === '') await mkdir(path, { recursive: true, mode: 0o755 });
    else throw new ClusterError('Invalid', `hostPath type check failed: ${path} does not exist`);
    facts = await stat(path);
  }
  if (type !== '' && typeChecks[type]?.(facts) !== true)
    throw new ClusterError(
      'Invalid',
      `hostPath type check failed: ${path} is not a ${type.replace('OrCreate', '').toLowerCase()}`,
    );
};
