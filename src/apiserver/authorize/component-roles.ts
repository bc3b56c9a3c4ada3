// Rights of Capstan's own parts, each under a name of its own: what it needs, and no more. Names are Kubernetes' where it
// has such a part.
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Subject,
} from '../../resources/generated/types.js';
import { clusterInfo } from '../../resources/cluster-info.js';
import { rbacGroup } from '../../resources/rbac/rules.js';
import type { Draft } from '../../resources/resource.js';

export interface Component {
  readonly role: string;
  /** A user, or `system:serviceaccount:kube-system:NAME`. */
  readonly user: string;
  readonly rules: readonly PolicyRule[];
}

const read = ['get', 'list', 'watch'];
const write = ['create', 'update', 'patch', 'delete'];
const change = ['update', 'patch'];

const rule = (group: string, resources: readonly string[], verbs: readonly string[]): PolicyRule => ({
  apiGroups: [group],
  resources,
  verbs,
});

const events: readonly PolicyRule[] = [
  rule('', ['events'], ['create', ...change]),
  rule('events.k8s.io', ['events'], ['create', ...change]),
];

/** Reads all that there is: one view serves all controllers. Writes no rights, no Secrets, no certificates. */
const controllerManager: readonly PolicyRule[] = [
  rule('*', ['*'], read),
  rule(
    '',
    [
      ...['pods', 'pods/status', 'services', 'services/status', 'endpoints', 'configmaps', 'serviceaccounts'],
      ...['nodes', 'nodes/status', 'persistentvolumes', 'persistentvolumes/status', 'events', 'podtemplates'],
      ...['persistentvolumeclaims', 'persistentvolumeclaims/status', 'resourcequotas/status'],
      ...['replicationcontrollers', 'replicationcontrollers/status', 'replicationcontrollers/scale'],
    ],
    write,
  ),
  rule('', ['pods/eviction'], ['create']),
  ...[
    ...['apps', 'batch', 'autoscaling', 'policy', 'discovery.k8s.io', 'coordination.k8s.io', 'events.k8s.io'],
    ...['storage.k8s.io', 'networking.k8s.io', 'gateway.networking.k8s.io', 'capstan.dev'],
  ].map((group) => rule(group, ['*'], write)),
  // Whatever has a scale may be scaled.
  rule('*', ['*/scale'], change),
];

/** Versions of a rollout are ReplicaSets, with the ConfigMaps and Secrets as they were then. */
const rolloutController: readonly PolicyRule[] = [
  ...events,
  rule('*', ['*'], read),
  ...['argoproj.io', 'capstan.dev'].map((group) => rule(group, ['*'], write)),
  rule('apps', ['replicasets', 'replicasets/status'], write),
  rule('', ['services', 'configmaps', 'secrets', 'pods'], write),
  rule('', ['pods/eviction'], ['create']),
  rule('batch', ['jobs'], write),
  rule('*', ['*/scale'], change),
];

const scheduler: readonly PolicyRule[] = [
  ...events,
  rule('', ['nodes', 'namespaces', 'services', 'replicationcontrollers', 'persistentvolumes'], read),
  rule('', ['pods'], [...read, 'delete']),
  rule('', ['pods/binding', 'bindings'], ['create']),
  rule('', ['pods/status'], change),
  rule('', ['persistentvolumeclaims'], [...read, ...change]),
  rule('apps', ['replicasets', 'statefulsets'], read),
  rule('policy', ['poddisruptionbudgets'], read),
  rule('storage.k8s.io', ['storageclasses', 'csinodes', 'csidrivers', 'csistoragecapacities'], read),
  rule('scheduling.k8s.io', ['priorityclasses'], read),
  rule('coordination.k8s.io', ['leases'], [...read, 'create', ...change]),
];

const certificates = 'certificates.k8s.io';
const signers = ['kube-apiserver-client', 'kube-apiserver-client-kubelet', 'kubelet-serving'];

const certificateController: readonly PolicyRule[] = [
  ...events,
  rule(certificates, ['certificatesigningrequests'], [...read, 'delete']),
  rule(certificates, ['certificatesigningrequests/approval', 'certificatesigningrequests/status'], change),
  {
    ...rule(certificates, ['signers'], ['approve', 'sign']),
    resourceNames: signers.map((name) => `kubernetes.io/${name}`),
  },
];

const tokenController: readonly PolicyRule[] = [
  ...events,
  rule('', ['secrets'], [...read, 'update', 'delete']),
  rule('', ['serviceaccounts'], read),
  { ...rule('', ['configmaps'], [...read, 'update']), resourceNames: [clusterInfo.name] },
];

const account = (name: string): string => `system:serviceaccount:kube-system:${name}`;

export const components = {
  controllers: {
    role: 'system:kube-controller-manager',
    user: 'system:kube-controller-manager',
    rules: controllerManager,
  },
  rollouts: {
    role: 'system:capstan:rollouts',
    user: 'system:capstan:rollouts',
    rules: rolloutController,
  },
  scheduler: { role: 'system:kube-scheduler', user: 'system:kube-scheduler', rules: scheduler },
  /** What goes with its owner, its namespace or its definition may be of any kind. */
  sweeper: {
    role: 'system:controller:generic-garbage-collector',
    user: account('generic-garbage-collector'),
    rules: [...events, rule('*', ['*'], [...read, ...change, 'delete', 'deletecollection'])],
  },
  certificates: {
    role: 'system:controller:certificate-controller',
    user: account('certificate-controller'),
    rules: certificateController,
  },
  tokens: {
    role: 'system:controller:token-controller',
    user: account('token-controller'),
    rules: tokenController,
  },
  /** Whoever may push may write everything: that is what the repository is for. */
  gitops: {
    role: 'system:capstan:gitops',
    user: 'system:capstan:gitops',
    rules: [rule('*', ['*'], ['*'])],
  },
} as const satisfies Readonly<Record<string, Component>>;

const metadata = (name: string) => ({
  name,
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
});

const all: readonly Component[] = Object.values(components);

export const componentRoles: readonly Draft<ClusterRole>[] = all.map(({ role, rules }) => ({
  metadata: metadata(role),
  rules,
}));

const subjectOf = (user: string): Subject => {
  const prefix = account('');
  return user.startsWith(prefix)
    ? { kind: 'ServiceAccount', name: user.slice(prefix.length), namespace: 'kube-system' }
    : { apiGroup: rbacGroup, kind: 'User', name: user };
};

export const componentRoleBindings: readonly Draft<ClusterRoleBinding>[] = all.map(({ role, user }) => ({
  metadata: metadata(role),
  roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: role },
  subjects: [subjectOf(user)],
}));
