// The DNS server of one node: follows the ConfigMap and the node's own resolver, and listens at the bridge of its pods.
import { isAbort } from '../../base/abort.js';
import type { Clock } from '../../base/clock.js';
import { hasCode, messageOf } from '../../base/errors.js';
import { addressNumber, contains, firstHost, parseCidr } from '../../base/ipv4.js';
import type { Logger } from '../../base/log.js';
import type { Informers } from '../../client/informers.js';
import { configmaps } from '../../resources/kinds/configmaps.js';
import { nodes } from '../../resources/kinds/nodes.js';
import { internalAddress } from '../peers.js';
import { ClusterZone } from './cluster-zone.js';
import type { ClusterZoneOptions } from './cluster-zone.js';
import { dnsConfigName, emptyDnsConfig, nameserversOf, readDnsConfig } from './dns-config.js';
import type { DnsConfig, ServerAddress } from './dns-config.js';
import { DnsServer } from './dns-server.js';
import type { Client } from './dns-server.js';
import { Forwarder } from './forwarder.js';
import type { Upstream } from './forwarder.js';
import { LoopProbe } from './loop-probe.js';
import { DnsCounters } from './statistics.js';
import type { DnsStatistics } from './statistics.js';

export interface DnsListener {
  close(): Promise<void>;
}

export type DnsListen = (options: {
  readonly address: string;
  readonly port: number;
  handle(packet: Buffer, client: Client): Buffer | Promise<Buffer | undefined> | undefined;
}) => Promise<DnsListener>;

export interface DnsAgentOptions {
  /** Watches at least Services, EndpointSlices and Nodes. */
  readonly informers: Informers;
  /** Watches the ConfigMap of the server. */
  readonly configMaps: Informers;
  readonly zone: ClusterZoneOptions;
  readonly nodeName: string;
  readonly listen: DnsListen;
  readonly upstream: Upstream;
  /** The node's own resolv.conf. */
  resolvConf(): Promise<string>;
  /** Port 53 but in tests. */
  readonly port?: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  /** Says a problem where users look: an event about the ConfigMap or the node. */
  tell(about: 'config' | 'node', message: string): void;
}

export interface DnsAgent {
  run(signal: AbortSignal): Promise<void>;
  readonly statistics: DnsStatistics;
}

const firstRetryMs = 100;
const lastRetryMs = 5_000;
const resolverCheckMs = 10_000;

const serverText = ({ address, port }: ServerAddress): string => `${address}:${port}`;

class NodeDns implements DnsAgent {
  readonly statistics = new DnsCounters();
  readonly #options: DnsAgentOptions;
  readonly #server: DnsServer;
  readonly #loops: LoopProbe;
  #config: DnsConfig = emptyDnsConfig;
  #resolvers: readonly ServerAddress[] = [];
  #own: string | undefined;
  #nodeAddresses: ReadonlySet<string> = new Set();
  #wake: AbortController | undefined;

