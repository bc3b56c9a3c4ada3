// The manifests of a directory on disk, for commands that look at what is not committed yet.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError } from '../base/errors.js';

const mostBytes = 64 * 1024 * 1024;

/** Path below the directory -> content. Hidden files and `node_modules` are left out. Throws NotFound, BadRequest when it is far too large. */
export const readManifestDirectory = async (root: string): Promise<ReadonlyMap<string, string>> => {
  const files = new Map<string, string>();
  let size = 0;
  const visit = async (directory: string, prefix: string): Promise<void> => {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      const path = join(directory, entry.name);
      const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
      if (entry.isDirectory()) await visit(path, name);
      else if (
        entry.isFile() &&
        /\.(ya?ml|json|tpl|txt|md|env|properties|conf)$|^Kustomization$/i.test(entry.name)
      ) {
        const content = await readFile(path, 'utf8');
        size += content.length;
        if (size > mostBytes)
          throw new ClusterError(
            'BadRequest',
            `${root} holds more than ${String(mostBytes / 1024 / 1024)} MB: name the repository itself`,
          );
        files.set(name, content);
      }
    }
  };
  try {
    await visit(root, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new ClusterError('NotFound', `there is no directory ${root}`, { cause: error });
    throw error;
  }
  return files;
};
