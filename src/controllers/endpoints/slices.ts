// Endpoints in slices of at most a hundred, so that one pod's change rewrites one small object: what is in a slice stays
// there, what is new fills the gaps.
import { equal } from '../../base/json.js';
import { shortHash } from '../../reconcile/hash.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Endpoint, EndpointSlice, Service } from '../../resources/generated/types.js';
import { weightsAnnotation, type Weights } from '../../resources/endpoint-weights.js';
import { endpointslices } from '../../resources/kinds/endpointslices.js';
import { nameOf, ownedBy } from '../../resources/resource.js';
import type { Draft, StringMap } from '../../resources/resource.js';
import { endpointId } from './service-endpoints.js';
import type { PortGroup } from './service-endpoints.js';

const largest = 100;
export const serviceNameLabel = 'kubernetes.io/service-name';
const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const manager = 'endpointslice-controller.k8s.io';

export const isOurs = (slice: EndpointSlice): boolean => slice.metadata.labels?.[managedByLabel] === manager;

const labelsOf = (service: Service): StringMap => ({
  ...service.metadata.labels,
  [serviceNameLabel]: service.metadata.name,
  [managedByLabel]: manager,
  ...(service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {}),
});

interface Filled {
  readonly slice: EndpointSlice;
  readonly endpoints: Endpoint[];
}

/** What stays of a slice, each endpoint with its present conditions; what is taken leaves `wanted`. */
const kept = (slice: EndpointSlice, wanted: Map<string, Endpoint>): Filled => {
  const endpoints: Endpoint[] = [];
  for (const endpoint of slice.endpoints) {
    const id = endpointId(endpoint);
    const next = wanted.get(id);
    if (next === undefined) continue;
    wanted.delete(id);
    endpoints.push(next);
  }
  return { slice, endpoints };
};

/** Of those endpoints; what is there of others stays as it is on a slice, without the shares of the Service. */
const annotationsOf = (
  weights: Weights | undefined,
  endpoints: readonly Endpoint[],
  present: StringMap = {},
): StringMap | undefined => {
  const rest = Object.fromEntries(Object.entries(present).filter(([key]) => key !== weightsAnnotation));
  if (weights === undefined) return Object.keys(rest).length === 0 ? undefined : rest;
  const own = endpoints.flatMap(({ addresses: [address = ''] }) => [[address, weights.get(address) ?? 0]]);
  return { ...rest, [weightsAnnotation]: JSON.stringify(Object.fromEntries(own)) };
};

const newSlice = (
  service: Service,
  group: PortGroup,
  { name, weights }: { readonly name: string; readonly weights: Weights | undefined },
): Draft<EndpointSlice> => ({
  metadata: {
    name,
    annotations: annotationsOf(weights, group.endpoints),
    namespace: service.metadata.namespace,
    labels: labelsOf(service),
    ownerReferences: [ownedBy(service)],
  },
  addressType: 'IPv4',
  ports: group.ports,
  endpoints: group.endpoints,
});

const remove = (slice: EndpointSlice): ClusterAction => ({
  type: 'delete',
  kind: endpointslices,
  name: nameOf(slice),
  options: { preconditions: { uid: slice.metadata.uid } },
});

const rewritten = (
  service: Service,
  { slice, endpoints }: Filled,
  weights: Weights | undefined,
): readonly ClusterAction[] => {
  const labels = labelsOf(service);
  const annotations = annotationsOf(weights, endpoints, slice.metadata.annotations);
  if (
    equal(slice.endpoints, endpoints) &&
    equal(slice.metadata.labels, labels) &&
    equal(slice.metadata.annotations, annotations)
  )
    return [];
  const metadata = { ...slice.metadata, labels, annotations };
  const object: EndpointSlice = { ...slice, endpoints, metadata };
  return [{ type: 'update', kind: endpointslices, object }];
};

/** Names of new slices: the first that no slice of the service has. */
class Names {
  readonly #service: Service;
  readonly #taken: Set<string>;
  #next = 0;

  constructor(service: Service, slices: readonly EndpointSlice[]) {
    this.#service = service;
    this.#taken = new Set(slices.map(({ metadata }) => metadata.name));
  }

  next(): string {
    const { name, uid } = this.#service.metadata;
    for (;;) {
      const candidate = `${name}-${shortHash(5, uid, this.#next)}`;
      this.#next += 1;
      if (!this.#taken.has(candidate)) return candidate;
    }
  }
}

const groupActions = (
  service: Service,
  group: PortGroup,
  {
    slices,
    names,
    weights,
  }: {
    readonly slices: readonly EndpointSlice[];
    readonly names: Names;
    readonly weights: Weights | undefined;
  },
): readonly ClusterAction[] => {
  const wanted = new Map(group.endpoints.map((endpoint) => [endpointId(endpoint), endpoint]));
  const filled = slices.map((slice) => kept(slice, wanted));
  const rest = [...wanted.values()];
  for (const { endpoints } of filled) {
    if (rest.length === 0) break;
    endpoints.push(...rest.splice(0, Math.max(0, largest - endpoints.length)));
  }
  const actions: ClusterAction[] = [];
  for (const entry of filled)
    actions.push(
      ...(entry.endpoints.length === 0 ? [remove(entry.slice)] : rewritten(service, entry, weights)),
    );
  for (let at = 0; at < rest.length; at += largest) {
    const endpoints = rest.slice(at, at + largest);
    actions.push({
      type: 'create',
      kind: endpointslices,
      object: newSlice(service, { ...group, endpoints }, { name: names.next(), weights }),
    });
  }
  return actions;
};

/** The writes after which the slices show exactly the groups. */
export const sliceActions = (
  service: Service,
  groups: readonly PortGroup[],
  {
    slices,
    weights,
  }: {
    readonly slices: readonly EndpointSlice[];
    /** By address; undefined where the Service gives no shares. */
    readonly weights?: Weights | undefined;
  },
): readonly ClusterAction[] => {
  const names = new Names(service, slices);
  const ours = slices.filter(isOurs);
  const used = new Set<EndpointSlice>();
  const actions = groups.flatMap((group) => {
    const same = ours.filter((slice) => equal(slice.ports ?? [], group.ports));
    for (const slice of same) used.add(slice);
    return groupActions(service, group, { slices: same, names, weights });
  });
  return [...actions, ...ours.filter((slice) => !used.has(slice)).map(remove)];
};
