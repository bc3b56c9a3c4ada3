// How much of each quota is used: an index over the objects of the namespaces that have quotas, kept by watching the
// store, plus what writes under way may come to use. What it finds is written into the quotas' status.
import { equal } from '../../base/json.js';
import type { ResourceQuota } from '../../resources/generated/types.js';
import { storeKey } from '../../resources/kind.js';
import { resourcequotas } from '../../resources/kinds/resourcequotas.js';
import type { Resource } from '../../resources/resource.js';
import { Compacted, RevisionConflict, StoreUnavailable } from '../../store/store.js';
import type { Entry, Store } from '../../store/store.js';
import { encode } from '../stored-entries.js';
import { amountText, consumerOf, usageUnder } from './quota-usage.js';
import type { Consumer, Usage } from './quota-usage.js';

interface Account {
  readonly quota: ResourceQuota;
  readonly used: Map<string, bigint>;
}

/** One object: its state in the store, if any, and the states that writes under way may give it. */
interface Item {
  readonly states: readonly Consumer[];
  readonly claims: number;
}

interface Ledger {
  readonly items: Map<string, Item>;
  accounts: readonly Account[];
  publishing: boolean;
  stale: boolean;
}

const decoder = new TextDecoder();
const decode = (entry: Entry): Resource => JSON.parse(decoder.decode(entry.value)) as Resource;

/** `core/pods` and the namespace of `core/pods/shop/web`; undefined for objects of the whole cluster. */
const placeOf = (key: string): { readonly prefix: string; readonly namespace: string } | undefined => {
  const [group = '', plural = '', namespace = '', name] = key.split('/');
  return name === undefined ? undefined : { prefix: `${group}/${plural}`, namespace };
};

const stateOf = (key: string, entry: Entry): Consumer =>
  consumerOf(placeOf(key)?.prefix ?? '', decode(entry));

/** Kinds that a limited resource is counted over. */
const prefixOf = (resource: string): string => {
  if (resource.startsWith('count/')) {
    const [plural = '', ...group] = resource.slice('count/'.length).split('.');
    return `${group.length === 0 ? 'core' : group.join('.')}/${plural}`;
  }
  if (resource === 'requests.storage' || resource.includes('.storageclass.storage.k8s.io/'))
    return 'core/persistentvolumeclaims';
  if (resource.startsWith('services.')) return 'core/services';
  const compute = /^(pods|cpu|memory|ephemeral-storage|requests\.|limits\.)/.test(resource);
  return compute ? 'core/pods' : `core/${resource}`;
};

const prefixesOf = (quotas: readonly ResourceQuota[]): ReadonlySet<string> =>
  new Set(quotas.flatMap(({ spec }) => Object.keys(spec.hard ?? {}).map(prefixOf)));

export class QuotaLedger {
  readonly #store: Store;
  readonly #lifetime: AbortSignal;
  readonly #ledgers = new Map<string, Ledger>();
  #started = false;

  /** `lifetime` ends the watch that starts with the first quota. */
  constructor(store: Store, lifetime: AbortSignal) {
    this.#store = store;
    this.#lifetime = lifetime;
  }

  /** The accounts of a namespace that has these quotas; none when there are none. */
  accounts(namespace: string, quotas: readonly ResourceQuota[]): readonly Account[] {
    if (quotas.length === 0) {
      this.#ledgers.delete(namespace);
      return [];
    }
    this.#start();
    const known = this.#ledgers.get(namespace);
    const same =
      known !== undefined &&
      known.accounts.length === quotas.length &&
      quotas.every(({ metadata, spec }, index) => {
        const quota = known.accounts[index]?.quota;
        return quota !== undefined && quota.metadata.uid === metadata.uid && equal(quota.spec, spec);
      });
    return same ? known.accounts : this.#open(namespace, quotas).accounts;
  }

  /** What the object of that key would use beyond what is counted for it. */
  growth({ quota }: Account, key: string, next: Consumer): Usage {
    const states = this.#itemOf(key)?.states ?? [];
    const before = usageUnder(quota, states);
    const after = usageUnder(quota, [...states, next]);
    return new Map([...after].map(([name, amount]) => [name, amount - (before.get(name) ?? 0n)]));
  }

  claim(key: string, next: Consumer): void {
    const item = this.#itemOf(key) ?? { states: [], claims: 0 };
    this.#put(key, { states: [...item.states, next], claims: item.claims + 1 });
  }

