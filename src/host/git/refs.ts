// References on disk: read anew each time, since watchers only hint; moved under Git's own lock files.
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ClusterError } from '../../base/errors.js';

const isObjectId = (text: string): boolean => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);

const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
};

const packed = async (gitDir: string, ref: string): Promise<string | undefined> => {
  const content = await readIfThere(join(gitDir, 'packed-refs'));
  const end = content?.indexOf(` ${ref}\n`) ?? -1;
  if (content === undefined || end === -1) return undefined;
  const start = content.lastIndexOf('\n', end) + 1;
  return content.slice(start, end);
};

/** `refs/heads/main` -> object id; undefined when there is no such reference. Follows symbolic ones. */
export const readRef = async (gitDir: string, ref: string, depth = 5): Promise<string | undefined> => {
  const content = (await readIfThere(join(gitDir, ref)))?.trim();
  if (content?.startsWith('ref: ') === true)
    return depth === 0 ? undefined : readRef(gitDir, content.slice(5).trim(), depth - 1);
  if (content !== undefined && isObjectId(content)) return content;
  if (content !== undefined && content !== '')
    throw new ClusterError(
      'ServiceUnavailable',
      `the repository is damaged: ${join(gitDir, ref)} holds no object id`,
    );
  return packed(gitDir, ref);
};

/** The branch that HEAD names, such as `refs/heads/main`. */
export const headBranch = async (gitDir: string): Promise<string | undefined> => {
  const content = (await readIfThere(join(gitDir, 'HEAD')))?.trim();
  return content?.startsWith('ref: ') === true ? content.slice(5).trim() : undefined;
};

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

const lock = async (path: string): Promise<Awaited<ReturnType<typeof open>>> => {
  for (let attempt = 0; ; attempt += 1)
    try {
      return await open(path, 'wx');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' && attempt < 40) await mkdir(dirname(path), { recursive: true });
      else if (code === 'EEXIST' && attempt < 40) await pause(50);
      else if (code === 'EEXIST')
        throw new ClusterError('Conflict', `${path} is held by another git process; remove it if none runs`, {
          retry: true,
          cause: error,
        });
      else if (code === 'ENOTDIR')
        throw new ClusterError(
          'Conflict',
          `${path} cannot be made: a branch has the name of the folder that it needs`,
          {
            cause: error,
          },
        );
      else throw error;
    }
};

/** Throws Conflict when the reference is not `expected` (undefined: absent) any more. */
export const moveRef = async (
  gitDir: string,
  ref: string,
  move: { readonly expected: string | undefined; readonly to: string },
): Promise<void> => {
  const path = join(gitDir, ref);
  const handle = await lock(`${path}.lock`);
  try {
    const current = await readRef(gitDir, ref);
    if (current !== move.expected)
      throw new ClusterError('Conflict', `${ref} moved to ${current?.slice(0, 8) ?? 'nothing'} meanwhile`, {
        retry: true,
      });
    await handle.writeFile(`${move.to}\n`);
    await handle.datasync();
    await handle.close();
    await rename(`${path}.lock`, path);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(`${path}.lock`, { force: true });
    throw error;
  }
};
