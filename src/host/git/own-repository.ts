// The bare repository that Capstan makes in its data directory: filled with the example, guarded by hooks.
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import git from 'isomorphic-git';
import type { Instant } from '../../base/clock.js';
import type { Person } from '../../gitops/source.js';
import { atomicFs, GitObjects } from './objects.js';
import { moveRef } from './refs.js';
import { writeCommit } from './write-commit.js';

const filesBelow = async (
  directory: string,
  prefix = '',
): Promise<readonly (readonly [string, string])[]> => {
  const found: (readonly [string, string])[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesBelow(path, name)));
    else if (entry.isFile()) found.push([name, await readFile(path, 'utf8')]);
  }
  return found;
};

export interface OwnRepository {
  readonly gitDir: string;
  readonly branch: string;
  /** The directory whose content is the first commit. */
  readonly example: string;
  readonly author: Person;
  readonly now: Instant;
}

/** Makes the repository when there is none; complete or not at all. True when it was made. */
export const makeOwnRepository = async (options: OwnRepository, signal: AbortSignal): Promise<boolean> => {
  const { gitDir, branch, example, author, now } = options;
  if (existsSync(join(gitDir, 'HEAD'))) return false;
  const making = `${gitDir}.making`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true });
  await git.init({ fs: atomicFs, gitdir: making, bare: true, defaultBranch: branch });
  const objects = new GitObjects(making, { hasGit: false });
  const commit = await writeCommit(
    objects,
    {
      branch,
      expected: undefined,
      parents: [],
      author,
      message: 'Start with the example\n',
      at: now,
      base: undefined,
      files: new Map(await filesBelow(example)),
    },
    signal,
  );
  await moveRef(making, `refs/heads/${branch}`, { expected: undefined, to: commit.oid });
  await rm(gitDir, { recursive: true, force: true });
  await rename(making, gitDir);
  return true;
};

/** Written anew at each start: the program may have moved. Hooks of the user's own are never overwritten. */
export const writeHooks = async (gitDir: string, scripts: ReadonlyMap<string, string>): Promise<void> => {
  const directory = join(gitDir, 'hooks');
  await mkdir(directory, { recursive: true });
  for (const [name, script] of scripts) {
    const path = join(directory, name);
    const present = existsSync(path) ? await readFile(path, 'utf8') : undefined;
    if (present === script || (present !== undefined && !present.includes('Written by Capstan'))) continue;
    await writeFile(path, script);
    await chmod(path, 0o755);
  }
};
