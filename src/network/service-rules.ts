// A Service and its EndpointSlices -> the addresses at which this node answers for it, and what stands behind each.
// Follows Kubernetes' proxy (KEP-1669 for terminating endpoints, KEP-2086 for internalTrafficPolicy).
import type { Endpoint, EndpointSlice, Service, ServicePort } from '../resources/generated/types.js';
import { addressNumber } from '../base/ipv4.js';
import type { Backend, Frontend, Protocol, Target } from './datapath.js';
import { weightsOf } from '../resources/endpoint-weights.js';
import { reduced } from './weights.js';

/** Where the proxy stands, and where it sees endpoints: they may be preferred by nearness. */
export interface Place {
  readonly nodeName: string;
  /** Of a node by name; undefined where nothing is known. */
  zoneOf(nodeName: string | undefined): string | undefined;
}

interface Candidate extends Backend {
  readonly sameZone: boolean;
  readonly ready: boolean;
  /** Leaves, and still answers: used when nothing else is there. */
  readonly lastResort: boolean;
}

const protocolOf = (protocol: string | undefined): Protocol | undefined => {
  if (protocol === undefined || protocol === 'TCP') return 'tcp';
  return protocol === 'UDP' ? 'udp' : undefined;
};

const stateOf = ({ conditions }: Endpoint): Pick<Candidate, 'ready' | 'lastResort'> => {
  const ready = conditions?.ready ?? true;
  return { ready, lastResort: (conditions?.serving ?? ready) && conditions?.terminating === true };
};

/** Endpoints of one service port, whatever their condition. An address and port that two slices name counts once. */
const candidatesOf = (
  port: ServicePort,
  slices: readonly EndpointSlice[],
  { nodeName, zoneOf }: Place,
): readonly Candidate[] => {
  const here = zoneOf(nodeName);
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    const target = slice.ports?.find(
      ({ name, protocol }) =>
        (name ?? '') === (port.name ?? '') && (protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    )?.port;
    if (slice.addressType !== 'IPv4' || target === undefined) continue;
    const weights = weightsOf(slice.metadata.annotations);
    for (const endpoint of slice.endpoints) {
      const [address = ''] = endpoint.addresses;
      const id = `${address}:${String(target)}`;
      const state = stateOf(endpoint);
      if (addressNumber(address) === undefined || found.get(id)?.ready === true) continue;
      const weight = weights === undefined ? 1 : (weights.get(address) ?? 0);
      const zone = endpoint.zone ?? zoneOf(endpoint.nodeName);
      found.set(id, {
        address,
        port: target,
        weight,
        local: endpoint.nodeName === nodeName,
        sameZone: here !== undefined && zone === here,
        ...state,
      });
    }
  }
  return [...found.values()].sort((a, b) => (`${a.address}:${a.port}` < `${b.address}:${b.port}` ? -1 : 1));
};

/** Those that are ready; without any, those that leave but still answer: better than a refusal. */
const usable = (candidates: readonly Candidate[]): readonly Candidate[] => {
  const ready = candidates.filter((candidate) => candidate.ready);
  return ready.length > 0 ? ready : candidates.filter((candidate) => candidate.lastResort);
};

/** Weights in smallest terms; what weighs nothing gets nothing, unless nothing weighs anything. */
const backendsOf = (candidates: readonly Candidate[]): readonly Backend[] => {
  const weights = reduced(candidates.map(({ weight }) => weight));
  return candidates.flatMap(({ address, port, local }, index) => {
    const weight = weights[index] ?? 0;
    return weight === 0 ? [] : [{ address, port, weight, local }];
  });
};

interface Targets {
  /** Of the cluster address. */
  readonly internal: Target;
  /** Of node ports and external addresses, for pods and nodes. */
  readonly everywhere: Target;
  /** Of node ports and external addresses, for the world, where it differs. */
  readonly outside: Target | undefined;
}

type Nearness = (candidate: Candidate) => boolean;

/** By `trafficDistribution`: the nearest first; what is not known is not near (KEP-4444, KEP-3015). */
const nearness: Readonly<Record<string, readonly Nearness[]>> = {
  PreferSameNode: [({ local }) => local, ({ sameZone }) => sameZone],
  PreferSameZone: [({ sameZone }) => sameZone],
  PreferClose: [({ sameZone }) => sameZone],
};

