// The network of one node: follows Nodes, Services and EndpointSlices, and keeps the kernel as they say.
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Informers } from '../client/informers.js';
import { endpointslices } from '../resources/kinds/endpointslices.js';
import { nodes } from '../resources/kinds/nodes.js';
import { services } from '../resources/kinds/services.js';
import { displayName, nameOf } from '../resources/resource.js';
import { Applier } from './applier.js';
import { endpointLeaves } from './confirmation.js';
import type { Datapath, LocalNode } from './datapath.js';
import type { NetworkMetrics } from './network-metrics.js';
import { podNetworkState } from './peers.js';
import type { PodNetworkState } from './peers.js';
import type { PodNetworkBackend } from './pod-network.js';
import { prefersNear, type HealthCheck } from './service-rules.js';
import { ServiceView, serviceOf, zoneLabel } from './service-view.js';

/** Something else of this node's kernel that is kept as it should be. */
export interface NetworkPart {
  /** For the log. */
  readonly name: string;
  apply(signal: AbortSignal): Promise<void>;
  /** False: others changed the kernel. Cheap. */
  check(signal: AbortSignal): Promise<boolean>;
}

export interface Announcer {
  apply(nodeAddress: string, addresses: readonly string[], signal: AbortSignal): Promise<void>;
  /** False: others changed the kernel. Says again, to whom it concerns, whose the addresses are. */
  check(signal: AbortSignal): Promise<boolean>;
}

export interface NetworkAgentOptions {
  /** Watches at least Nodes, Services and EndpointSlices, all of them. */
  readonly informers: Informers;
  readonly datapath: Datapath;
  readonly backend: PodNetworkBackend;
  /** Serves the health-check node ports of this node, exactly these. */
  readonly serveHealthChecks?: ((checks: readonly HealthCheck[]) => Promise<void>) | undefined;
  /** Answers for exactly these addresses of load balancers on the node's network. */
  readonly announcer?: Announcer | undefined;
  readonly parts?: readonly NetworkPart[] | undefined;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics?: NetworkMetrics | undefined;
  /** The kernel shows all EndpointSlices up to this revision; told at first, and when an endpoint left. */
  readonly applied?: ((revision: number) => void) | undefined;
}

export interface NetworkAgent {
  /** Until the signal aborts. The kernel keeps what it has: traffic goes on while no agent runs. */
  run(signal: AbortSignal): Promise<void>;
}

/** Kinds that the agent's informers must watch. */
export const networkKinds = [nodes, services, endpointslices] as const;

const bound = (part: NetworkPart): NetworkPart => ({
  name: part.name,
  apply: (signal) => part.apply(signal),
  check: (signal) => part.check(signal),
});

const samePodNetwork = (a: PodNetworkState, b: PodNetworkState): boolean =>
  JSON.stringify([a.node, a.peers]) === JSON.stringify([b.node, b.peers]);

interface ProxyState {
  readonly serviceView: ServiceView;
  node(): LocalNode | undefined;
  report(problem: string): void;
}

/** `await`: somebody may wait for the next state to be applied, and must hear of it. */
const proxyPart = (
  { informers, datapath, announcer, serveHealthChecks, applied }: NetworkAgentOptions,
  { serviceView, node, report }: ProxyState,
): NetworkPart & { await(): void } => {
  let awaited = true;
  return {
    name: 'services',
    await: () => {
      awaited = true;
    },
    apply: async (signal) => {
      const revision = informers.revision(endpointslices);
      const tell = awaited;
      serviceView.update();
      for (const { key, services: claims } of serviceView.conflicts())
        report(`${key} is claimed by the services ${claims.join(', ')}: the first one has it`);
      await datapath.apply({ node: node(), frontends: serviceView.frontends }, signal);
      await serveHealthChecks?.(serviceView.healthChecks);
      const address = node()?.address;
      if (address !== undefined) await announcer?.apply(address, serviceView.announced, signal);
      if (!tell) return;
      // What left meanwhile is told with the next round.
      awaited = informers.revision(endpointslices) !== revision;
      applied?.(revision);
    },
    check: async (signal) => (await datapath.check(signal)) && (await announcer?.check(signal)) !== false,
  };
};

const overlayPart = (
  { backend, metrics }: NetworkAgentOptions,
  state: () => PodNetworkState,
): NetworkPart => ({
  name: backend.name,
  apply: async (signal) => {
    const { node, peers } = state();
    if (node !== undefined) await backend.apply(node, peers, signal);
    metrics?.peers(backend.name, node === undefined ? 0 : peers.length);
  },
  // Nothing is applied before the node has a subnet.
  check: (signal) => (state().node === undefined ? Promise.resolve(true) : backend.check(signal)),
});

export const createNetworkAgent = (options: NetworkAgentOptions): NetworkAgent => {
  const { informers, parts = [], nodeName, clock, log, metrics } = options;

  const start = (signal: AbortSignal): Promise<unknown> => {
    const serviceView = new ServiceView(informers.view, nodeName);
    let podNetwork = podNetworkState(informers.view.list(nodes), nodeName);
    const reported = new Set<string>();

    const report = (problem: string): void => {
      if (reported.has(problem)) return;
      reported.add(problem);
      log.warn({}, problem);
    };
    const part = proxyPart(options, { serviceView, report, node: () => podNetwork.node });
    const proxy = new Applier({ ...part, clock, log, metrics });
    const overlay = new Applier({ ...overlayPart(options, () => podNetwork), clock, log, metrics });

    const touch = (service: string | undefined): void => {
      if (service === undefined) return;
      serviceView.touch(service);
      proxy.poke();
    };
    const zones = (): string =>
      JSON.stringify(
        informers.view.list(nodes).map(({ metadata }) => [metadata.name, metadata.labels?.[zoneLabel]]),
      );
    let known = zones();
    const stops = [
      informers.subscribe(services, ({ object }) => touch(displayName(nameOf(object)))),
      informers.subscribe(endpointslices, ({ type, object, previous }) => {
        if (type === 'deleted' || endpointLeaves(previous, object)) part.await();
        touch(serviceOf(object));
        if (previous !== undefined && serviceOf(previous) !== serviceOf(object)) touch(serviceOf(previous));
      }),
      informers.subscribe(nodes, () => {
        // Heartbeats change nodes all the time, and nothing that matters here.
        const next = podNetworkState(informers.view.list(nodes), nodeName);
        next.problems.forEach(report);
        const moved = zones();
        if (moved !== known) {
          known = moved;
          for (const service of informers.view.list(services))
            if (prefersNear(service)) touch(displayName(nameOf(service)));
        }
        if (samePodNetwork(podNetwork, next)) return;
        podNetwork = next;
        overlay.poke();
        proxy.poke();
      }),
    ];
    const appliers = [
      proxy,
      overlay,
      ...parts.map((part) => new Applier({ ...bound(part), clock, log, metrics })),
    ];
    for (const applier of appliers) applier.poke();
    return Promise.all(appliers.map((applier) => applier.run(signal))).finally(() => {
      for (const stop of stops) stop();
    });
  };

  return {
    run: async (signal) => {
      try {
        // With half of the picture, services would lose backends that are there.
        await informers.ready(signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      await start(signal);
    },
  };
};
