// Rights of machines that join, and of whoever approves certificates by hand; names and rules are Kubernetes' own.
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
} from '../../resources/generated/types.js';
import { bootstrappersGroup } from '../../resources/bootstrap-token.js';
import { clusterInfo } from '../../resources/cluster-info.js';
import { rbacGroup } from '../../resources/rbac/rules.js';
import type { Draft } from '../../resources/resource.js';
import { anonymous } from '../authenticate.js';
import { nodesGroup } from './node-authorizer.js';

const group = 'certificates.k8s.io';
const requests = 'certificatesigningrequests';
const prefix = `system:${group}:`;
const metadata = (name: string) => ({
  name,
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
});

const role = (name: string, rules: readonly PolicyRule[]): Draft<ClusterRole> => ({
  metadata: metadata(name),
  rules,
});

/** Whoever may create this has such a request approved by the controller. */
const approvable = (right: string): Draft<ClusterRole> =>
  role(`${prefix}${requests}:${right}`, [
    { apiGroups: [group], resources: [`${requests}/${right}`], verbs: ['create'] },
  ]);

const approver = (signer: string): Draft<ClusterRole> =>
  role(`${prefix}${signer}-approver`, [
    {
      apiGroups: [group],
      resources: ['signers'],
      resourceNames: [`kubernetes.io/${signer}`],
      verbs: ['approve'],
    },
  ]);

export const joiningClusterRoles: readonly Draft<ClusterRole>[] = [
  role('system:node-bootstrapper', [
    { apiGroups: [group], resources: [requests], verbs: ['create', 'get', 'list', 'watch'] },
  ]),
  approvable('nodeclient'),
  approvable('selfnodeclient'),
  ...['kube-apiserver-client', 'kube-apiserver-client-kubelet', 'kubelet-serving'].map(approver),
];

const bind = (roleName: string, name: string): Draft<ClusterRoleBinding> => ({
  metadata: metadata(roleName),
  roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name: roleName },
  subjects: [{ apiGroup: rbacGroup, kind: 'Group', name }],
});

export const joiningClusterRoleBindings: readonly Draft<ClusterRoleBinding>[] = [
  bind('system:node-bootstrapper', bootstrappersGroup),
  bind(`${prefix}${requests}:nodeclient`, bootstrappersGroup),
  bind(`${prefix}${requests}:selfnodeclient`, nodesGroup),
];

const reader = 'capstan:cluster-info';

/** The one object that is read before anyone knows anyone. */
export const clusterInfoRole: Draft<Role> = {
  metadata: { ...metadata(reader), namespace: clusterInfo.namespace },
  rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [clusterInfo.name], verbs: ['get'] }],
};

export const clusterInfoRoleBinding: Draft<RoleBinding> = {
  metadata: { ...metadata(reader), namespace: clusterInfo.namespace },
  roleRef: { apiGroup: rbacGroup, kind: 'Role', name: reader },
  subjects: [{ apiGroup: rbacGroup, kind: 'User', name: anonymous.user }],
};
