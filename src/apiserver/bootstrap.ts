// What a cluster has before anyone writes to it: its namespaces, their default accounts, and the way to the API itself.
import { hasCode } from '../base/errors.js';
import type { Kind } from '../resources/kind.js';
import { clusterrolebindings } from '../resources/kinds/clusterrolebindings.js';
import { clusterroles } from '../resources/kinds/clusterroles.js';
import { endpointslices } from '../resources/kinds/endpointslices.js';
import { namespaces } from '../resources/kinds/namespaces.js';
import { priorityclasses, systemPriorityClasses } from '../resources/kinds/priorityclasses.js';
import { serviceaccounts } from '../resources/kinds/serviceaccounts.js';
import { services } from '../resources/kinds/services.js';
import type { EndpointSlice, Namespace, Service, ServiceAccount } from '../resources/generated/types.js';
import type { Draft } from '../resources/resource.js';
import { addressRange } from './admission/address-range.js';
import { defaultClusterRoleBindings, defaultClusterRoles } from './authorize/default-roles.js';
import type { CallOptions, Registry } from './registry.js';

export interface BootstrapOptions {
  /** Such as `10.96.0.0/16`; its first address belongs to the Service `kubernetes`. */
  readonly serviceCidr: string;
  /** Port of the API server. */
  readonly apiPort: number;
  /** Where pods reach the API server; absent while it listens on loopback only. */
  readonly apiAddress?: string | undefined;
}

const ownNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

const namespace = (name: string): Draft<Namespace> => ({ metadata: { name } });

const account = (name: string): Draft<ServiceAccount> => ({ metadata: { name: 'default', namespace: name } });

const apiService = ({ serviceCidr, apiPort }: BootstrapOptions): Draft<Service> => ({
  metadata: {
    name: 'kubernetes',
    namespace: 'default',
    labels: { component: 'apiserver', provider: 'kubernetes' },
  },
  spec: {
    type: 'ClusterIP',
    clusterIP: addressRange(serviceCidr).at(0),
    ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: apiPort }],
  },
});

const apiEndpoints = (address: string, port: number): Draft<EndpointSlice> => ({
  metadata: {
    name: 'kubernetes',
    namespace: 'default',
    labels: { 'kubernetes.io/service-name': 'kubernetes' },
  },
  addressType: 'IPv4',
  endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
  ports: [{ name: 'https', port, protocol: 'TCP' }],
});

const call: CallOptions = {
  identity: { user: 'system:apiserver', groups: ['system:masters'] },
  fieldManager: 'capstan-apiserver',
};

const priorityClass = ([name, value]: readonly [string, number]): Draft =>
  ({
    metadata: { name },
    value,
    description: 'Used for system critical pods that must not be moved from where they are.',
  }) as Draft;

const createMissing = async (registry: Registry, kind: Kind, draft: Draft): Promise<void> => {
  try {
    await registry.create(kind, draft, call);
  } catch (error) {
    if (!hasCode(error, 'AlreadyExists')) throw error;
  }
};

/** Creates what is missing and leaves the rest alone, but for the address of the API, which may have moved. */
export const bootstrap = async (registry: Registry, options: BootstrapOptions): Promise<void> => {
  await Promise.all(ownNamespaces.map((name) => createMissing(registry, namespaces, namespace(name))));
  await Promise.all(ownNamespaces.map((name) => createMissing(registry, serviceaccounts, account(name))));
  await Promise.all(
    Object.entries(systemPriorityClasses).map((known) =>
      createMissing(registry, priorityclasses, priorityClass(known)),
    ),
  );
  await Promise.all([
    ...defaultClusterRoles.map((role) => createMissing(registry, clusterroles, role)),
    ...defaultClusterRoleBindings.map((binding) => createMissing(registry, clusterrolebindings, binding)),
  ]);
  await createMissing(registry, services, apiService(options));
  if (options.apiAddress === undefined) return;
  const slice = apiEndpoints(options.apiAddress, options.apiPort);
  await createMissing(registry, endpointslices, slice);
  await registry.update(endpointslices, { name: 'kubernetes', namespace: 'default' }, slice, call);
};
