// What a cluster has before anyone writes to it: its namespaces, their default accounts, and the way to the API itself.
import { hasCode } from '../base/errors.js';
import { equal } from '../base/json.js';
import { componentRoleBindings, componentRoles } from './authorize/component-roles.js';
import { clusterDnsAddress } from '../base/ipv4.js';
import type { Kind } from '../resources/kind.js';
import { clusterInfo, clusterInfoKey, renderClusterInfo } from '../resources/cluster-info.js';
import { clusterrolebindings } from '../resources/kinds/clusterrolebindings.js';
import { clusterroles } from '../resources/kinds/clusterroles.js';
import { configmaps } from '../resources/kinds/configmaps.js';
import { endpointslices } from '../resources/kinds/endpointslices.js';
import { gatewayclasses } from '../resources/kinds/gatewayclasses.js';
import { ingressclasses } from '../resources/kinds/ingressclasses.js';
import { namespaces } from '../resources/kinds/namespaces.js';
import { priorityclasses, systemPriorityClasses } from '../resources/kinds/priorityclasses.js';
import { rolebindings } from '../resources/kinds/rolebindings.js';
import { roles } from '../resources/kinds/roles.js';
import { serviceaccounts } from '../resources/kinds/serviceaccounts.js';
import { storageclasses } from '../resources/kinds/storageclasses.js';
import { services } from '../resources/kinds/services.js';
import type {
  ClusterRole,
  ConfigMap,
  EndpointSlice,
  Namespace,
  Service,
  ServiceAccount,
  StorageClass,
  GatewayClass,
  IngressClass,
} from '../resources/generated/types.js';
import type { Draft } from '../resources/resource.js';
import { localProvisioner } from '../resources/storage/binding.js';
import { addressRange } from './admission/address-range.js';
import { defaultClusterRoleBindings, defaultClusterRoles } from './authorize/default-roles.js';
import {
  clusterInfoRole,
  clusterInfoRoleBinding,
  joiningClusterRoleBindings,
  joiningClusterRoles,
} from './authorize/joining-roles.js';
import type { CallOptions, Registry } from './registry.js';

export interface BootstrapOptions {
  /** Such as `10.96.0.0/16`; its first address belongs to the Service `kubernetes`. */
  readonly serviceCidr: string;
  /** Port of the API server. */
  readonly apiPort: number;
  /** Where pods reach the API server; absent while it listens on loopback only. */
  readonly apiAddress?: string | undefined;
  /** PEM of the authority, for machines that join; absent where none may. */
  readonly authority?: string | undefined;
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

const ingressClass: Draft<IngressClass> = {
  metadata: { name: 'capstan', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
  spec: { controller: 'capstan.dev/ingress' },
};

const gatewayClass: Draft<GatewayClass> = {
  metadata: { name: 'capstan' },
  spec: { controllerName: 'capstan.dev/gateway' },
};

/** Each node answers for its own pods: its endpoint is the only one that they are led to. */
const dnsService = ({ serviceCidr }: BootstrapOptions): Draft<Service> => ({
  metadata: {
    name: 'kube-dns',
    namespace: 'kube-system',
    labels: {
      'k8s-app': 'kube-dns',
      'kubernetes.io/cluster-service': 'true',
      'kubernetes.io/name': 'Capstan',
    },
  },
  spec: {
    type: 'ClusterIP',
    clusterIP: clusterDnsAddress(serviceCidr),
    internalTrafficPolicy: 'Local',
    ports: [
      { name: 'dns', protocol: 'UDP', port: 53, targetPort: 53 },
      { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 53 },
    ],
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

/** Folders on the node on which the first pod that uses them is. */
const localClass: Draft<StorageClass> = {
  metadata: { name: 'local', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: localProvisioner,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowVolumeExpansion: true,
};

const createMissing = async (registry: Registry, kind: Kind, draft: Draft): Promise<void> => {
  try {
    await registry.create(kind, draft, call);
  } catch (error) {
    if (!hasCode(error, 'AlreadyExists')) throw error;
  }
};

const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate';

/** As `createMissing`; a role that a former version made gets the rules of this one, unless its annotation says not to. */
const ensureRole = async (registry: Registry, role: Draft<ClusterRole>): Promise<void> => {
  await createMissing(registry, clusterroles, role);
  const name = { name: role.metadata.name ?? '' };
  const present = (await registry.get(clusterroles, name)).object as ClusterRole;
  if (present.metadata.annotations?.[autoUpdate] !== 'true' || equal(present.rules, role.rules)) return;
  await registry.patch(clusterroles, name, { type: 'merge', patch: { rules: role.rules } }, call);
};

const publicInfo = (server: string, ca: string): Draft<ConfigMap> => ({
  metadata: clusterInfo,
  data: { [clusterInfoKey]: renderClusterInfo({ server, ca }) },
});

/** What a machine that joins may read, and do. */
const joining = async (
  registry: Registry,
  { apiAddress, apiPort, authority }: BootstrapOptions,
): Promise<void> => {
  await Promise.all([
    ...componentRoles.map((role) => ensureRole(registry, role)),
    ...componentRoleBindings.map((binding) => createMissing(registry, clusterrolebindings, binding)),
    ...joiningClusterRoles.map((role) => createMissing(registry, clusterroles, role)),
    ...joiningClusterRoleBindings.map((binding) => createMissing(registry, clusterrolebindings, binding)),
    createMissing(registry, roles, clusterInfoRole),
    createMissing(registry, rolebindings, clusterInfoRoleBinding),
  ]);
  if (authority === undefined || apiAddress === undefined) return;
  const info = publicInfo(`https://${apiAddress}:${String(apiPort)}`, authority);
  await createMissing(registry, configmaps, info);
  // Signatures of another content are worth nothing: the signer makes them anew.
  await registry.patch(configmaps, clusterInfo, { type: 'merge', patch: { data: info.data } }, call);
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
  await joining(registry, options);
  await createMissing(registry, storageclasses, localClass);
  await createMissing(registry, services, apiService(options));
  // A service network of a few addresses has none for DNS.
  if (addressRange(options.serviceCidr).size > 9)
    await createMissing(registry, services, dnsService(options));
  await createMissing(registry, ingressclasses, ingressClass);
  await createMissing(registry, gatewayclasses, gatewayClass);
  if (options.apiAddress === undefined) return;
  const slice = apiEndpoints(options.apiAddress, options.apiPort);
  await createMissing(registry, endpointslices, slice);
  await registry.update(endpointslices, { name: 'kubernetes', namespace: 'default' }, slice, call);
};
