// What the agent of a machine may do: watch over what all machines need, and reach only what its own pods refer to.
import type { Identity } from '../../base/http.js';
import type { Container, Pod } from '../../resources/generated/types.js';
import { kindPrefix, storeKey } from '../../resources/kind.js';
import { networkpolicies } from '../../resources/kinds/networkpolicies.js';
import { pods } from '../../resources/kinds/pods.js';
import { claimNameOf } from '../../resources/storage/binding.js';
import type { Entry, Store } from '../../store/store.js';
import type { ResourceAttributes } from './attributes.js';

const userPrefix = 'system:node:';
export const nodesGroup = 'system:nodes';
const leaseNamespace = 'kube-node-lease';

/** The node of an agent; undefined for everyone else. */
export const nodeOf = ({ user, groups }: Identity): string | undefined =>
  user.startsWith(userPrefix) && user.length > userPrefix.length && groups.includes(nodesGroup)
    ? user.slice(userPrefix.length)
    : undefined;

const reading = ['get', 'list', 'watch'];

/** Rights of every agent, by `group/resource/subresource`; admission narrows writes to the agent's own objects. */
const everyNode: Readonly<Record<string, readonly string[]>> = {
  '/nodes/': [...reading, 'create', 'update', 'patch'],
  '/nodes/status': ['get', 'update', 'patch'],
  '/services/': reading,
  '/endpoints/': reading,
  '/namespaces/': reading,
  '/persistentvolumes/': [...reading, 'patch'],
  'storage.k8s.io/storageclasses/': reading,
  'discovery.k8s.io/endpointslices/': reading,
  'networking.k8s.io/networkpolicies/': reading,
  'networking.k8s.io/ingresses/': reading,
  'networking.k8s.io/ingressclasses/': reading,
  'gateway.networking.k8s.io/gateways/': reading,
  'gateway.networking.k8s.io/gatewayclasses/': reading,
  'gateway.networking.k8s.io/httproutes/': reading,
  'gateway.networking.k8s.io/referencegrants/': reading,
  'node.k8s.io/runtimeclasses/': reading,
  '/events/': ['create', 'update', 'patch'],
  'events.k8s.io/events/': ['create', 'update', 'patch'],
  '/pods/': ['create', 'delete'],
  '/pods/status': ['update', 'patch'],
  '/pods/eviction': ['create'],
  'certificates.k8s.io/certificatesigningrequests/': [...reading, 'create'],
  'authentication.k8s.io/tokenreviews/': ['create'],
  'authorization.k8s.io/subjectaccessreviews/': ['create'],
};

interface References {
  readonly node: string;
  /** `secrets/NAME`, `configmaps/NAME`, `persistentvolumeclaims/NAME`, `serviceaccounts/NAME`. */
  readonly objects: ReadonlySet<string>;
}

const environmentOf = ({
  env = [],
  envFrom = [],
}: Pick<Container, 'env' | 'envFrom'>): readonly (readonly [string, string | undefined])[] => [
  ...env.flatMap(({ valueFrom }) => [
    ['secrets', valueFrom?.secretKeyRef?.name] as const,
    ['configmaps', valueFrom?.configMapKeyRef?.name] as const,
  ]),
  ...envFrom.flatMap(({ secretRef, configMapRef }) => [
    ['secrets', secretRef?.name] as const,
    ['configmaps', configMapRef?.name] as const,
  ]),
];

const volumesOf = (pod: Pod): readonly (readonly [string, string | undefined])[] =>
  (pod.spec.volumes ?? []).flatMap((volume) => [
    ['secrets', volume.secret?.secretName] as const,
    ['configmaps', volume.configMap?.name] as const,
    ['persistentvolumeclaims', claimNameOf(pod, volume)] as const,
    ...(volume.projected?.sources ?? []).flatMap(({ secret, configMap }) => [
      ['secrets', secret?.name] as const,
      ['configmaps', configMap?.name] as const,
    ]),
  ]);

