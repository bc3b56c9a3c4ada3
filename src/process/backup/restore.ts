// A backup becomes a data directory: made beside its place and moved there whole, so that it is there or it is not.
import { join } from 'node:path';
import { ClusterError } from '../../base/errors.js';
import { isEmptyPlace, moveIntoPlace, removeTree, writePrivateFile } from '../../host/tree.js';
import { openLmdbEngine } from '../../host/lmdb/lmdb-engine.js';
import type { Change, Entry, Revision } from '../../store/store.js';
import { dataDirectory } from '../data-directory.js';
import { version } from '../version.js';
import type { ReadBackup } from './archive.js';

/**
 * Revisions that clients have seen after the backup must not come back with another meaning: counting goes on far behind
 * them, and whoever asks for one of them is told to list anew.
 */
const revisionsAhead = 1_000_000;
const batchEntries = 1000;

const changeOf = (entry: Entry): Change => ({
  revision: entry.modified,
  key: entry.key,
  entry,
  previous: undefined,
});

/** The newest revision is written with a deletion of nothing. */
const lastChange = (revision: Revision): Change => ({
  revision: revision + revisionsAhead,
  key: 'capstan/restored',
  entry: undefined,
  previous: undefined,
});

const writeStore = async (directory: string, { header, entries }: ReadBackup): Promise<void> => {
  const engine = await openLmdbEngine(directory, { program: version });
  try {
    const changes = [...entries].sort((a, b) => a.modified - b.modified).map(changeOf);
    for (let at = 0; at < changes.length; at += batchEntries)
      await engine.append(changes.slice(at, at + batchEntries));
    await engine.append([lastChange(header.revision)]);
  } finally {
    await engine.close();
  }
};

/** Throws Conflict unless the data directory is absent or empty. */
export const restoreInto = async (root: string, backup: ReadBackup): Promise<void> => {
  if (!(await isEmptyPlace(root)))
    throw new ClusterError(
      'Conflict',
      `${root} is not empty, and a restore replaces nothing: choose another --data-dir, or remove this one with \`capstan reset\``,
    );
  const made = `${root}.restoring`;
  await removeTree(made);
  try {
    for (const { path, mode, content } of backup.files)
      await writePrivateFile(join(made, path), content, mode);
    await writeStore(dataDirectory(made).store, backup);
    await moveIntoPlace(made, root);
  } catch (error) {
    await removeTree(made);
    throw error;
  }
};
