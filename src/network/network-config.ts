// What all nodes of a cluster must agree on about their network: one ConfigMap, written by the master, followed by every
// agent, so that a change needs no visit to the machines.
import type { ConfigMap } from '../resources/generated/types.js';
import type { Draft } from '../resources/resource.js';

/** How packets get to the pods of other nodes; `none` leaves the kernel alone: services then carry nothing. */
export const backendNames = ['vxlan', 'host-gw', 'none'] as const;
export type BackendName = (typeof backendNames)[number];

export interface NetworkConfig {
  readonly backend: BackendName;
  /** Of all pods of the cluster, such as `10.244.0.0/16`. */
  readonly podCidr: string;
  /** Of cluster addresses of services. */
  readonly serviceCidr: string;
}

export const networkConfigName = { namespace: 'kube-system', name: 'capstan-network' } as const;

export const networkConfigMap = (config: NetworkConfig): Draft<ConfigMap> => ({
  metadata: { ...networkConfigName },
  data: {
    backend: config.backend,
    'pod-cidr': config.podCidr,
    'service-cidr': config.serviceCidr,
  },
});

/** A sentence for what cannot be read. */
export const networkConfigOf = ({ data = {} }: ConfigMap): NetworkConfig | string => {
  const backend = backendNames.find((name) => name === data['backend']);
  if (backend === undefined)
    return `the ConfigMap ${networkConfigName.namespace}/${networkConfigName.name} names the backend ${data['backend'] ?? ''}, which is none of ${backendNames.join(', ')}`;
  const { 'pod-cidr': podCidr, 'service-cidr': serviceCidr } = data;
  if (podCidr === undefined || serviceCidr === undefined)
    return `the ConfigMap ${networkConfigName.namespace}/${networkConfigName.name} lacks pod-cidr or service-cidr`;
  return { backend, podCidr, serviceCidr };
};