export const prefersNear = ({ spec }: Service): boolean =>
  nearness[spec.trafficDistribution ?? ''] !== undefined;

/** Those at the nearest distance at which there are any. */
const preferred = ({ spec }: Service, candidates: readonly Candidate[]): readonly Candidate[] => {
  for (const isNear of nearness[spec.trafficDistribution ?? ''] ?? []) {
    const near = candidates.filter(isNear);
    if (near.length > 0) return near;
  }
  return candidates;
};

const targetsOf = (service: Service, candidates: readonly Candidate[]): Targets => {
  const { internalTrafficPolicy, externalTrafficPolicy } = service.spec;
  const all = usable(candidates);
  const everywhere: Target = { backends: backendsOf(preferred(service, all)), empty: 'refuse' };
  const local: Target = {
    backends: backendsOf(usable(candidates.filter((candidate) => candidate.local))),
    // A load balancer in front takes silence for "not this node"; a refusal is for services that nobody serves.
    empty: all.length === 0 ? 'refuse' : 'drop',
  };
  return {
    internal: internalTrafficPolicy === 'Local' ? local : everywhere,
    everywhere,
    outside: externalTrafficPolicy === 'Local' ? local : undefined,
  };
};

const frontendKey = (address: string | undefined, protocol: Protocol, port: number): string =>
  `${address ?? 'node'}/${protocol}/${String(port)}`;

const externalAddresses = ({ spec, status }: Service): readonly string[] => [
  ...(spec.externalIPs ?? []),
  ...(spec.type === 'LoadBalancer'
    ? (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
    : []),
];

const affinityOf = ({ spec }: Service): Pick<Frontend, 'affinitySeconds'> =>
  spec.sessionAffinity === 'ClientIP'
    ? { affinitySeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800 }
    : {};

const portFrontends = (service: Service, port: ServicePort, targets: Targets): readonly Frontend[] => {
  const { spec } = service;
  const protocol = protocolOf(port.protocol);
  if (protocol === undefined) return [];
  const affinity = affinityOf(service);
  const at = (address: string | undefined, number: number, target: Target, outside?: Target): Frontend => ({
    key: frontendKey(address, protocol, number),
    address,
    protocol,
    port: number,
    target,
    ...(outside === undefined ? {} : { outside }),
    ...affinity,
  });
  const { internal, everywhere, outside } = targets;
  const cluster = [...new Set([spec.clusterIP ?? '', ...(spec.clusterIPs ?? [])])];
  const valid = (address: string): boolean => addressNumber(address) !== undefined;
  return [
    ...cluster.filter(valid).map((address) => at(address, port.port, internal)),
    ...[...new Set(externalAddresses(service))]
      .filter((address) => valid(address) && !cluster.includes(address))
      .map((address) => at(address, port.port, everywhere, outside)),
    ...(spec.type !== 'ClusterIP' && (port.nodePort ?? 0) > 0
      ? [at(undefined, port.nodePort ?? 0, everywhere, outside)]
      : []),
  ];
};

/** None for a headless Service and for an ExternalName: those are answered by name only. */
export const serviceFrontends = (
  service: Service,
  slices: readonly EndpointSlice[],
  place: Place,
): readonly Frontend[] => {
  if (service.spec.type === 'ExternalName' || service.spec.clusterIP === 'None') return [];
  return (service.spec.ports ?? []).flatMap((port) =>
    portFrontends(service, port, targetsOf(service, candidatesOf(port, slices, place))),
  );
};

/** What a load balancer outside is told about this node. */
export interface HealthCheck {
  readonly port: number;
  readonly namespace: string;
  readonly name: string;
  /** Ready endpoints on this node. */
  readonly localEndpoints: number;
}

/** Undefined for a service that has no health-check node port. */
export const healthCheckOf = (
  { metadata, spec }: Service,
  slices: readonly EndpointSlice[],
  nodeName: string,
): HealthCheck | undefined => {
  const port = spec.healthCheckNodePort ?? 0;
  if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local' || port === 0) return undefined;
  const local = slices.flatMap(({ endpoints }) =>
    endpoints.filter((endpoint) => endpoint.nodeName === nodeName && stateOf(endpoint).ready),
  );
  const addresses = new Set(local.map(({ addresses: [address] }) => address));
  return { port, namespace: metadata.namespace ?? '', name: metadata.name, localEndpoints: addresses.size };
};
