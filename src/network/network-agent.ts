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
import { podNetworkState } from './peers.js';
import type { PodNetworkState } from './peers.js';
import type { PodNetworkBackend } from './pod-network.js';
import { ServiceView, serviceOf } from './service-view.js';

/** Something else of this node's kernel that is kept as it should be. */
export interface NetworkPart {
  /** For the log. */
  readonly name: string;
  apply(signal: AbortSignal): Promise<void>;
  /** False: others changed the kernel. Cheap. */
  check(signal: AbortSignal): Promise<boolean>;
}

export interface NetworkAgentOptions {
  /** Watches at least Nodes, Services and EndpointSlices, all of them. */
  readonly informers: Informers;
  readonly datapath: Datapath;
  readonly backend: PodNetworkBackend;
  readonly parts?: readonly NetworkPart[] | undefined;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Logger;
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
  { informers, datapath, applied }: NetworkAgentOptions,
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
      if (!tell) return;
      // What left meanwhile is told with the next round.
      awaited = informers.revision(endpointslices) !== revision;
      applied?.(revision);
    },
    check: (signal) => datapath.check(signal),
  };
};

export const createNetworkAgent = (options: NetworkAgentOptions): NetworkAgent => {
  const { informers, backend, parts = [], nodeName, clock, log } = options;

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
    const proxy = new Applier({ ...part, clock, log });
    const overlay = new Applier({
      name: backend.name,
      apply: async (signal) => {
        const { node, peers } = podNetwork;
        if (node !== undefined) await backend.apply(node, peers, signal);
      },
      // Nothing is applied before the node has a subnet.
      check: (signal) => (podNetwork.node === undefined ? Promise.resolve(true) : backend.check(signal)),
      clock,
      log,
    });

    const touch = (service: string | undefined): void => {
      if (service === undefined) return;
      serviceView.touch(service);
      proxy.poke();
    };
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
        if (samePodNetwork(podNetwork, next)) return;
        podNetwork = next;
        overlay.poke();
        proxy.poke();
      }),
    ];
    const appliers = [proxy, overlay, ...parts.map((part) => new Applier({ ...bound(part), clock, log }))];
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
