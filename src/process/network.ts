// The network of one node: pods of other nodes, services, and what the machine's firewall must let pass.
import { aborted, isAbort } from '../base/abort.js';
import type { Clock } from '../base/clock.js';
import { ClusterError, hasCode, messageOf } from '../base/errors.js';
import type { HttpResponse } from '../base/http.js';
import { clusterDnsAddress, firstHost } from '../base/ipv4.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { Informers, WatchedKind } from '../client/informers.js';
import { createAnnouncer } from '../host/datapath/announcer.js';
import { refuseTaken } from '../host/datapath/claims.js';
import { createCommands } from '../host/datapath/commands.js';
import type { Commands } from '../host/datapath/commands.js';
import { createConntrack } from '../host/datapath/conntrack.js';
import { createForwarding } from '../host/datapath/forwarding.js';
import { createHostGateway } from '../host/datapath/host-gw.js';
import { networkNames } from '../host/datapath/names.js';
import { NftablesDatapath } from '../host/datapath/nftables.js';
import { createPodBridge } from '../host/datapath/pod-bridge.js';
import { createVxlan, vniOf } from '../host/datapath/vxlan.js';
import { removeFromKernel } from '../host/datapath/remove.js';
import { bridgeName, type NetworkOptions as EngineNetwork } from '../host/docker/network.js';
import { Confirmation } from '../network/confirmation.js';
import { createHealthCheckServers, type HealthCheckServers } from '../host/health-check-servers.js';
import { probePaths } from '../host/network-probe.js';
import { createNetworkMetrics, type NetworkMetrics } from '../network/network-metrics.js';
import { networkTargets } from '../network/network-targets.js';
import { followConfig } from '../network/follow-config.js';
import { createNetworkAgent, networkKinds } from '../network/network-agent.js';
import { networkConfigMap, networkConfigName, type NetworkConfig } from '../network/network-config.js';
import type { PodNetworkBackend } from '../network/pod-network.js';
import type { EventRecorder } from '../reconcile/cluster-action.js';
import { configmaps } from '../resources/kinds/configmaps.js';
import { networkpolicies } from '../resources/kinds/networkpolicies.js';
import { nodes } from '../resources/kinds/nodes.js';
import type { ClusterDns } from '../node/pod-files.js';
import { clusterDomain, runDns } from './dns.js';
import { runIngress } from './ingress.js';
import { runPolicies } from './policies.js';
import type { Settings } from './settings.js';
import type { Tasks } from './tasks.js';