  /** A write of that key has ended; `claimed` when it had claimed something. */
  settle(key: string, claimed: boolean): void {
    const item = this.#itemOf(key);
    const claims = Math.max(0, (item?.claims ?? 0) - (claimed ? 1 : 0));
    if (item !== undefined) this.#put(key, { ...item, claims });
    // While others still write, the largest state counts.
    if (claims === 0) this.#read(key);
  }

  #itemOf(key: string): Item | undefined {
    return this.#ledgers.get(placeOf(key)?.namespace ?? '')?.items.get(key);
  }

  #put(key: string, item: Item | undefined): void {
    const namespace = placeOf(key)?.namespace ?? '';
    const ledger = this.#ledgers.get(namespace);
    if (ledger === undefined) return;
    const before = ledger.items.get(key)?.states ?? [];
    const after = item?.states ?? [];
    for (const { quota, used } of ledger.accounts) {
      for (const [name, amount] of usageUnder(quota, before)) used.set(name, (used.get(name) ?? 0n) - amount);
      for (const [name, amount] of usageUnder(quota, after)) used.set(name, (used.get(name) ?? 0n) + amount);
    }
    if (item === undefined) ledger.items.delete(key);
    else ledger.items.set(key, item);
    this.#publish(namespace);
  }

  #read(key: string): void {
    const place = placeOf(key);
    const ledger = place === undefined ? undefined : this.#ledgers.get(place.namespace);
    if (ledger === undefined || (ledger.items.get(key)?.claims ?? 0) > 0) return;
    const entry = this.#store.get(key);
    this.#put(key, entry === undefined ? undefined : { states: [stateOf(key, entry)], claims: 0 });
  }

  #open(namespace: string, quotas: readonly ResourceQuota[]): Ledger {
    const before = this.#ledgers.get(namespace);
    const ledger: Ledger = {
      items: new Map(),
      accounts: quotas.map((quota) => ({ quota, used: new Map() })),
      publishing: before?.publishing ?? false,
      stale: true,
    };
    this.#ledgers.set(namespace, ledger);
    for (const prefix of prefixesOf(quotas))
      for (const { key } of this.#store.list(`${prefix}/${namespace}/`).entries) this.#read(key);
    for (const [key, item] of before?.items ?? []) if (item.claims > 0) this.#put(key, item);
    this.#publish(namespace);
    return ledger;
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#follow();
  }

  async #follow(): Promise<void> {
    for (;;) {
      const changes = this.#store.watch('', this.#store.revision, this.#lifetime);
      try {
        for await (const { key } of changes) this.#read(key);
        return;
      } catch (error) {
        if (!(error instanceof Compacted)) throw error;
        for (const [namespace, { accounts }] of this.#ledgers)
          this.#open(
            namespace,
            accounts.map(({ quota }) => quota),
          );
      }
    }
  }

  /** One write at a time for each namespace: what changes meanwhile goes into the next. */
  #publish(namespace: string): void {
    const ledger = this.#ledgers.get(namespace);
    if (ledger === undefined) return;
    ledger.stale = true;
    if (ledger.publishing) return;
    ledger.publishing = true;
    void this.#writeStatus(namespace);
  }

  async #writeStatus(namespace: string): Promise<void> {
    // Changes of one turn go together.
    await Promise.resolve();
    for (;;) {
      const ledger = this.#ledgers.get(namespace);
      if (ledger === undefined) return;
      if (!ledger.stale || this.#lifetime.aborted) {
        ledger.publishing = false;
        return;
      }
      ledger.stale = false;
      for (const account of ledger.accounts) await this.#writeOne(account, ledger);
    }
  }

  async #writeOne({ quota, used }: Account, ledger: Ledger): Promise<void> {
    const { name, namespace } = quota.metadata;
    const entry = this.#store.get(storeKey(resourcequotas, name, namespace));
    if (entry === undefined) return;
    const live = decode(entry) as ResourceQuota;
    const { hard = {} } = quota.spec;
    const names = Object.keys(hard);
    const status = {
      hard,
      used: Object.fromEntries(names.map((one) => [one, amountText(one, used.get(one) ?? 0n)])),
    };
    if (live.metadata.uid !== quota.metadata.uid || equal(live.status, status)) return;
    try {
      await this.#store.commit(
        { key: entry.key, value: encode({ ...live, status } as Resource) },
        entry.modified,
      );
    } catch (error) {
      // Without a store nothing changes either; the next change tries again.
      if (error instanceof StoreUnavailable) return;
      if (!(error instanceof RevisionConflict)) throw error;
      ledger.stale = true;
    }
  }
}
