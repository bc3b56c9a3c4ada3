// What a backup looks like: gzip of JSON lines, readable with `zcat`. First a header, then files and entries of the store,
// at the end a sum over everything before it, so that half a backup never passes for one. Pure but for the clock's word.
import { createHash } from 'node:crypto';
import { ClusterError } from '../../base/errors.js';
import { isObject } from '../../base/json.js';
import type { Entry, Revision } from '../../store/store.js';

export interface BackupHeader {
  readonly format: 'capstan-backup';
  readonly version: 1;
  /** Version of Capstan that made it. */
  readonly program: string;
  readonly createdAt: string;
  /** Of the store, for all entries. */
  readonly revision: Revision;
}

/** A file of the data directory; its path is relative to that. */
export interface BackupFile {
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

export type BackupItem =
  { readonly type: 'file'; readonly file: BackupFile } | { readonly type: 'entry'; readonly entry: Entry };

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

const itemLine = (item: BackupItem): string => {
  if (item.type === 'file') {
    const { path, mode, content } = item.file;
    return JSON.stringify({ file: { path, mode, content: base64(content) } });
  }
  const { key, value, created, modified } = item.entry;
  return JSON.stringify({ entry: { key, value: base64(value), created, modified } });
};

/** The lines of a backup, each with its line end. */
export async function* backupLines(
  header: BackupHeader,
  items: AsyncIterable<BackupItem> | Iterable<BackupItem>,
): AsyncGenerator<string, void> {
  const sum = createHash('sha256');
  let count = 0;
  const told = (text: string): string => {
    const line = `${text}\n`;
    sum.update(line);
    return line;
  };
  yield told(JSON.stringify(header));
  for await (const item of items) {
    count += 1;
    yield told(itemLine(item));
  }
  yield `${JSON.stringify({ end: { items: count, sha256: sum.digest('hex') } })}\n`;
}

const damaged = (why: string): ClusterError =>
  new ClusterError('Invalid', `this is no whole backup of Capstan: ${why}; nothing was restored`);

const parsed = (line: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(line);
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw damaged('a line of it is not JSON');
};

const headerOf = (line: string): BackupHeader => {
  const header = parsed(line) as Partial<BackupHeader>;
  if (header.format !== 'capstan-backup' || typeof header.revision !== 'number')
    throw damaged('it has another beginning');
  if ((header.version as number) !== 1)
    throw damaged(
      `it has format version ${String(header.version)}, made by Capstan ${String(header.program)}; this program reads version 1`,
    );
  return header as BackupHeader;
};

/** Never out of the data directory, whoever wrote the backup. */
const isInside = (path: string): boolean =>
  path !== '' && !path.startsWith('/') && !path.split('/').some((part) => part === '..' || part === '');

const itemOf = (value: Record<string, unknown>): BackupItem => {
  const { file, entry } = value;
  if (isObject(file) && typeof file['path'] === 'string' && typeof file['content'] === 'string') {
    if (!isInside(file['path']))
      throw damaged(`it holds a file outside of the data directory (${file['path']})`);
    const mode = typeof file['mode'] === 'number' ? file['mode'] & 0o777 : 0o600;
    const content = new Uint8Array(Buffer.from(file['content'], 'base64'));
    return { type: 'file', file: { path: file['path'], mode, content } };
  }
  if (isObject(entry) && typeof entry['key'] === 'string' && typeof entry['value'] === 'string') {
    const { key, created, modified } = entry as { key: string; created: number; modified: number };
    const value = new Uint8Array(Buffer.from(entry['value'], 'base64'));
    return { type: 'entry', entry: { key, value, created, modified } };
  }
  throw damaged('a line of it is neither a file nor an entry');
};

export interface ReadBackup {
  readonly header: BackupHeader;
  readonly files: readonly BackupFile[];
  readonly entries: readonly Entry[];
}

/** Throws Invalid unless every line is there and as it was written. */
export const readBackup = async (lines: AsyncIterable<string>): Promise<ReadBackup> => {
  const sum = createHash('sha256');
  const files: BackupFile[] = [];
  const entries: Entry[] = [];
  let header: BackupHeader | undefined;
  let end: unknown;
  for await (const line of lines) {
    if (end !== undefined) throw damaged('something follows its end');
    if (header === undefined) header = headerOf(line);
    else {
      const value = parsed(line);
      end = value['end'];
      if (end !== undefined) continue;
      const item = itemOf(value);
      if (item.type === 'file') files.push(item.file);
      else entries.push(item.entry);
    }
    sum.update(`${line}\n`);
  }
  if (header === undefined || !isObject(end)) throw damaged('its end is missing');
  if (end['items'] !== files.length + entries.length || end['sha256'] !== sum.digest('hex'))
    throw damaged('its sum does not match what it holds');
  return { header, files, entries };
};
