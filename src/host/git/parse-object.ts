// The bytes of trees and commits.
import type { Commit, TreeEntry } from '../../gitops/source.js';

export interface RawEntry {
  readonly name: string;
  readonly oid: string;
  /** As Git writes it: `100644`, `100755`, `120000`, `40000`, `160000`. */
  readonly mode: string;
}

/** `width` is the length of an object id in bytes. */
export const parseEntries = (content: Uint8Array, width = 20): readonly RawEntry[] => {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const entries: RawEntry[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const space = bytes.indexOf(0x20, offset);
    const zero = bytes.indexOf(0, space);
    entries.push({
      name: bytes.toString('utf8', space + 1, zero),
      oid: bytes.toString('hex', zero + 1, zero + 1 + width),
      mode: bytes.toString('latin1', offset, space),
    });
    offset = zero + 1 + width;
  }
  return entries;
};

const typeOf = (mode: string): TreeEntry['type'] => {
  if (mode === '40000') return 'tree';
  return mode.startsWith('100') ? 'blob' : 'other';
};

export const parseTree = (content: Uint8Array, width = 20): readonly TreeEntry[] =>
  parseEntries(content, width).map(({ name, oid, mode }) => ({ name, oid, type: typeOf(mode) }));

export const parseCommit = (oid: string, content: Uint8Array): Commit => {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8');
  const end = text.indexOf('\n\n');
  const header = end === -1 ? text : text.slice(0, end);
  const lines = header.split('\n');
  const all = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const [author = ''] = all('author');
  const [committer = ''] = all('committer');
  const person = /^(.*?) ?<(.*?)>/.exec(author);
  return {
    oid,
    tree: all('tree')[0] ?? '',
    parents: all('parent'),
    message: end === -1 ? '' : text.slice(end + 2),
    author: { name: person?.[1] ?? '', email: person?.[2] ?? '' },
    committedAt: Number(/> (\d+)/.exec(committer)?.[1] ?? 0) * 1_000,
  };
};
