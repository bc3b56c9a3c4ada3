// Volumes and small files of pods on a real disk: <root>/pods/<uid>/…
import { execFile } from 'node:child_process';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { ClusterError, messageOf } from '../base/errors.js';
import type { HostPathType, NodeFiles, ProjectedFile, VolumeName } from '../node/node-files.js';
import { readOptionalFile } from './files.js';
import { checkHostPath, statOrNothing } from './host-path.js';
import { isMount, mountNfs, persistentFolder, removeVolume } from './persistent-volumes.js';

const execute = promisify(execFile);
const lastWordsBytes = 4096;
/** Link that names the present content; files of the volume are links through it, so all change in one step. */
const dataLink = '..data';

const invalid = (message: string, cause?: unknown): ClusterError =>
  new ClusterError('Invalid', message, cause === undefined ? {} : { cause });

/** A relative path that stays where it starts. Throws Invalid. */
const inside = (path: string): string => {
  const normal = normalize(path);
  if (isAbsolute(normal) || normal === '..' || normal.startsWith('../'))
    throw invalid(`${path} leads out of its volume`);
  return normal;
};

const mountTmpfs = async (path: string, sizeBytes: number | undefined): Promise<void> => {
  if (await isMount(path)) return;
  const options = ['mode=0777', ...(sizeBytes === undefined || sizeBytes === 0 ? [] : [`size=${sizeBytes}`])];
  try {
    await execute('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', path]);
  } catch (error) {
    throw invalid(`a directory in memory cannot be mounted at ${path}: ${messageOf(error)}`, error);
  }
};

const mountsBelow = async (path: string): Promise<readonly string[]> => {
  const table = (await readOptionalFile('/proc/self/mounts')) ?? '';
  return table
    .split('\n')
    .map((line) => (line.split(' ')[1] ?? '').replace(/\\040/g, ' '))
    .filter((mounted) => mounted.startsWith(`${path}/`))
    .sort()
    .reverse();
};

const unmountBelow = async (path: string): Promise<void> => {
  for (const mounted of await mountsBelow(path)) await execute('umount', ['-l', mounted]);
};

const groupMode = (mode: number, group: number | undefined): number =>
  group === undefined ? mode : mode | 0o440;

const writeTree = async (
  folder: string,
  files: readonly ProjectedFile[],
  group: number | undefined,
): Promise<void> => {
  for (const { path, data, mode } of files) {
    const target = join(folder, inside(path));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, data);
    await chmod(target, groupMode(mode, group));
    if (group !== undefined) await chown(target, 0, group);
  }
};

/** After a restart of the agent, a volume shows what it shall show already. */
const shows = async (
  folder: string,
  files: readonly ProjectedFile[],
  group: number | undefined,
): Promise<boolean> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  if (entries.filter((entry) => entry.isFile()).length !== files.length) return false;
  for (const { path, data, mode } of files) {
    const target = join(folder, inside(path));
    const facts = await statOrNothing(target);
    if (facts === undefined || (facts.mode & 0o7777) !== groupMode(mode, group)) return false;
    if (facts.size !== data.byteLength || !(await readFile(target)).equals(data)) return false;
  }
  return true;
};

/** Links at the top of the volume: one for each first part of a path. */
const linkNames = (files: readonly ProjectedFile[]): ReadonlySet<string> =>
  new Set(files.map(({ path }) => inside(path).split('/')[0] ?? path));

const updateLinks = async (volume: string, wanted: ReadonlySet<string>): Promise<void> => {
  const present = (await readdir(volume)).filter((name) => !name.startsWith('..'));
  for (const name of wanted)
    if (!present.includes(name)) await symlink(join(dataLink, name), join(volume, name));
  for (const name of present)
    if (!wanted.has(name)) await rm(join(volume, name), { recursive: true, force: true });
};

/** Directories with the volume's own mode, so that whoever may write there may write in them. */
const makeBelow = async (volumePath: string, path: string): Promise<void> => {
  const { mode } = await stat(volumePath);
  let folder = volumePath;
  for (const part of path.split('/')) {
    folder = join(folder, part);
    if ((await statOrNothing(folder)) !== undefined) continue;
    await mkdir(folder, { recursive: true });
    await chmod(folder, mode & 0o7777);
  }
};

/** How the node itself finds names. */
export const readResolvConf = async (): Promise<string> => {
  const own = (await readOptionalFile('/etc/resolv.conf')) ?? '';
  if (!own.includes('nameserver 127.0.0.53')) return own;
  // The stub of systemd-resolved cannot be reached from pods: take what it asks itself.
  return (await readOptionalFile('/run/systemd/resolve/resolv.conf')) ?? own;
};

class DiskNodeFiles implements NodeFiles {
  readonly volumeRoot: string;
  readonly #root: string;
  readonly #profiles: string;
  #number = 0;

  constructor(root: string) {
    this.#root = join(root, 'pods');
    this.volumeRoot = join(root, 'volumes');
    this.#profiles = join(root, 'seccomp');
  }

  async emptyDirectory(
    name: VolumeName,
    { memory, sizeBytes, group }: Parameters<NodeFiles['emptyDirectory']>[1],
  ): Promise<string> {
    const path = await this.#volume(name, 'empty-dir');
    if (memory) await mountTmpfs(path, sizeBytes);
    if (group !== undefined) await chown(path, 0, group);
    await chmod(path, group === undefined ? 0o777 : 0o2777);
    return path;
  }