  constructor(options: DnsAgentOptions) {
    this.#options = options;
    const { informers, zone, upstream, clock, random } = options;
    const counters = this.statistics;
    const podNetwork = parseCidr(zone.podCidr);
    this.#loops = new LoopProbe({
      upstream,
      clock,
      random,
      changed: (looping) => this.#loopsChanged(looping),
    });
    this.#server = new DnsServer({
      zone: new ClusterZone(informers.view, zone),
      forwarder: new Forwarder({ upstream, clock, counters }),
      loops: this.#loops,
      counters,
      config: () => this.#config,
      upstreams: () => this.#upstreams(),
      serves: (client) => {
        const number = addressNumber(client);
        if (number === undefined) return client === '::1';
        return (
          (podNetwork !== undefined && contains(podNetwork, number)) ||
          client.startsWith('127.') ||
          this.#nodeAddresses.has(client)
        );
      },
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { informers, configMaps } = this.#options;
    // Before the picture is whole, names that are there would be denied.
    await informers.ready(signal);
    const stops = [
      configMaps.subscribe(configmaps, ({ object, type }) => {
        const { name, namespace } = object.metadata;
        if (name === dnsConfigName.name && namespace === dnsConfigName.namespace)
          this.#configure(type === 'deleted' ? undefined : object);
      }),
      informers.subscribe(nodes, () => this.#nodesChanged()),
    ];
    try {
      await Promise.all([this.#followResolver(signal), this.#serve(signal), this.#loops.run(signal)]);
    } finally {
      for (const stop of stops) stop();
    }
  }

  #configure(map: Parameters<typeof readDnsConfig>[0]): void {
    const { config, problems } = readDnsConfig(map);
    this.#config = config;
    this.#watchLoops();
    if (problems.length > 0) this.#options.tell('config', problems.join('; '));
  }

  #nodesChanged(): void {
    const { informers, nodeName } = this.#options;
    const all = informers.view.list(nodes);
    this.#nodeAddresses = new Set(all.flatMap((node) => internalAddress(node) ?? []));
    // The bridge of the node's pods has the first address of its subnet.
    const own = firstHost(all.find(({ metadata }) => metadata.name === nodeName)?.spec.podCIDR);
    if (own === this.#own) return;
    this.#own = own;
    this.#wake?.abort();
  }

  /** A server that names itself would ask itself. */
  #upstreams(): readonly ServerAddress[] {
    const own = new Set([this.#options.zone.address, this.#own]);
    return (this.#config.upstreams ?? this.#resolvers).filter(({ address }) => !own.has(address));
  }

  #watchLoops(): void {
    const all = [...this.#upstreams(), ...[...this.#config.stubDomains.values()].flat()];
    this.#loops.use([...new Map(all.map((server) => [serverText(server), server])).values()]);
  }

  #loopsChanged(looping: readonly ServerAddress[]): void {
    this.statistics.loops = looping.length;
    const { log, tell } = this.#options;
    if (looping.length === 0) {
      log.info({}, 'no name server sends questions back any more');
      return;
    }
    const message = `DNS loop: ${looping.map(serverText).join(', ')} sends questions back to the cluster's DNS, so it is not asked any more; name other servers in upstreamNameservers of the ConfigMap kube-system/capstan-dns, or in the node's /etc/resolv.conf`;
    log.error({ servers: looping.map(serverText) }, message);
    tell('node', message);
  }

  async #followResolver(signal: AbortSignal): Promise<void> {
    const { clock, log, resolvConf } = this.#options;
    while (!signal.aborted) {
      try {
        this.#resolvers = nameserversOf(await resolvConf());
        this.#watchLoops();
      } catch (error) {
        log.warn(
          { error: messageOf(error) },
          "the node's resolv.conf cannot be read: the servers it named stay",
        );
      }
      await this.#pause(resolverCheckMs, signal, clock);
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const address = this.#own;
      this.#wake = new AbortController();
      const either = AbortSignal.any([signal, this.#wake.signal]);
      const listener = address === undefined ? undefined : await this.#listen(address, either);
      await new Promise<void>((resolve) => {
        if (either.aborted) resolve();
        else either.addEventListener('abort', () => resolve(), { once: true });
      });
      await listener?.close();
    }
  }

  /** Tries until the address is there and the port is free: the engine makes the bridge with the first pod. */
  async #listen(address: string, signal: AbortSignal): Promise<DnsListener | undefined> {
    const { listen, port = 53, log, tell, clock } = this.#options;
    let said = false;
    for (let delay = firstRetryMs; !signal.aborted;) {
      try {
        const listener = await listen({
          address,
          port,
          handle: (packet, client) => this.#server.handle(packet, client, signal),
        });
        log.info({ address, port }, 'answering DNS');
        return listener;
      } catch (error) {
        const waits = hasCode(error, 'ServiceUnavailable');
        // A bridge that is not there yet is looked for often; a port that is taken needs someone to act.
        delay = waits ? firstRetryMs : Math.min(lastRetryMs, delay * 2);
        if (!said && !waits) {
          said = true;
          log.error({ address, port, error: messageOf(error) }, 'DNS of this node cannot be served');
          tell('node', `DNS cannot be served: ${messageOf(error)}`);
        }
        await this.#pause(delay, signal, clock);
      }
    }
    return undefined;
  }

  async #pause(ms: number, signal: AbortSignal, clock: Clock): Promise<void> {
    try {
      await clock.sleep(ms, signal);
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    }
  }
}

export const createDnsAgent = (options: DnsAgentOptions): DnsAgent => new NodeDns(options);
