// The proxy of one node for Ingresses and Gateways.
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { silent } from '../base/log.js';
import { messageOf } from '../base/errors.js';
import type { Cluster } from '../client/cluster.js';
import type { Informers, WatchedKind } from '../client/informers.js';
import { Haproxy } from '../host/haproxy/haproxy.js';
import { proxyConfig } from '../network/layer7/haproxy-config.js';
import { layer7Kinds, runLayer7 } from '../network/layer7/layer7-agent.js';
import type { Layer7Proxy, Refusal } from '../network/layer7/layer7-agent.js';
import { ingressAnnotation } from '../network/layer7/status.js';
import type { EventRecorder } from '../reconcile/cluster-action.js';
import { nodes } from '../resources/kinds/nodes.js';
import { secrets } from '../resources/kinds/secrets.js';
import type { Settings } from './settings.js';

export interface IngressOptions {
  readonly settings: Settings;
  readonly ingressFolder: string;
  /** Watches Nodes. */
  readonly informers: Informers;
  readonly cluster: Cluster;
  readonly nodeName: string;
  readonly events: EventRecorder;
  watch(kinds: readonly WatchedKind[], signal: AbortSignal): Informers;
  /** The proxy sends nothing to endpoints that left up to this revision. */
  applied(revision: number): void;
  readonly clock: Clock;
  readonly log: Logger;
}

const watched: readonly WatchedKind[] = [
  ...layer7Kinds,
  { of: secrets, fieldSelector: 'type=kubernetes.io/tls' },
];

/** Tells whether this node serves, on its Node object, and what keeps it from that, as an event. */
const announced = (proxy: Layer7Proxy, options: IngressOptions): Layer7Proxy => {
  const { cluster, informers, nodeName, events, settings } = options;
  let said: string | null | undefined;
  const announce = async (value: string | null): Promise<void> => {
    if (said === value) return;
    const patch = { metadata: { annotations: { [ingressAnnotation]: value } } };
    await cluster.patch(nodes, { name: nodeName }, { type: 'merge', patch });
    said = value;
  };
  return {
    check: (signal) => proxy.check(signal),
    apply: async (routing, signal) => {
      try {
        const refusals = await proxy.apply(routing, signal);
        const value = `${String(settings.ingressHttpPort)},${String(settings.ingressHttpsPort)}`;
        await announce(routing === undefined ? null : value);
        return refusals;
      } catch (error) {
        const regarding = informers.view.get(nodes, { name: nodeName });
        if (regarding !== undefined && !signal.aborted)
          events.record({ regarding, type: 'Warning', reason: 'IngressFailed', message: messageOf(error) });
        throw error;
      }
    },
  };
};

const haproxy = (folder: string, settings: Settings, log: Logger): Haproxy =>
  new Haproxy({
    folder,
    configOf: (routing) =>
      proxyConfig(routing, {
        folder,
        httpPort: settings.ingressHttpPort,
        httpsPort: settings.ingressHttpsPort,
      }),
    log,
  });

export const runIngress = async (options: IngressOptions, signal: AbortSignal): Promise<void> => {
  const { settings, ingressFolder, events, watch, clock } = options;
  const log = options.log.child({ part: 'ingress' });
  const informers = watch(watched, signal);
  const reported = new Set<string>();
  const refused = (refusals: readonly Refusal[]): void => {
    for (const { owner, message } of refusals) {
      if (reported.has(`${owner} ${message}`)) continue;
      reported.add(`${owner} ${message}`);
      log.warn({ owner }, `left out: ${message}`);
      const [kindName = '', id = ''] = owner.split(' ');
      const [namespace = '', name = ''] = id.split('/');
      const kind = layer7Kinds.find((one) => one.kind === kindName);
      const regarding = kind && informers.view.get(kind, { namespace, name });
      if (regarding !== undefined)
        events.record({ regarding, type: 'Warning', reason: 'ConfigurationRefused', message });
    }
  };
  const proxy = announced(haproxy(ingressFolder, settings, log), options);
  await runLayer7({ informers, proxy, clock, log, applied: options.applied, refused }, signal);
};

/** For `capstan down`: the proxy goes on while no agent runs. */
export const stopIngress = async (folder: string): Promise<void> => {
  await new Haproxy({ folder, configOf: () => ({ lines: [], files: [] }), log: silent }).stop('SIGTERM');
};
