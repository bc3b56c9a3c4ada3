import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbEngine } from '../../src/host/lmdb/lmdb-engine.js';
import { MvccStore } from '../../src/store/mvcc-store.js';
import { storeContract } from './store.js';

storeContract('lmdb', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'capstan-store-'));
  return {
    open: async (options) => new MvccStore(await openLmdbEngine(directory), options),
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
});
