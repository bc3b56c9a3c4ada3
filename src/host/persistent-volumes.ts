// Volumes that outlive their pods: folders of this node, and file systems of other machines.
import { execFile } from 'node:child_process';
import { chmod, chown, lstat, opendir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ClusterError, messageOf } from '../base/errors.js';
import type { HostPathType, NodeFiles } from '../node/node-files.js';
import { checkHostPath, statOrNothing } from './host-path.js';

const execute = promisify(execFile);
const mountTimeoutMs = 60_000;

export const isMount = async (path: string): Promise<boolean> => {
  const [own, parent] = await Promise.all([stat(path), stat(dirname(path))]);
  return own.dev !== parent.dev;
};

const makes: ReadonlySet<HostPathType> = new Set(['', 'DirectoryOrCreate']);

/** The group may read and write all of it, and what is made in a folder later is the group's too. */
const give = async (path: string, group: number): Promise<void> => {
  const { mode, isSymbolicLink, isDirectory } = await lstat(path).then((facts) => ({
    mode: facts.mode & 0o7777,
    isSymbolicLink: facts.isSymbolicLink(),
    isDirectory: facts.isDirectory(),
  }));
  // A link belongs to what it names, which may be anywhere.
  if (isSymbolicLink) return;
  await chown(path, -1, group);
  await chmod(path, isDirectory ? mode | 0o2770 : mode | 0o660);
  if (!isDirectory) return;
  for await (const entry of await opendir(path)) await give(join(path, entry.name), group);
};

const isGiven = async (path: string, group: number): Promise<boolean> => {
  const { gid, mode } = await stat(path);
  return gid === group && (mode & 0o2770) === 0o2770;
};

export const persistentFolder = async (
  path: string,
  { type, group, onRootMismatch }: Parameters<NodeFiles['folder']>[1],
): Promise<string> => {
  const isNew = (await statOrNothing(path)) === undefined;
  await checkHostPath(path, type);
  // Nobody knows which user the program will be: as with other makers of local volumes, all may write.
  if (isNew && makes.has(type)) await chmod(path, 0o777);
  if (group !== undefined && !(onRootMismatch && (await isGiven(path, group)))) await give(path, group);
  return path;
};

export const mountNfs = async (
  path: string,
  { server, path: remote, options, readOnly }: Parameters<NodeFiles['mountNfs']>[1],
): Promise<void> => {
  if (await isMount(path)) return;
  const all = [...options, ...(readOnly ? ['ro'] : [])];
  const target = server.includes(':') ? `[${server}]:${remote}` : `${server}:${remote}`;
  try {
    await execute('mount', ['-t', 'nfs', ...(all.length === 0 ? [] : ['-o', all.join(',')]), target, path], {
      timeout: mountTimeoutMs,
    });
  } catch (error) {
    const why = messageOf(error);
    const hint = /unknown filesystem type|bad option|helper program/.test(why)
      ? '; the package nfs-common and a kernel with NFS are needed'
      : '';
    throw new ClusterError('Invalid', `${target} cannot be mounted: ${why}${hint}`, { cause: error });
  }
};

/** Never follows a link out of the folder, and never crosses into what is mounted below it. */
export const removeVolume = async (path: string): Promise<void> => {
  const facts = await lstat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (facts === undefined) return;
  if (facts.isDirectory() && (await isMount(path)))
    throw new ClusterError('Conflict', `${path} is a mount point of its own: it is not removed`);
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
};
