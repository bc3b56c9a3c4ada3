// Layer 7 on one node: follows Ingresses, Gateways, routes, certificates and endpoints, and keeps a proxy as they say.
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import type { Informers } from '../../client/informers.js';
import type { Kind } from '../../resources/kind.js';
import { endpointslices } from '../../resources/kinds/endpointslices.js';
import { gatewayclasses } from '../../resources/kinds/gatewayclasses.js';
import { gateways } from '../../resources/kinds/gateways.js';
import { httproutes } from '../../resources/kinds/httproutes.js';
import { ingressclasses } from '../../resources/kinds/ingressclasses.js';
import { ingresses } from '../../resources/kinds/ingresses.js';
import { namespaces } from '../../resources/kinds/namespaces.js';
import { referencegrants } from '../../resources/kinds/referencegrants.js';
import { secrets } from '../../resources/kinds/secrets.js';
import { services } from '../../resources/kinds/services.js';
import { Applier } from '../applier.js';
import { gatewayRoutes, ownGateways } from './gateway-routes.js';
import { ingressRoutes, ownIngresses } from './ingress-routes.js';
import type { Routing } from './routing.js';

/** An object whose part of the configuration the proxy refused, and why. */
export interface Refusal {
  readonly owner: string;
  readonly message: string;
}

export interface Layer7Proxy {
  /** Makes the proxy serve the routing without a lost connection; undefined ends it. What was refused stays out. */
  apply(routing: Routing | undefined, signal: AbortSignal): Promise<readonly Refusal[]>;
  /** Whether the proxy runs as it was told. */
  check(signal: AbortSignal): Promise<boolean>;
}

export interface Layer7AgentOptions {
  /** Watches `layer7Kinds`; of Secrets those of type kubernetes.io/tls. */
  readonly informers: Informers;
  readonly proxy: Layer7Proxy;
  readonly clock: Clock;
  readonly log: Logger;
  /** The proxy sends nothing to endpoints that left up to this revision of EndpointSlices. */
  applied(revision: number): void;
  refused(refusals: readonly Refusal[]): void;
}

/** Kinds whose changes change the routing. */
export const layer7Kinds: readonly Kind[] = [
  ...[ingresses, ingressclasses, gateways, gatewayclasses, httproutes, referencegrants],
  ...[services, endpointslices, namespaces],
] as readonly Kind[];

/** Undefined: nothing asks for a proxy. */
export const routingOf = ({ view }: Informers): Routing | undefined => {
  if (ownIngresses(view).length === 0 && ownGateways(view).length === 0) return undefined;
  const [fromIngresses, fromGateways] = [ingressRoutes(view), gatewayRoutes(view)];
  const secure = fromIngresses.certificates.length > 0;
  return {
    listeners: [
      ...(fromIngresses.routes.length > 0 ? [{ port: 80, tls: false }] : []),
      ...(secure ? [{ port: 443, tls: true }] : []),
      ...fromGateways.listeners,
    ],
    routes: [...fromIngresses.routes, ...fromGateways.routes],
    certificates: [...fromIngresses.certificates, ...fromGateways.certificates],
  };
};

export const runLayer7 = async (options: Layer7AgentOptions, signal: AbortSignal): Promise<void> => {
  const { informers, proxy, clock, log, applied, refused } = options;
  // With half of the picture, routes would lose services that are there.
  await informers.ready(signal);
  const applier = new Applier({
    name: 'ingress',
    apply: async (inner) => {
      const revision = informers.revision(endpointslices);
      try {
        refused(await proxy.apply(routingOf(informers), inner));
      } finally {
        // A proxy that cannot be told must not keep pods from ending: nobody knows when it will be mended.
        applied(revision);
      }
    },
    check: (inner) => proxy.check(inner),
    clock,
    log,
  });
  const stops = [...layer7Kinds, secrets as Kind].map((kind) =>
    informers.subscribe(kind, () => applier.poke()),
  );
  applier.poke();
  try {
    await applier.run(signal);
  } finally {
    for (const stop of stops) stop();
  }
};
