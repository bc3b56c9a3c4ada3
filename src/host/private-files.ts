// A folder of files that only their owner may read: keys and certificates.
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileStore } from '../pki/directory.js';
import { readOptionalFile } from './files.js';

const sync = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** In one step and durable: a key that a power cut took away would take every certificate of its with it. */
const replaceFile = async (path: string, content: string): Promise<void> => {
  const temporary = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await sync(dirname(path));
};

/** Makes the folder when it is absent, and private when it is not. */
export const privateFiles = async (directory: string): Promise<FileStore> => {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  return {
    read: (name) => readOptionalFile(join(directory, name)),
    write: (name, content) => replaceFile(join(directory, name), content),
  };
};
