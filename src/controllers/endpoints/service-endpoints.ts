// Pods behind a Service as endpoints: addresses, ports resolved pod by pod, and what may be sent to each.
import type {
  DiscoveryEndpointPort,
  Endpoint,
  Pod,
  Service,
  ServicePort,
} from '../../resources/generated/types.js';
import { isPodReady, isPodTerminated, isSidecar } from '../../resources/pod-status.js';
import { isDeleting } from '../../resources/resource.js';

/** Endpoints whose pods resolve the Service's ports to the same numbers. */
export interface PortGroup {
  readonly ports: readonly DiscoveryEndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** A number stands for itself; a name is looked up among the pod's container ports of that protocol. */
const targetOf = ({ targetPort, port, protocol = 'TCP' }: ServicePort, pod: Pod): number | undefined => {
  if (targetPort === undefined || targetPort === '' || targetPort === 0) return port;
  if (typeof targetPort === 'number') return targetPort;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  for (const container of containers)
    for (const named of container.ports ?? [])
      if (named.name === targetPort && (named.protocol ?? 'TCP') === protocol) return named.containerPort;
  return undefined;
};

/** A port whose name the pod does not know is left out for that pod. */
const portsOf = (service: Service, pod: Pod): readonly DiscoveryEndpointPort[] =>
  (service.spec.ports ?? []).flatMap((port) => {
    const target = targetOf(port, pod);
    if (target === undefined) return [];
    return [
      {
        name: port.name ?? '',
        port: target,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
      },
    ];
  });

const endpointOf = (service: Service, pod: Pod, address: string): Endpoint => {
  const terminating = isDeleting(pod);
  const serving = isPodReady(pod) || service.spec.publishNotReadyAddresses === true;
  const { hostname, subdomain, nodeName } = pod.spec;
  return {
    addresses: [address],
    conditions: {
      ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(hostname !== undefined && hostname !== '' && subdomain === service.metadata.name ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: {
      kind: 'Pod',
      namespace: pod.metadata.namespace,
      name: pod.metadata.name,
      uid: pod.metadata.uid,
    },
  };
};

/** Pods without an address, and those that have ended, are no endpoints. */
export const portGroups = (service: Service, pods: readonly Pod[]): readonly PortGroup[] => {
  const groups = new Map<string, { ports: readonly DiscoveryEndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    const address = pod.status?.podIP;
    if (address === undefined || address === '' || isPodTerminated(pod)) continue;
    const ports = portsOf(service, pod);
    const id = JSON.stringify(ports);
    const group = groups.get(id) ?? { ports, endpoints: [] };
    group.endpoints.push(endpointOf(service, pod, address));
    groups.set(id, group);
  }
  return [...groups.values()];
};

/** What an endpoint is the same by, whatever its conditions. */
export const endpointId = (endpoint: Endpoint): string =>
  `${endpoint.targetRef?.uid ?? ''} ${endpoint.addresses.join(',')}`;
