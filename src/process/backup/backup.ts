// A backup of a data directory while its daemon runs, or while none does: the store as of one revision, keys, certificates
// and Capstan's own repository. Secrets leave it encrypted, as they lie on the disk.
import { relative } from 'node:path';
import { createGzip } from 'node:zlib';
import { ClusterError } from '../../base/errors.js';
import { toTimestamp, type Clock } from '../../base/clock.js';
import type { Extension } from '../../base/http.js';
import { readTree } from '../../host/tree.js';
import { openLmdbEngine } from '../../host/lmdb/lmdb-engine.js';
import { systemClock } from '../../host/system-clock.js';
import type { EncryptingEngine } from '../../store/at-rest/encrypting-engine.js';
import { MvccStore } from '../../store/mvcc-store.js';
import type { Store } from '../../store/store.js';
import { encryptSecrets } from '../at-rest.js';
import type { DataDirectory } from '../data-directory.js';
import { version } from '../version.js';
import { backupLines } from './archive.js';
import type { BackupItem } from './archive.js';

export interface BackupSource {
  readonly store: Store;
  readonly engine: EncryptingEngine;
  readonly directory: DataDirectory;
  readonly clock: Clock;
}

async function* itemsOf({
  root,
  pki,
  repository,
  settings,
}: DataDirectory): AsyncGenerator<BackupItem, void> {
  for (const place of [pki, settings, repository])
    for await (const { path, mode, content } of readTree(place))
      yield { type: 'file', file: { path: relative(root, path), mode, content } };
}

/** Key ring and entries of one moment: a rotation meanwhile changes both, and must not come between them. */
const sealedItems = ({ store, engine, directory }: BackupSource): readonly BackupItem[] => {
  const path = relative(directory.root, engine.ring.location);
  const content = Buffer.from(engine.ring.content);
  return [
    { type: 'file', file: { path, mode: 0o600, content } },
    ...store.list('').entries.map((entry): BackupItem => ({ type: 'entry', entry: engine.sealed(entry) })),
  ];
};

/** Compressed; the entries are those of one revision, the newest one now. */
export const backupOf = (source: BackupSource): AsyncIterable<Uint8Array> => {
  const { store, directory, clock } = source;
  const { revision } = store;
  const sealed = sealedItems(source);
  const header = {
    format: 'capstan-backup',
    version: 1,
    program: version,
    createdAt: toTimestamp(clock.now()),
    revision,
  } as const;
  async function* items(): AsyncGenerator<BackupItem, void> {
    yield* sealed;
    yield* itemsOf(directory);
  }
  const packed = createGzip({ level: 6 });
  void (async () => {
    try {
      for await (const line of backupLines(header, items()))
        if (!packed.write(line))
          await new Promise((resolve) => packed.once('drain', resolve).once('close', resolve));
      packed.end();
    } catch (error) {
      packed.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  })();
  return packed;
};

/** `GET /capstan/v1/backup`: for administrators, since everything is in it. */
export const backupEndpoint = (source: BackupSource): Extension => ({
  prefix: '/capstan/v1/backup',
  handle: ({ method }) => {
    if (method !== 'GET') throw new ClusterError('MethodNotAllowed', 'a backup is asked for with GET');
    return Promise.resolve({
      status: 200,
      headers: { 'content-type': 'application/gzip' },
      body: backupOf(source),
    });
  },
});

/** Of a data directory whose daemon does not run; throws Conflict while one does. */
export async function* offlineBackup(directory: DataDirectory): AsyncGenerator<Uint8Array, void> {
  const engine = await encryptSecrets(await openLmdbEngine(directory.store, { program: version }), directory);
  const store = new MvccStore(engine);
  try {
    yield* backupOf({ store, engine, directory, clock: systemClock });
  } finally {
    await store.close();
  }
}