const referencesOf = (pod: Pod): References => {
  const { spec } = pod;
  const containers = [
    ...spec.containers,
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  const named = [
    ...containers.flatMap(environmentOf),
    ...volumesOf(pod),
    ...(spec.imagePullSecrets ?? []).map(({ name }) => ['secrets', name] as const),
    ['serviceaccounts', spec.serviceAccountName] as const,
  ];
  return {
    node: spec.nodeName ?? '',
    objects: new Set(named.flatMap(([kind, name]) => (name === undefined ? [] : [`${kind}/${name}`]))),
  };
};

const decoder = new TextDecoder();

const guarded: ReadonlySet<string> = new Set([
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'serviceaccounts',
]);

export class NodeAuthorizer {
  readonly #store: Store;
  /** Each state of a pod is read once. */
  readonly #references = new WeakMap<Entry, References>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Undefined when it may; otherwise why not, '' for no particular reason. */
  refusal(node: string, wanted: ResourceAttributes): string | undefined {
    const { group, resource, subresource, verb } = wanted;
    if (everyNode[`${group}/${resource}/${subresource}`]?.includes(verb) === true) return undefined;
    if (isClusterSetting(wanted) || isCertificate(wanted)) return undefined;
    if (group === '' && guarded.has(resource)) return this.#referenced(node, wanted);
    if (group === '' && resource === 'pods' && subresource === '') return this.#ownPods(node, wanted);
    if (group === 'coordination.k8s.io' && resource === 'leases') return ownLease(node, wanted);
    return '';
  }

  #referenced(node: string, wanted: ResourceAttributes): string | undefined {
    const { resource, subresource, verb, namespace, name } = wanted;
    const token = resource === 'serviceaccounts' && subresource === 'token' && verb === 'create';
    if (!token && (subresource !== '' || !reading.includes(verb)))
      return `can only read resources of this type`;
    if (name === '') return `No Object name found`;
    const key = `${resource}/${name}`;
    for (const entry of this.#store.list(`core/pods/${namespace}/`).entries) {
      const references = this.#of(entry);
      if (references.node === node && references.objects.has(key)) return undefined;
    }
    return `no relationship found between node '${node}' and this object`;
  }

  #ownPods(
    node: string,
    { verb, namespace, name, fieldSelector = '' }: ResourceAttributes,
  ): string | undefined {
    if (verb === 'get' && name !== '') {
      const entry = this.#store.get(storeKey(pods, name, namespace));
      if (entry === undefined || this.#of(entry).node === node) return undefined;
      return `node '${node}' can only get its own pods`;
    }
    if (verb === 'list' || verb === 'watch') {
      // Network policies name pods by their labels, wherever they run: who enforces them must see those.
      if (this.#store.list(kindPrefix(networkpolicies), { limit: 1 }).entries.length > 0) return undefined;
      return fieldSelector
        .split(',')
        .some((term) => /^spec\.nodeName==?/.test(term) && term.endsWith(`=${node}`))
        ? undefined
        : `can only list/watch pods with spec.nodeName field selector`;
    }
    return '';
  }

  #of(entry: Entry): References {
    const known = this.#references.get(entry);
    if (known !== undefined) return known;
    const made = referencesOf(JSON.parse(decoder.decode(entry.value)) as Pod);
    this.#references.set(entry, made);
    return made;
  }
}

const clusterSettings: ReadonlySet<string> = new Set(['capstan-network', 'capstan-dns']);

/** ConfigMaps that say how the cluster's network is made, and how it finds names. */
const isClusterSetting = ({ group, resource, subresource, namespace, name, verb }: ResourceAttributes) =>
  `${group}/${resource}/${subresource}` === '/configmaps/' &&
  namespace === 'kube-system' &&
  clusterSettings.has(name) &&
  reading.includes(verb);

/** Every node serves every Ingress and Gateway, so every node has their certificates. */
const isCertificate = ({ group, resource, subresource, verb, fieldSelector }: ResourceAttributes) =>
  `${group}/${resource}/${subresource}` === '/secrets/' &&
  (verb === 'list' || verb === 'watch') &&
  fieldSelector === 'type=kubernetes.io/tls';

const leaseVerbs = ['get', 'create', 'update', 'patch', 'delete'];

const ownLease = (node: string, { verb, namespace, name }: ResourceAttributes): string | undefined => {
  if (!leaseVerbs.includes(verb)) return 'can only get, create, update, patch, or delete a node lease';
  if (namespace !== leaseNamespace)
    return `can only access leases in the "${leaseNamespace}" system namespace`;
  // The name of a new Lease stands in its body: admission looks at it.
  return name === node || (verb === 'create' && name === '')
    ? undefined
    : 'can only access node lease with the same name as the requesting node';
};
