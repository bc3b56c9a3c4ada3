// The roles and bindings that every cluster has, as in Kubernetes: administrators, users of a namespace, and what
// everyone may know.
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '../../resources/generated/types.js';
import { rbacGroup } from '../../resources/rbac/rules.js';
import type { Draft } from '../../resources/resource.js';
import { mastersGroup } from './authorizer.js';

const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };
const aggregateTo = (role: string): string => `${rbacGroup}/aggregate-to-${role}`;

const role = (
  name: string,
  rules: readonly PolicyRule[],
  more: Readonly<Record<string, string>> = {},
): Draft<ClusterRole> => ({ metadata: { name, annotations, labels: { ...labels, ...more } }, rules });

const aggregated = (name: string, into?: string): Draft<ClusterRole> => ({
  metadata: {
    name,
    annotations,
    labels: { ...labels, ...(into === undefined ? {} : { [aggregateTo(into)]: 'true' }) },
  },
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregateTo(name)]: 'true' } }] },
});

const all = (
  verbs: readonly string[],
  byGroup: Readonly<Record<string, readonly string[]>>,
): readonly PolicyRule[] =>
  Object.entries(byGroup).map(([group, resources]) => ({ apiGroups: [group], resources, verbs }));

const read = ['get', 'list', 'watch'];
const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];

const apps = [
  'daemonsets',
  'deployments',
  'deployments/scale',
  'replicasets',
  'replicasets/scale',
  'statefulsets',
  'statefulsets/scale',
];

/** No Secrets: whoever reads those can act as the accounts of the namespace. */
const viewed: Readonly<Record<string, readonly string[]>> = {
  '': [
    'bindings',
    'configmaps',
    'endpoints',
    'events',
    'limitranges',
    'namespaces',
    'namespaces/status',
    'persistentvolumeclaims',
    'persistentvolumeclaims/status',
    'pods',
    'pods/log',
    'pods/status',
    'replicationcontrollers',
    'replicationcontrollers/scale',
    'replicationcontrollers/status',
    'resourcequotas',
    'resourcequotas/status',
    'serviceaccounts',
    'services',
    'services/status',
  ],
  apps: [
    'controllerrevisions',
    ...apps,
    'daemonsets/status',
    'deployments/status',
    'replicasets/status',
    'statefulsets/status',
  ],
  autoscaling: ['horizontalpodautoscalers', 'horizontalpodautoscalers/status'],
  batch: ['cronjobs', 'cronjobs/status', 'jobs', 'jobs/status'],
  'discovery.k8s.io': ['endpointslices'],
  'networking.k8s.io': ['ingresses', 'ingresses/status', 'networkpolicies'],
  policy: ['poddisruptionbudgets', 'poddisruptionbudgets/status'],
};

const edited: Readonly<Record<string, readonly string[]>> = {
  '': [
    'configmaps',
    'events',
    'persistentvolumeclaims',
    'pods',
    'pods/attach',
    'pods/exec',
    'pods/portforward',
    'pods/proxy',
    'replicationcontrollers',
    'replicationcontrollers/scale',
    'secrets',
    'serviceaccounts',
    'services',
    'services/proxy',
  ],
  apps: ['deployments/rollback', ...apps],
  autoscaling: ['horizontalpodautoscalers'],
  batch: ['cronjobs', 'jobs'],
  'networking.k8s.io': ['ingresses', 'networkpolicies'],
  policy: ['poddisruptionbudgets'],
};

const informative = ['/healthz', '/livez', '/readyz', '/version', '/version/'];

export const defaultClusterRoles: readonly Draft<ClusterRole>[] = [
  role('cluster-admin', [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ]),
  aggregated('admin'),
  aggregated('edit', 'admin'),
  aggregated('view', 'edit'),
  role(
    'system:aggregate-to-admin',
    [
      ...all(['create'], { 'authorization.k8s.io': ['localsubjectaccessreviews'] }),
      ...all([...read, ...write], { [rbacGroup]: ['rolebindings', 'roles'] }),
    ],
    { [aggregateTo('admin')]: 'true' },
  ),
  role(
    'system:aggregate-to-edit',
    [
      ...all(write, edited),
      ...all(read, {
        '': ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'],
      }),
      ...all(['create'], { '': ['pods/eviction', 'serviceaccounts/token'] }),
      ...all(['impersonate'], { '': ['serviceaccounts'] }),
      ...all([...read, ...write], { 'coordination.k8s.io': ['leases'] }),
    ],
    { [aggregateTo('edit')]: 'true' },
  ),
  role('system:aggregate-to-view', all(read, viewed), { [aggregateTo('view')]: 'true' }),
  role('system:basic-user', [
    ...all(['create'], {
      'authorization.k8s.io': ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
      'authentication.k8s.io': ['selfsubjectreviews'],
    }),
  ]),
  role('system:discovery', [
    {
      verbs: ['get'],
      nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*', ...informative],
    },
  ]),
  role('system:monitoring', [
    { verbs: ['get'], nonResourceURLs: [...informative, '/metrics', '/metrics/*'] },
  ]),
  role('system:service-account-issuer-discovery', [
    {
      verbs: ['get'],
      nonResourceURLs: [
        '/.well-known/openid-configuration',
        '/.well-known/openid-configuration/',
        '/openid/v1/jwks',
        '/openid/v1/jwks/',
      ],
    },
  ]),
  role('system:public-info-viewer', [{ verbs: ['get'], nonResourceURLs: informative }]),
];

const bind = (roleName: string, groups: readonly string[]): Draft<ClusterRoleBinding> => ({
  metadata: { name: roleName, annotations, labels },
  roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: roleName },
  subjects: groups.map((name) => ({ apiGroup: rbacGroup, kind: 'Group', name })),
});

export const defaultClusterRoleBindings: readonly Draft<ClusterRoleBinding>[] = [
  bind('cluster-admin', [mastersGroup]),
  bind('system:basic-user', ['system:authenticated']),
  bind('system:discovery', ['system:authenticated']),
  bind('system:monitoring', ['system:monitoring']),
  bind('system:service-account-issuer-discovery', ['system:serviceaccounts']),
  bind('system:public-info-viewer', ['system:authenticated', 'system:unauthenticated']),
];
