// A directory of files as if it were a commit: what `capstan plan DIR` and `capstan validate DIR` look at.
import { createHash } from 'node:crypto';
import { ClusterError } from '../base/errors.js';
import type { Commit, ObjectId, ObjectReader, TreeEntry } from './source.js';

const encoder = new TextEncoder();

const hash = (type: string, content: Uint8Array): ObjectId =>
  createHash('sha1')
    .update(`${type} ${String(content.length)}\0`)
    .update(content)
    .digest('hex');

interface Directory {
  readonly folders: Map<string, Directory>;
  readonly files: Map<string, Uint8Array>;
}

const empty = (): Directory => ({ folders: new Map(), files: new Map() });

const arrange = (files: ReadonlyMap<string, string>): Directory => {
  const root = empty();
  for (const [path, content] of files) {
    const steps = path.split('/').filter((step) => step !== '' && step !== '.');
    const name = steps.pop();
    if (name === undefined) continue;
    let at = root;
    for (const step of steps) {
      const next = at.folders.get(step) ?? empty();
      at.folders.set(step, next);
      at = next;
    }
    at.files.set(name, encoder.encode(content));
  }
  return root;
};

/** `name` stands for the commit's id wherever a revision is shown. */
export const directoryReader = (
  files: ReadonlyMap<string, string>,
  name = 'directory',
): { readonly reader: ObjectReader; readonly commit: Commit } => {
  const trees = new Map<ObjectId, readonly TreeEntry[]>();
  const contents = new Map<ObjectId, Uint8Array>();
  const store = ({ folders, files: own }: Directory): ObjectId => {
    const entries: TreeEntry[] = [
      ...[...folders].map(([folder, child]): TreeEntry => ({
        name: folder,
        oid: store(child),
        type: 'tree',
      })),
      ...[...own].map(([file, content]): TreeEntry => {
        const oid = hash('blob', content);
        contents.set(oid, content);
        return { name: file, oid, type: 'blob' };
      }),
    ];
    const oid = hash('directory', encoder.encode(JSON.stringify(entries)));
    trees.set(oid, entries);
    return oid;
  };
  const commit: Commit = {
    oid: name,
    tree: store(arrange(files)),
    parents: [],
    message: name,
    author: { name: '', email: '' },
    committedAt: 0,
  };
  const missing = (oid: ObjectId): ClusterError => new ClusterError('NotFound', `there is no object ${oid}`);
  return {
    commit,
    reader: {
      commit: () => Promise.resolve(commit),
      tree: (oid) => {
        const entries = trees.get(oid);
        return entries === undefined ? Promise.reject(missing(oid)) : Promise.resolve(entries);
      },
      blobs: async function* (oids) {
        for (const oid of oids) {
          const content = contents.get(oid);
          if (content === undefined) throw missing(oid);
          yield await Promise.resolve({ oid, content });
        }
      },
    },
  };
};
