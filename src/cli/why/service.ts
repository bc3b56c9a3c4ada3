// Which pods of a service get what share of its traffic, which get none, and why.
import type { EndpointSlice, Pod, Service } from '../../resources/generated/types.js';
import { weightsOf } from '../../resources/endpoint-weights.js';
import { announcedByAnnotation } from '../../resources/load-balancer.js';
import { confirmedAnnotation } from '../../resources/proxy-revision.js';
import { isDeleting } from '../../resources/resource.js';
import type { Evidence, Explanation } from './evidence.js';
import { podReasons, podState } from './pod.js';

interface Shown {
  readonly address: string;
  /** Of the pod, or what else stands there. */
  readonly name: string;
  readonly node: string | undefined;
  readonly ready: boolean;
  /** Leaves, and still answers. */
  readonly leaving: boolean;
  readonly weight: number;
  readonly uid: string | undefined;
}

const shownIn = (slice: EndpointSlice): readonly Shown[] => {
  const weights = weightsOf(slice.metadata.annotations);
  return slice.endpoints.map(({ addresses: [address = ''], conditions, nodeName, targetRef }) => ({
    address,
    name: targetRef?.name ?? address,
    node: nodeName,
    ready: conditions?.ready !== false,
    leaving: conditions?.terminating === true && conditions.serving !== false,
    weight: weights === undefined ? 1 : (weights.get(address) ?? 0),
    uid: targetRef?.uid,
  }));
};

/** An address that several slices name counts once, ready if one of them says so. */
const endpointsOf = (slices: readonly EndpointSlice[]): readonly Shown[] => {
  const found = new Map<string, Shown>();
  for (const one of slices.flatMap(shownIn))
    if (found.get(one.address)?.ready !== true) found.set(one.address, one);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
};

/** As the proxies choose: those that are ready; without any, those that leave; by weight, unless nothing weighs anything. */
const sharesOf = (endpoints: readonly Shown[]): ReadonlyMap<Shown, number> => {
  const ready = endpoints.filter((one) => one.ready);
  const used = ready.length > 0 ? ready : endpoints.filter((one) => one.leaving);
  const total = used.reduce((sum, { weight }) => sum + weight, 0);
  return new Map(used.map((one) => [one, total === 0 ? 1 / used.length : one.weight / total]));
};

const percent = (share: number): string => `${String(Math.round(share * 1000) / 10)} %`;

const place = ({ address, node }: Shown): string =>
  node === undefined ? `at ${address}` : `at ${address} on node ${node}`;

const whyOut = (endpoint: Shown, pod: Pod | undefined): string => {
  if (pod === undefined) return endpoint.ready ? 'its weight is 0' : 'it is not ready';
  if (isDeleting(pod))
    return pod.metadata.annotations?.[confirmedAnnotation] === undefined
      ? 'it is being deleted, and proxies have still to confirm that they send it nothing'
      : 'it is being deleted, and every proxy has taken it out';
  if (endpoint.ready) return 'its weight is 0';
  return podReasons(pod)[0] ?? podState(pod);
};

const addressesOf = ({ spec, status }: Service): string => {
  if (spec.type === 'ExternalName') return `is another name of ${spec.externalName ?? ''}`;
  const ports = (spec.ports ?? [])
    .map(({ port, protocol }) => `${String(port)}/${protocol ?? 'TCP'}`)
    .join(', ');
  const all = [
    spec.clusterIP ?? '',
    ...(spec.externalIPs ?? []),
    ...(status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? ''),
  ].filter((address) => address !== '' && address !== 'None');
  return all.length === 0 ? 'is headless' : `answers at ${all.join(', ')} on ${ports}`;
};

const settings = ({ metadata, spec }: Service): readonly string[] => {
  const node = metadata.annotations?.[announcedByAnnotation];
  return [
    ...(node === undefined ? [] : [`node ${node} answers for its load balancer address`]),
    ...(spec.type === 'LoadBalancer' && node === undefined
      ? ['it has no load balancer address: the cluster has no pool (--load-balancer-pool), or none is free']
      : []),
    ...(spec.sessionAffinity === 'ClientIP' ? ['a client address stays with its pod'] : []),
    ...(spec.internalTrafficPolicy === 'Local' ? ['each node sends to its own pods only'] : []),
    ...(spec.externalTrafficPolicy === 'Local' ? ['from outside, each node sends to its own pods only'] : []),
    ...(spec.trafficDistribution === undefined
      ? []
      : [`each node prefers near pods (${spec.trafficDistribution}): shares below are those without that`]),
  ];
};

export const explainService = ({ object, pods, slices = [] }: Evidence): Explanation => {
  const service = object as Service;
  const endpoints = endpointsOf(slices);
  const shares = sharesOf(endpoints);
  const byUid = new Map(pods.map((pod) => [pod.metadata.uid, pod]));
  const receiving = endpoints.filter((one) => (shares.get(one) ?? 0) > 0);
  const absent = pods.filter(({ metadata }) => !endpoints.some(({ uid }) => uid === metadata.uid));
  if (service.spec.type === 'ExternalName') return { state: addressesOf(service), because: [] };
  const nobody = service.spec.selector !== undefined && pods.length === 0 ? ': no pod has its labels' : '';
  return {
    state:
      receiving.length === 0
        ? `${addressesOf(service)} and refuses everything${nobody}`
        : `${addressesOf(service)} and sends to ${String(receiving.length)} of ${String(endpoints.length + absent.length)} endpoints`,
    because: [
      ...receiving.map((one) => `${one.name} ${place(one)} gets ${percent(shares.get(one) ?? 0)}`),
      ...endpoints
        .filter((one) => !receiving.includes(one))
        .map((one) => `${one.name} ${place(one)} gets nothing: ${whyOut(one, byUid.get(one.uid ?? ''))}`),
      ...absent.map((pod) => `${pod.metadata.name} gets nothing: it ${podState(pod)}`),
      ...settings(service),
    ],
  };
};
