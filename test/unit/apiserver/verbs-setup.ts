// A registry over an in-memory store with a manual clock and seeded ids, for tests of the verbs.
import { ManualClock } from '../../../src/base/manual-clock.js';
import { silent } from '../../../src/base/log.js';
import { admissionPlugins } from '../../../src/apiserver/admission/plugins.js';
import { createAuthorizer } from '../../../src/apiserver/authorize/authorizer.js';
import { bootstrap } from '../../../src/apiserver/bootstrap.js';
import type { Registry, Stored, WatchItem } from '../../../src/apiserver/registry.js';
import { createRegistry } from '../../../src/apiserver/store-registry.js';
import type { Resource } from '../../../src/resources/resource.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import type { Ids } from '../../../src/apiserver/verbs/context.js';
import { createRandom } from '../../contract/random.js';
import type { Random } from '../../contract/random.js';
import { MvccStore } from '../../../src/store/mvcc-store.js';
import type { MvccStoreOptions } from '../../../src/store/mvcc-store.js';

export const idsFrom = ({ integer }: Random): Ids => {
  let count = 0;
  return {
    uid: () => {
      count += 1;
      return `00000000-0000-4000-8000-${count.toString(16).padStart(12, '0')}`;
    },
    random: () => integer(2 ** 32) / 2 ** 32,
  };
};

export const options = { identity: { user: 'test', groups: [] }, fieldManager: 'test' } as const;

export interface TestRegistry {
  readonly registry: Registry;
  readonly store: MvccStore;
  readonly clock: ManualClock;
  close(): Promise<void>;
}

export interface SetupOptions {
  readonly seed?: number;
  readonly engine?: MemoryEngine;
  readonly store?: MvccStoreOptions;
  readonly serviceCidr?: string;
  /** Holds whoever writes roles to their own rights. */
  readonly authorized?: boolean;
  /** Gives pods the tokens of their accounts. */
  readonly serviceAccountTokens?: boolean;
}

export const setup = async ({
  seed = 1,
  engine = new MemoryEngine(),
  store: limits = {},
  serviceCidr = '10.96.0.0/16',
  authorized = false,
  serviceAccountTokens = false,
}: SetupOptions = {}): Promise<TestRegistry> => {
  const store = new MvccStore(engine, limits);
  const clock = new ManualClock();
  const lifetime = new AbortController();
  const ids = idsFrom(createRandom(seed));
  const registry = createRegistry({
    store,
    clock,
    ids,
    admission: admissionPlugins({
      store,
      serviceCidr,
      lifetime: lifetime.signal,
      authorizer: authorized ? createAuthorizer({ store, lifetime: lifetime.signal }) : undefined,
      serviceAccountTokens: serviceAccountTokens ? { ids } : undefined,
    }),
    log: silent,
  });
  await bootstrap(registry, { serviceCidr, apiPort: 6443 });
  return {
    registry,
    store,
    clock,
    close: async () => {
      lifetime.abort();
      await store.close();
    },
  };
};

export const parsed = ({ bytes }: Stored): Resource =>
  JSON.parse(Buffer.from(bytes).toString('utf8')) as Resource;

/** Reads a watch into a list that grows while the test goes on. */
export const record = (
  items: AsyncIterable<WatchItem>,
): { readonly items: WatchItem[]; readonly done: Promise<void> } => {
  const seen: WatchItem[] = [];
  const done = (async () => {
    for await (const item of items) seen.push(item);
  })();
  done.catch(() => undefined);
  return { items: seen, done };
};

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
