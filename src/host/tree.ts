// Folders as a whole: read, written and moved.
import { createReadStream } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { ClusterError, messageOf } from '../base/errors.js';

export { removeTree } from './files.js';

export interface TreeFile {
  /** As the place is given: absolute when that is. */
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

const gone = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Names of a repository's references come before its objects, so that what they name is there when it is read. */
const refsFirst = (a: string, b: string): number =>
  Number(b === 'refs' || b === 'HEAD' || b === 'packed-refs') -
    Number(a === 'refs' || a === 'HEAD' || a === 'packed-refs') || (a < b ? -1 : 1);

/** Every file below a place, or the place itself when it is a file; nothing where there is none. What goes meanwhile is left out. */
export async function* readTree(place: string): AsyncGenerator<TreeFile, void> {
  try {
    const facts = await stat(place);
    if (facts.isFile()) {
      yield { path: place, mode: facts.mode & 0o777, content: await readFile(place) };
      return;
    }
    if (!facts.isDirectory()) return;
  } catch (error) {
    if (gone(error)) return;
    throw error;
  }
  for (const name of (await readdir(place)).sort(refsFirst)) yield* readTree(join(place, name));
}

/** Absent, or an empty folder. */
export const isEmptyPlace = async (place: string): Promise<boolean> => {
  try {
    return (await readdir(place)).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
};

/** Makes the folders above it, private ones. */
export const writePrivateFile = async (path: string, content: Uint8Array, mode = 0o600): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'w', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(path, mode);
};

/** In one step; the target is absent or an empty folder. */
export const moveIntoPlace = async (from: string, to: string): Promise<void> => {
  await mkdir(dirname(to), { recursive: true });
  await rmdir(to).catch((error: unknown) => {
    if (!gone(error)) throw error;
  });
  await rename(from, to);
};

/** Writes a stream to a file that only its owner may read, whole or not at all; gives its size in bytes. */
export const writeStream = async (path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> => {
  const unfinished = `${path}.unfinished`;
  const file = await open(unfinished, 'w', 0o600);
  let size = 0;
  try {
    for await (const chunk of chunks) {
      await file.writeFile(chunk);
      size += chunk.byteLength;
    }
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(unfinished, { force: true });
    throw error;
  }
  await file.close();
  await rename(unfinished, path);
  return size;
};

/** The lines of a compressed file. Throws NotFound, or Invalid when it is not compressed or ends too early. */
export async function* gunzippedLines(path: string): AsyncGenerator<string, void> {
  const source = createReadStream(path);
  const plain = createGunzip();
  source.once('error', (error) => plain.destroy(error));
  const lines = createInterface({ input: source.pipe(plain), crlfDelay: Infinity });
  const failed = new Promise<never>((_, reject) => plain.once('error', reject));
  failed.catch(() => undefined);
  const iterator = lines[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([failed, iterator.next()]);
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new ClusterError('NotFound', `there is no file ${path}`);
    throw new ClusterError(
      'Invalid',
      `${path} is no whole backup of Capstan: ${messageOf(error)}; nothing was restored`,
    );
  } finally {
    source.destroy();
    lines.close();
  }
}
