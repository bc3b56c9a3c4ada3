// DNS of one node.
import type { Clock } from '../base/clock.js';
import { clusterDnsAddress } from '../base/ipv4.js';
import type { Logger } from '../base/log.js';
import type { Informers, WatchedKind } from '../client/informers.js';
import { createDnsListen } from '../host/dns/listener.js';
import { upstream } from '../host/dns/upstream.js';
import { readResolvConf } from '../host/node-files.js';
import { randomIds } from '../host/random-ids.js';
import { createDnsAgent } from '../network/dns/dns-agent.js';
import { dnsConfigName } from '../network/dns/dns-config.js';
import type { DnsStatistics } from '../network/dns/statistics.js';
import type { NetworkConfig } from '../network/network-config.js';
import type { EventRecorder } from '../reconcile/cluster-action.js';
import { configmaps } from '../resources/kinds/configmaps.js';
import { nodes } from '../resources/kinds/nodes.js';

export const clusterDomain = 'cluster.local';

export interface DnsOptions {
  /** Watches Services, EndpointSlices and Nodes. */
  readonly informers: Informers;
  /** Informers that watch these kinds until the signal aborts. */
  watch(kinds: readonly WatchedKind[], signal: AbortSignal): Informers;
  readonly nodeName: string;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told once, before the first question. */
  counting?: ((statistics: DnsStatistics) => void) | undefined;
}

const watched: readonly WatchedKind[] = [
  {
    of: configmaps,
    namespace: dnsConfigName.namespace,
    fieldSelector: `metadata.name=${dnsConfigName.name}`,
  },
];

/** Where pods of this node ask: the cluster's address; the node's bridge where nothing leads from one to the other. */
export const runDns = async (
  options: DnsOptions,
  { podCidr, serviceCidr }: NetworkConfig,
  signal: AbortSignal,
): Promise<void> => {
  const { informers, watch, nodeName, events, clock } = options;
  const log = options.log.child({ part: 'dns' });
  const configMaps = watch(watched, signal);
  const agent = createDnsAgent({
    informers,
    configMaps,
    zone: { domain: clusterDomain, address: clusterDnsAddress(serviceCidr) ?? '', podCidr, serviceCidr },
    nodeName,
    listen: createDnsListen(log),
    upstream,
    resolvConf: readResolvConf,
    clock,
    log,
    random: randomIds.random,
    tell: (about, message) => {
      const regarding =
        about === 'config'
          ? configMaps.view.get(configmaps, dnsConfigName)
          : informers.view.get(nodes, { name: nodeName });
      if (regarding !== undefined)
        events.record({
          regarding,
          type: 'Warning',
          reason: about === 'config' ? 'InvalidDNSConfig' : 'DNSFailed',
          message,
        });
    },
  });
  options.counting?.(agent.statistics);
  await agent.run(signal);
};
