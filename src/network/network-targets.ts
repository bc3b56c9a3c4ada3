// Every path that must work from a node: to each other node, through the overlay to it, and to each service that has
// someone behind it.
import { firstHost } from '../base/ipv4.js';
import type { View } from '../client/view.js';
import type { Node, Service } from '../resources/generated/types.js';
import { nodes } from '../resources/kinds/nodes.js';
import { services } from '../resources/kinds/services.js';
import type { NetworkTarget } from '../resources/network-path.js';
import { displayName, nameOf } from '../resources/resource.js';
import { serviceFrontends } from './service-rules.js';
import { slicesOfService } from './service-view.js';
import { internalAddress } from './peers.js';

/** At the addresses that other nodes have for it; its agent listens on all of them. */
const nodeTargets = (node: Node): readonly NetworkTarget[] => {
  const to = `node ${node.metadata.name}`;
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
  const address = internalAddress(node);
  const gateway = firstHost(node.spec.podCIDR);
  if (port === 0) return [];
  return [
    ...(address === undefined ? [] : [{ kind: 'node' as const, to, address, port }]),
    // The bridge of its pods: what gets there gets to them.
    ...(gateway === undefined ? [] : [{ kind: 'pod-network' as const, to, address: gateway, port }]),
  ];
};

const serviceTargets = (view: View, service: Service, nodeName: string): readonly NetworkTarget[] => {
  const name = displayName(nameOf(service));
  const place = { nodeName, zoneOf: () => undefined };
  return serviceFrontends(service, view.lookup(slicesOfService, name), place).flatMap(
    ({ address, port, protocol, target }): readonly NetworkTarget[] =>
      address === undefined || protocol !== 'tcp' || target.backends.length === 0
        ? []
        : [{ kind: 'service', to: `service ${name}`, address, port }],
  );
};

export const networkTargets = (view: View, nodeName: string): readonly NetworkTarget[] => [
  ...view
    .list(nodes)
    .filter(({ metadata }) => metadata.name !== nodeName)
    .flatMap(nodeTargets),
  ...view.list(services).flatMap((service) => serviceTargets(view, service, nodeName)),
];
