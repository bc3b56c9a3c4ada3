// Secrets in the store: which keys of it are encrypted, where the key ring lies, and the endpoint that rotates it.
import { join } from 'node:path';
import { ClusterError } from '../base/errors.js';
import type { Extension } from '../base/http.js';
import type { Logger } from '../base/log.js';
import { privateFiles } from '../host/private-files.js';
import { kindPrefix } from '../resources/kind.js';
import { secrets } from '../resources/kinds/secrets.js';
import { EncryptingEngine } from '../store/at-rest/encrypting-engine.js';
import { KeyRing } from '../store/at-rest/key-ring.js';
import { rewriteStale, rotateKey } from '../store/at-rest/rewrite.js';
import type { Engine } from '../store/engine.js';
import { StoreUnavailable } from '../store/store.js';
import type { Store } from '../store/store.js';
import type { DataDirectory } from './data-directory.js';

const keyFile = 'secrets.json';

/** Throws Invalid for a key file that is damaged; what a missing or wrong one cannot decrypt shows when it is loaded. */
export const encryptSecrets = async (engine: Engine, { keys }: DataDirectory): Promise<EncryptingEngine> => {
  const files = await privateFiles(keys);
  const ring = await KeyRing.open({
    location: join(keys, keyFile),
    read: () => files.read(keyFile),
    write: (content) => files.write(keyFile, content),
  });
  return new EncryptingEngine({ engine, ring, prefixes: [kindPrefix(secrets)] });
};

/** After a start: encrypts what older data holds in the clear, and goes on with a rotation that was cut short. */
export const encryptOlderData = async (
  store: Store,
  engine: EncryptingEngine,
  log: Logger,
): Promise<void> => {
  try {
    const { values, dropped } = await rewriteStale(store, engine);
    if (values > 0 || dropped.length > 0) log.info({ values, dropped }, 'Secrets were encrypted anew');
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    // A full disk ends no cluster that runs: everything stays readable, and the next start tries again.
    log.warn({ error: error.message }, 'Secrets could not be encrypted anew');
  }
};

/** `POST /capstan/v1/rotate-key`: answers when everything is under the new key. */
export const rotateKeyEndpoint = (store: Store, engine: EncryptingEngine): Extension => ({
  prefix: '/capstan/v1/rotate-key',
  handle: async ({ method }) => {
    if (method !== 'POST') throw new ClusterError('MethodNotAllowed', 'a key is rotated with POST');
    const rotated = await rotateKey(store, engine);
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: [Buffer.from(JSON.stringify(rotated))],
    };
  },
});