export interface NodeNetworkOptions {
  /** Watches at least `watchedByNetwork`. */
  readonly informers: Informers;
  /** Of the data directory. */
  readonly instance: string;
  readonly nodeName: string;
  /** With the node's own rights. */
  readonly cluster: Cluster;
  /** At which other nodes reach this one. */
  readonly address: string;
  readonly settings: Settings;
  /** Folder in which the proxy of Ingresses has its files. */
  readonly ingressFolder: string;
  readonly events: EventRecorder;
  /** Informers that watch these kinds too, until the signal aborts. */
  watch(kinds: readonly WatchedKind[], signal: AbortSignal): Informers;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface NodeNetwork {
  /** How the engine makes the network of this node's pods. */
  readonly engine: EngineNetwork;
  /** Pods of this node end when the proxies of the cluster have taken them out; false where there are none. */
  waitsForProxies(): boolean;
  /** How pods find names. */
  dns(signal: AbortSignal): Promise<ClusterDns>;
  readonly figures: NetworkMetrics['registry'];
  /** What the agent answers about it, by path. */
  readonly endpoints: Readonly<Record<string, () => Promise<HttpResponse>>>;
}

/** What an agent's informers follow for its network. */
export const watchedByNetwork: readonly WatchedKind[] = [
  ...networkKinds,
  networkpolicies,
  {
    of: configmaps,
    namespace: networkConfigName.namespace,
    fieldSelector: `metadata.name=${networkConfigName.name}`,
  },
];

const retryMs = 10_000;
/** Of a pod's device while no overlay is known to need room. */
const plainMtu = 1500;

const configOf = ({ networkBackend: backend, podCidr, serviceCidr }: Settings): NetworkConfig => ({
  backend,
  podCidr,
  serviceCidr,
});

/** Tells all nodes how the cluster's network is made. */
export const publishNetwork = async (cluster: Cluster, settings: Settings): Promise<void> => {
  const wanted = networkConfigMap(configOf(settings));
  try {
    await cluster.create(configmaps, wanted);
  } catch (error) {
    if (!hasCode(error, 'AlreadyExists')) throw error;
    await cluster.patch(configmaps, networkConfigName, { type: 'merge', patch: { data: wanted.data } });
  }
};

type Named = Pick<NodeNetworkOptions, 'instance' | 'nodeName'>;

const refuse = async (
  commands: Commands,
  { instance, nodeName, podCidr, serviceCidr }: Named & NetworkConfig,
  signal: AbortSignal,
): Promise<void> => {
  const { table, vxlan, loadBalancers } = networkNames(instance);
  const devices = [bridgeName({ instance, node: nodeName }), vxlan, loadBalancers];
  await refuseTaken(commands, { podCidr, serviceCidr, table, devices }, signal);
};

/**
 * Before anything is started: throws ServiceUnavailable where the kernel or the machine lacks what services need, and
 * Conflict, naming the flag to change, where the machine uses the addresses already.
 */
export const checkNetwork = async (settings: Settings, named: Named, signal: AbortSignal): Promise<void> => {
  if (settings.networkBackend === 'none') return;
  const commands = createCommands();
  const { code, stderr } = await commands.ask('nft', ['list', 'tables'], { signal });
  if (code !== 0)
    throw new ClusterError(
      'ServiceUnavailable',
      `services need nftables, which does not work here: ${stderr.trim()}; run as root on a kernel with nf_tables, or start with --network-backend none`,
    );
  await refuse(commands, { ...named, ...configOf(settings) }, signal);
};

/** Takes everything of an installation's network out of the kernel; other rules and devices stay. */
export const removeNetwork = async (instance: string, signal: AbortSignal): Promise<void> => {
  const commands = createCommands();
  const { table, policies, vxlan, loadBalancers, forwarding } = networkNames(instance);
  await removeFromKernel(commands, { table, policies, devices: [vxlan, loadBalancers] }, signal);
  await createForwarding(commands, forwarding).remove(signal);
};

const backendOf = (
  commands: Commands,
  { backend, podCidr }: NetworkConfig,
  instance: string,
): PodNetworkBackend => {
  const { vxlan: device } = networkNames(instance);
  return backend === 'host-gw'
    ? createHostGateway({ commands, podCidr, device })
    : createVxlan({ commands, podCidr, device, vni: vniOf(podCidr), port: 8472 });
};

interface RunOptions extends NodeNetworkOptions {
  /** A part's word that it sends nothing to endpoints that left up to a revision. */
  confirmed(part: 'services' | 'ingress'): (revision: number) => void;
  readonly healthChecks: HealthCheckServers;
  readonly metrics: NetworkMetrics;
}

const run = async (options: RunOptions, config: NetworkConfig, signal: AbortSignal): Promise<void> => {
  const { instance, nodeName, clock, log, informers, metrics } = options;
  const { podCidr, serviceCidr } = config;
  const commands = createCommands();
  const names = networkNames(instance);
  const forwarding = createForwarding(commands, names.forwarding);
  await refuse(commands, { instance, nodeName, ...config }, signal);
  const agent = createNetworkAgent({
    informers,
    nodeName,
    clock,
    log,
    announcer: createAnnouncer({ commands, device: names.loadBalancers, log }),
    serveHealthChecks: (checks) => options.healthChecks.serve(checks),
    metrics,
    applied: (revision) => {
      options.confirmed('services')(revision);
      metrics.confirmed(revision);
    },
    datapath: metrics.measured(
      new NftablesDatapath({
        table: names.table,
        podCidr,
        serviceCidr,
        commands,
        conntrack: createConntrack(commands, log),
        podBridge: createPodBridge({ commands, bridge: bridgeName({ instance, node: nodeName }), log }),
        log,
      }),
    ),
    backend: backendOf(commands, config, instance),
    parts: [
      {
        name: 'forwarding',
        apply: (inner) => forwarding.apply(podCidr, inner),
        check: (inner) => forwarding.check(podCidr, inner),
      },
    ],
  });
  log.info({ backend: config.backend, podCidr, serviceCidr }, 'the network of this node starts');
  const policies = runPolicies({ ...options, table: names.policies, commands }, signal);
  await Promise.all([agent.run(signal), policies]);
};

const pause = async (clock: Clock, signal: AbortSignal): Promise<void> => {
  try {
    await clock.sleep(retryMs, signal);
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  }
};

/** Until the signal aborts: what cannot be started is tried again, and the log says why. */
const runOrRetry = async (options: RunOptions, config: NetworkConfig, signal: AbortSignal): Promise<void> => {
  const { clock, log } = options;
  for (;;) {
    try {
      const kernel = config.backend === 'none' ? aborted(signal) : run(options, config, signal);
      await Promise.all([
        kernel,
        runDns(options, config, signal),
        runIngress({ ...options, applied: options.confirmed('ingress') }, signal),
      ]);
      return;
    } catch (error) {
      if (signal.aborted) return;
      log.error({ error: messageOf(error) }, 'the network of this node cannot start: trying again');
      await pause(clock, signal);
    }
  }
};

const answer = (contentType: string, text: string): HttpResponse => ({
  status: 200,
  headers: { 'content-type': contentType },
  body: [Buffer.from(text)],
});

/** Starts the node's network as tasks of the process. */
export const startNetwork = (options: NodeNetworkOptions, tasks: Tasks): NodeNetwork => {
  const { informers, instance, address, cluster, nodeName, clock } = options;
  const log = options.log.child({ part: 'network' });
  const confirmation = new Confirmation({ cluster, nodeName, clock, log });
  const metrics = createNetworkMetrics();
  const healthChecks = createHealthCheckServers(log);
  tasks.finally(() => healthChecks.close());
  // A part that has not spoken yet sends to nobody.
  const revisions = { services: Infinity, ingress: Infinity };
  const confirmed = (part: keyof typeof revisions) => (revision: number) => {
    revisions[part] = revision;
    if (revisions.services < Infinity) confirmation.applied(Math.min(revisions.services, revisions.ingress));
  };
  tasks.start('proxy confirmation', (signal) => confirmation.run(signal));
  let backend: NetworkConfig['backend'] | undefined;
  let known: (config: NetworkConfig) => void = () => undefined;
  const first = new Promise<NetworkConfig>((resolve) => {
    known = resolve;
  });
  tasks.start('network', async (signal) => {
    await informers.ready(signal);
    await followConfig(
      {
        informers,
        log,
        run: (config, inner) => {
          known(config);
          backend = config.backend;
          return runOrRetry({ ...options, log, confirmed, healthChecks, metrics }, config, inner);
        },
      },
      signal,
    );
  });
  const configuration = async (signal: AbortSignal): Promise<NetworkConfig> => {
    const config = await Promise.race([first, aborted(signal).then(() => undefined)]);
    if (config === undefined) throw signal.reason;
    return config;
  };
  const traits: EngineNetwork['traits'] = async (signal) => {
    const config = await configuration(signal);
    if (config.backend === 'none') return { mtu: plainMtu, masquerade: true };
    const overlay = backendOf(createCommands(), config, instance);
    // The proxy's table rewrites sources, and knows which addresses are the cluster's own.
    return { mtu: await overlay.mtu(address, signal), masquerade: false };
  };
  return {
    engine: { traits },
    waitsForProxies: () => backend !== 'none',
    dns: async (signal) => {
      const config = await configuration(signal);
      const own = firstHost(informers.view.get(nodes, { name: nodeName })?.spec.podCIDR);
      // Without a proxy, nothing leads from the cluster's address to the server of this node.
      const server = config.backend === 'none' ? own : clusterDnsAddress(config.serviceCidr);
      return { nameservers: server === undefined ? [] : [server], domain: clusterDomain };
    },
    figures: metrics.registry,
    endpoints: {
      '/network/paths': async () => {
        const targets = backend === 'none' ? [] : networkTargets(informers.view, nodeName);
        return answer('application/json', JSON.stringify(await probePaths(nodeName, targets)));
      },
    },
  };
};
