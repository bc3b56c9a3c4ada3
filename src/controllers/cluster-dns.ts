// Endpoints of the Service kube-dns: the DNS server of each node, at the first address of the node's subnet.
import { firstHost } from '../base/ipv4.js';
import type { ClusterAction } from '../reconcile/cluster-action.js';
import type { Controller } from '../reconcile/controller.js';
import type { Endpoint, EndpointSlice, Node, Service } from '../resources/generated/types.js';
import { endpointslices } from '../resources/kinds/endpointslices.js';
import { nodes } from '../resources/kinds/nodes.js';
import { services } from '../resources/kinds/services.js';
import { slicesByService } from './endpoints/endpoints.js';
import { serviceNameLabel, sliceActions } from './endpoints/slices.js';

const service = { namespace: 'kube-system', name: 'kube-dns' } as const;

export interface ClusterDnsObserved {
  readonly service: Service;
  readonly nodes: readonly Node[];
  readonly slices: readonly EndpointSlice[];
}

const endpointOf = ({ metadata, spec }: Node): readonly Endpoint[] => {
  const address = firstHost(spec.podCIDR);
  if (address === undefined) return [];
  return [
    {
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: metadata.name,
      targetRef: { kind: 'Node', name: metadata.name, uid: metadata.uid },
    },
  ];
};

const cidrOf = (node: Node | undefined): string | undefined => node?.spec.podCIDR;

export const clusterDnsController: Controller<ClusterDnsObserved, ClusterAction> = {
  name: 'cluster-dns',
  watches: [
    {
      kind: services,
      keys: ({ object: { metadata } }) =>
        metadata.name === service.name && metadata.namespace === service.namespace ? [service] : [],
    },
    {
      kind: nodes,
      // Heartbeats change nodes all the time.
      keys: ({ type, object, previous }) =>
        type === 'modified' && cidrOf(object as Node) === cidrOf(previous as Node | undefined)
          ? []
          : [service],
    },
    {
      kind: endpointslices,
      keys: ({ object: { metadata } }) =>
        metadata.namespace === service.namespace && metadata.labels?.[serviceNameLabel] === service.name
          ? [service]
          : [],
    },
  ],
  indexes: [slicesByService],
  observe: (view, key) => {
    const found = view.get(services, key);
    // With a selector, someone else's pods answer.
    if (found === undefined || found.spec.selector !== undefined) return undefined;
    const slices = view.lookup(slicesByService, `${service.namespace}/${service.name}`);
    return { service: found, nodes: view.list(nodes), slices };
  },
  reconcile: (observed) => {
    const endpoints = observed.nodes.flatMap(endpointOf);
    const ports = (observed.service.spec.ports ?? []).map(({ name = '', port, protocol = 'TCP' }) => ({
      name,
      port,
      protocol,
    }));
    return {
      actions: sliceActions(observed.service, [{ ports, endpoints }], { slices: observed.slices }),
      because: `${String(endpoints.length)} nodes answer DNS, each for its own pods`,
    };
  },
};
