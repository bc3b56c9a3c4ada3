// Which Service holds which cluster IP and node port: an index over the Services in the store, kept by watching them,
// plus what is promised to writes under way. There is no second record that could disagree with the Services.
import type { Service } from '../../resources/generated/types.js';
import { kindPrefix } from '../../resources/kind.js';
import { services } from '../../resources/kinds/services.js';
import { Compacted } from '../../store/store.js';
import type { Entry, Store } from '../../store/store.js';

const decoder = new TextDecoder();

/** Cluster IPs as they are, node ports as `TCP/30080`. */
export const holdingsOf = ({ spec }: Pick<Service, 'spec'>): readonly string[] => {
  const addresses = [spec.clusterIP ?? '', ...(spec.clusterIPs ?? [])].filter(
    (address) => address !== '' && address !== 'None',
  );
  const ports = (spec.ports ?? [])
    .filter(({ nodePort }) => (nodePort ?? 0) > 0)
    .map(({ nodePort, protocol }) => portHolding(protocol, nodePort ?? 0));
  const health = spec.healthCheckNodePort ?? 0;
  if (health > 0) ports.push(portHolding('TCP', health));
  return [...new Set([...addresses, ...ports])];
};

export const portHolding = (protocol: string | undefined, port: number): string =>
  `${protocol ?? 'TCP'}/${String(port)}`;

export class ServiceAddresses {
  readonly #store: Store;
  readonly #lifetime: AbortSignal;
  readonly #owners = new Map<string, string>();
  readonly #holdings = new Map<string, readonly string[]>();
  /** By holding: who it is promised to, and in how many writes. */
  readonly #promises = new Map<string, { readonly key: string; count: number }>();
  #started = false;

  /** `lifetime` ends the watch that starts with the first question. */
  constructor(store: Store, lifetime: AbortSignal) {
    this.#store = store;
    this.#lifetime = lifetime;
  }

  /** Free, or held by the Service with that key itself. */
  isFree(holding: string, key: string): boolean {
    this.#start();
    const owner = this.#owners.get(holding);
    const promised = this.#promises.get(holding);
    return (owner === undefined || owner === key) && (promised === undefined || promised.key === key);
  }

  promise(key: string, holdings: readonly string[]): void {
    for (const holding of holdings) {
      const promised = this.#promises.get(holding);
      if (promised === undefined) this.#promises.set(holding, { key, count: 1 });
      else promised.count += 1;
    }
  }

  /** The write has ended: from here on the store tells who holds what. */
  settle(key: string, holdings: readonly string[]): void {
    for (const holding of holdings) {
      const promised = this.#promises.get(holding);
      if (promised === undefined) continue;
      promised.count -= 1;
      if (promised.count === 0) this.#promises.delete(holding);
    }
    this.#read(key, this.#store.get(key));
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#follow();
  }

  async #follow(): Promise<void> {
    for (;;) {
      const changes = this.#store.watch(kindPrefix(services), this.#load(), this.#lifetime);
      try {
        // The newest state is read, not the change: whatever order news arrives in, the index shows what is.
        for await (const { key } of changes) this.#read(key, this.#store.get(key));
        return;
      } catch (error) {
        if (!(error instanceof Compacted)) throw error;
      }
    }
  }

  #load(): number {
    this.#owners.clear();
    this.#holdings.clear();
    const page = this.#store.list(kindPrefix(services));
    for (const entry of page.entries) this.#read(entry.key, entry);
    return page.revision;
  }

  #read(key: string, entry: Entry | undefined): void {
    for (const holding of this.#holdings.get(key) ?? [])
      if (this.#owners.get(holding) === key) this.#owners.delete(holding);
    this.#holdings.delete(key);
    if (entry === undefined) return;
    const holdings = holdingsOf(JSON.parse(decoder.decode(entry.value)) as Service);
    this.#holdings.set(key, holdings);
    for (const holding of holdings) this.#owners.set(holding, key);
  }
}