  async project(name: VolumeName, { files, group }: Parameters<NodeFiles['project']>[1]): Promise<string> {
    const volume = await this.#volume(name, 'files');
    const previous = await readlink(join(volume, dataLink)).catch(() => undefined);
    if (previous !== undefined && (await shows(join(volume, previous), files, group))) return volume;
    this.#number += 1;
    const next = `..${new Date().toISOString().replace(/[-:.TZ]/g, '_')}${process.pid}_${this.#number}`;
    await mkdir(join(volume, next), { mode: 0o755 });
    await writeTree(join(volume, next), files, group);
    const swap = join(volume, '..data_tmp');
    await rm(swap, { force: true });
    await symlink(next, swap);
    await rename(swap, join(volume, dataLink));
    await updateLinks(volume, linkNames(files));
    if (previous !== undefined && previous !== next)
      await rm(join(volume, previous), { recursive: true, force: true });
    return volume;
  }

  checkHostPath(path: string, type: HostPathType): Promise<void> {
    return checkHostPath(path, type);
  }

  folder(path: string, options: Parameters<NodeFiles['folder']>[1]): Promise<string> {
    return persistentFolder(path, options);
  }

  async mountNfs(name: VolumeName, source: Parameters<NodeFiles['mountNfs']>[1]): Promise<string> {
    const path = await this.#volume(name, 'nfs');
    await mountNfs(path, source);
    return path;
  }

  async removeVolume(volume: string): Promise<void> {
    await removeVolume(join(this.volumeRoot, inside(volume)));
  }

  async subPath(volumePath: string, subPath: string): Promise<string> {
    const wanted = join(volumePath, inside(subPath));
    if ((await statOrNothing(wanted)) === undefined) await makeBelow(volumePath, inside(subPath));
    const [resolved, base] = await Promise.all([realpath(wanted), realpath(volumePath)]);
    if (resolved !== base && !resolved.startsWith(`${base}/`))
      throw invalid(`subPath ${subPath} leads out of its volume`);
    return resolved;
  }

  async podFile(podUid: string, name: string, content: string): Promise<string> {
    const path = join(await this.#pod(podUid), name);
    if ((await readOptionalFile(path)) === content) return path;
    // In place: containers have this file mounted.
    await writeFile(path, content, { mode: 0o644 });
    return path;
  }

  async terminationLog(podUid: string, container: string, attempt: number): Promise<string> {
    const path = await this.#terminationLog(podUid, container, attempt);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '');
    await chmod(path, 0o666);
    return path;
  }

  async readTerminationLog(podUid: string, container: string, attempt: number): Promise<string> {
    const path = await this.#terminationLog(podUid, container, attempt);
    try {
      const facts = await lstat(path);
      // A container may have put anything there; only a file is read.
      if (!facts.isFile() || facts.size === 0) return '';
      const file = await open(path, 'r');
      try {
        const length = Math.min(facts.size, lastWordsBytes);
        const { buffer } = await file.read(Buffer.alloc(length), 0, length, facts.size - length);
        return buffer.toString('utf8');
      } finally {
        await file.close();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  }

  async seccompProfile(name: string): Promise<string> {
    const path = join(this.#profiles, inside(name));
    const profile = await readOptionalFile(path);
    if (profile === undefined) throw invalid(`cannot load seccomp profile ${path}: there is no such file`);
    return profile;
  }

  resolvConf(): Promise<string> {
    return readResolvConf();
  }

  async hosts(): Promise<string> {
    return (await readOptionalFile('/etc/hosts')) ?? '127.0.0.1\tlocalhost\n';
  }

  async volumeBytes(podUid: string): Promise<ReadonlyMap<string, number>> {
    const folder = join(this.#root, inside(podUid), 'volumes', 'empty-dir');
    const names = await readdir(folder).catch(() => []);
    const sizes = new Map<string, number>();
    for (const name of names) {
      // A directory in memory is no use of the disk.
      if (await isMount(join(folder, name))) continue;
      const { stdout } = await execute('du', ['-sx', '-B1', join(folder, name)]);
      sizes.set(name, Number(stdout.split('\t')[0]));
    }
    return sizes;
  }

  async removePod(podUid: string): Promise<void> {
    const path = join(this.#root, inside(podUid));
    if ((await statOrNothing(path)) === undefined) return;
    await unmountBelow(path);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }

  async pods(): Promise<readonly string[]> {
    try {
      return await readdir(this.#root);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  async #pod(podUid: string): Promise<string> {
    const path = join(this.#root, inside(podUid));
    await mkdir(path, { recursive: true, mode: 0o750 });
    return path;
  }

  async #volume({ podUid, volume }: VolumeName, type: string): Promise<string> {
    const path = join(await this.#pod(podUid), 'volumes', type, inside(volume));
    await mkdir(path, { recursive: true, mode: 0o755 });
    return path;
  }

  #terminationLog(podUid: string, container: string, attempt: number): Promise<string> {
    return Promise.resolve(
      join(this.#root, inside(podUid), 'containers', inside(container), String(attempt)),
    );
  }
}

/** `root` is the node's folder in the data directory. */
export const createNodeFiles = (root: string): NodeFiles => new DiskNodeFiles(root);
