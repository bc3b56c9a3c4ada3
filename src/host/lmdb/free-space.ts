// Space that this process may still use on a directory's file system.
import { statfs } from 'node:fs/promises';

/** In bytes; the part kept back for root counts for root only. */
export const freeBytes = async (directory: string): Promise<number> => {
  const { bavail, bfree, bsize } = await statfs(directory);
  return (process.getuid?.() === 0 ? bfree : bavail) * bsize;
};
