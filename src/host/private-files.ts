// A folder of files that only their owner may read.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileStore } from '../pki/directory.js';
import { readOptionalFile, writeFileAtomically } from './files.js';

export const privateFiles = async (directory: string): Promise<FileStore> => {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return {
    read: (name) => readOptionalFile(join(directory, name)),
    write: (name, content) => writeFileAtomically(join(directory, name), content, 0o600),
  };
};
