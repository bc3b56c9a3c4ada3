// A commit made of another tree and a few changed paths, as Git objects, without a work tree.
import git from 'isomorphic-git';
import { ClusterError } from '../../base/errors.js';
import type { BranchChange, Commit } from '../../gitops/source.js';
import { atomicFs, type GitObjects } from './objects.js';

type Target = { readonly oid: string; readonly type: 'tree' | 'blob' } | undefined;
type Edits = Map<string, Target | Edits>;

interface Entry {
  readonly mode: string;
  readonly path: string;
  readonly oid: string;
  readonly type: 'blob' | 'tree' | 'commit';
}

const typeOf = (mode: string): Entry['type'] =>
  mode === '40000' ? 'tree' : mode === '160000' ? 'commit' : 'blob';

const put = (edits: Edits, path: string, target: Target): void => {
  const steps = path.split('/').filter((step) => step !== '' && step !== '.');
  const last = steps.pop();
  if (last === undefined)
    throw new ClusterError('BadRequest', 'the whole repository is not a path that is replaced');
  let at = edits;
  for (const step of steps) {
    const next = at.get(step);
    const inner = next instanceof Map ? next : new Map<string, Target | Edits>();
    at.set(step, inner);
    at = inner;
  }
  at.set(last, target);
};

const entriesOf = async (
  objects: GitObjects,
  oid: string | undefined,
  signal: AbortSignal,
): Promise<Map<string, Entry>> => {
  if (oid === undefined) return new Map();
  const raw = await objects.entries(oid, signal);
  return new Map(
    raw.map(({ name, oid: target, mode }) => [
      name,
      { mode: mode.padStart(6, '0'), path: name, oid: target, type: typeOf(mode) },
    ]),
  );
};

/** Undefined for a tree that has become empty: Git keeps no empty folders. */
const writeTree = async (
  objects: GitObjects,
  base: string | undefined,
  edits: Edits,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const entries = await entriesOf(objects, base, signal);
  for (const [path, edit] of edits) {
    const before = entries.get(path);
    const target =
      edit instanceof Map
        ? await writeTree(objects, before?.type === 'tree' ? before.oid : undefined, edit, signal)
        : edit;
    if (target === undefined) entries.delete(path);
    else if (typeof target === 'string')
      entries.set(path, { mode: '040000', path, oid: target, type: 'tree' });
    else entries.set(path, { mode: target.type === 'tree' ? '040000' : '100644', path, ...target });
  }
  if (entries.size === 0) return undefined;
  return git.writeTree({ fs: atomicFs, gitdir: objects.gitDir, tree: [...entries.values()] });
};

const emptyTree = (objects: GitObjects): Promise<string> =>
  git.writeTree({ fs: atomicFs, gitdir: objects.gitDir, tree: [] });

/** Writes the objects and moves no reference. Gives the expected tip back when its tree is already the wanted one. */
export const writeCommit = async (
  objects: GitObjects,
  change: BranchChange,
  signal: AbortSignal,
): Promise<Commit> => {
  const edits: Edits = new Map();
  let base = change.base;
  for (const [path, target] of change.replace ?? [])
    if (path === '' || path === '.') base = target?.oid;
    else put(edits, path, target);
  for (const [path, content] of change.files ?? [])
    put(
      edits,
      path,
      content === undefined
        ? undefined
        : {
            type: 'blob',
            oid: await git.writeBlob({
              fs: atomicFs,
              gitdir: objects.gitDir,
              blob: Buffer.from(content, 'utf8'),
            }),
          },
    );
  const tree = (await writeTree(objects, base, edits, signal)) ?? (await emptyTree(objects));
  if (change.expected !== undefined) {
    const tip = await objects.commit(change.expected, signal);
    if (tip.tree === tree) return tip;
  }
  const person = { ...change.author, timestamp: Math.floor(change.at / 1_000), timezoneOffset: 0 };
  const message = change.message.endsWith('\n') ? change.message : `${change.message}\n`;
  const oid = await git.writeCommit({
    fs: atomicFs,
    gitdir: objects.gitDir,
    commit: { message, tree, parent: [...change.parents], author: person, committer: person },
  });
  return {
    oid,
    tree,
    parents: change.parents,
    message,
    author: change.author,
    committedAt: person.timestamp * 1_000,
  };
};
