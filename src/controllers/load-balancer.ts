// Gives Services of type LoadBalancer an address of the pool, and names the node that answers for it; another one when
// that node falls silent. All of them are one key, so that no address is given twice.
import { addressNumber, addressText } from '../base/ipv4.js';
import type { View } from '../client/view.js';
import type { ClusterAction } from '../reconcile/cluster-action.js';
import type { Controller, Decision } from '../reconcile/controller.js';
import { shortHash } from '../reconcile/hash.js';
import { conditionOf } from '../resources/conditions.js';
import type { EndpointSlice, Node, Service } from '../resources/generated/types.js';
import { endpointslices } from '../resources/kinds/endpointslices.js';
import { nodes } from '../resources/kinds/nodes.js';
import { services } from '../resources/kinds/services.js';
import { announcedByAnnotation } from '../resources/load-balancer.js';
import { displayName, isDeleting, nameOf } from '../resources/resource.js';
import type { AddressSpan } from '../base/ipv4.js';
import { serviceNameLabel } from './endpoints/slices.js';
import { slicesByService } from './endpoints/endpoints.js';

interface Balanced {
  readonly service: Service;
  /** Nodes with a ready endpoint of it. */
  readonly hosts: ReadonlySet<string>;
}

export interface LoadBalancersObserved {
  readonly balanced: readonly Balanced[];
  /** Ready nodes, by name. */
  readonly nodes: readonly string[];
}

const isOurs = ({ spec }: Service): boolean =>
  spec.type === 'LoadBalancer' && (spec.loadBalancerClass ?? '') === '';

const isReady = ({ status }: Node): boolean => conditionOf(status?.conditions, 'Ready')?.status === 'True';

const addressOf = ({ status }: Service): string | undefined => status?.loadBalancer?.ingress?.[0]?.ip;

/** The one it has, the one it asks for, or the first that is free. A sentence when it gets none. */
const chooseAddress = (
  { spec, status }: Service,
  pool: readonly AddressSpan[],
  taken: ReadonlySet<string>,
): { readonly address: string } | { readonly problem: string } => {
  const inPool = (text: string): boolean => {
    const number = addressNumber(text);
    return number !== undefined && pool.some(({ first, last }) => number >= first && number <= last);
  };
  const asked = spec.loadBalancerIP ?? '';
  const present = addressOf({ spec, status } as Service);
  if (asked !== '') {
    if (!inPool(asked)) return { problem: `${asked} is not in the pool of load balancer addresses` };
    return taken.has(asked) ? { problem: `${asked} belongs to another service` } : { address: asked };
  }
  if (present !== undefined && inPool(present) && !taken.has(present)) return { address: present };
  for (const { first, last } of pool)
    for (let number = first; number <= last; number += 1) {
      const address = addressText(number);
      if (!taken.has(address)) return { address };
    }
  return { problem: 'the pool of load balancer addresses is used up' };
};

/** It stays where it is while it can; otherwise each service has an order of its own, so that they spread. */
const chooseNode = ({ service, hosts }: Balanced, ready: readonly string[]): string | undefined => {
  const local = service.spec.externalTrafficPolicy === 'Local';
  const able = local ? ready.filter((name) => hosts.has(name)) : ready;
  const present = service.metadata.annotations?.[announcedByAnnotation];
  if (present !== undefined && able.includes(present)) return present;
  const rank = (name: string): string => shortHash(10, service.metadata.uid, name);
  return [...able].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))[0] ?? present;
};

const statusAction = (service: Service, address: string): readonly ClusterAction[] => {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  if (ingress.length === 1 && ingress[0]?.ip === address) return [];
  const status = { ...service.status, loadBalancer: { ingress: [{ ip: address, ipMode: 'VIP' }] } };
  return [{ type: 'updateStatus', kind: services, object: { ...service, status } as Service }];
};

const nodeAction = (service: Service, node: string | undefined): readonly ClusterAction[] => {
  if (node === undefined || service.metadata.annotations?.[announcedByAnnotation] === node) return [];
  const { uid } = service.metadata;
  const patch = { metadata: { uid, annotations: { [announcedByAnnotation]: node } } };
  return [
    { type: 'patch', kind: services, name: nameOf(service), patch: { type: 'merge', patch } },
    {
      type: 'event',
      event: {
        regarding: service,
        type: 'Normal',
        reason: 'AddressAnnounced',
        message: `node ${node} answers for the address of the load balancer`,
      },
    },
  ];
};

/** Older services first: a newcomer never takes an address from one that has it. */
const byAge = ({ service: a }: Balanced, { service: b }: Balanced): number =>
  `${a.metadata.creationTimestamp}${a.metadata.uid}` < `${b.metadata.creationTimestamp}${b.metadata.uid}`
    ? -1
    : 1;

export const decideLoadBalancers = (
  { balanced, nodes: ready }: LoadBalancersObserved,
  pool: readonly AddressSpan[],
): Decision<ClusterAction> => {
  const ordered = [...balanced].sort(byAge);
  const taken = new Set<string>();
  const actions: ClusterAction[] = [];
  const problems: string[] = [];
  // Those that have an address keep it, before anyone gets a new one.
  const first = ordered.filter(({ service }) => addressOf(service) !== undefined);
  for (const one of [...first, ...ordered.filter((other) => !first.includes(other))]) {
    const { service } = one;
    const chosen = chooseAddress(service, pool, taken);
    if ('problem' in chosen) {
      problems.push(`${displayName(nameOf(service))}: ${chosen.problem}`);
      continue;
    }
    taken.add(chosen.address);
    actions.push(...statusAction(service, chosen.address), ...nodeAction(service, chooseNode(one, ready)));
  }
  const because =
    problems.length > 0
      ? problems.join('; ')
      : `${String(taken.size)} load balancers have an address and a node`;
  return { actions, because };
};

const everyService = { name: 'load-balancers' };

const hostsOf = (slices: readonly EndpointSlice[]): ReadonlySet<string> =>
  new Set(
    slices.flatMap(({ endpoints }) =>
      endpoints.flatMap(({ conditions, nodeName }) =>
        nodeName !== undefined && conditions?.ready !== false ? [nodeName] : [],
      ),
    ),
  );

/** Without a pool, load balancers stay pending, as in any cluster that has none. */
export const createLoadBalancerController = (
  pool: readonly AddressSpan[],
): Controller<LoadBalancersObserved, ClusterAction> => ({
  name: 'load-balancers',
  watches: [
    { kind: services, keys: ({ object }) => (isOurs(object as Service) ? [everyService] : []) },
    {
      kind: nodes,
      keys: ({ type, object, previous }) =>
        type !== 'modified' || isReady(object as Node) !== isReady(previous as Node) ? [everyService] : [],
    },
    {
      kind: endpointslices,
      keys: ({ object }, view) => {
        const name = object.metadata.labels?.[serviceNameLabel];
        const service = name && view.get(services, { name, namespace: object.metadata.namespace });
        return service && isOurs(service) ? [everyService] : [];
      },
    },
  ],
  indexes: [slicesByService],
  observe: (view: View) => ({
    balanced: view
      .list(services)
      .filter((service) => isOurs(service) && !isDeleting(service))
      .map((service) => ({
        service,
        hosts: hostsOf(view.lookup(slicesByService, displayName(nameOf(service)))),
      })),
    nodes: view
      .list(nodes)
      .filter(isReady)
      .map(({ metadata }) => metadata.name),
  }),
  reconcile: (observed) => decideLoadBalancers(observed, pool),
});
