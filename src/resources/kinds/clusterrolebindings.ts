// ClusterRoleBindings: who has a role in the whole cluster.
import type { ClusterRoleBinding } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { bindingColumns } from '../rbac/columns.js';
import { bindingErrors, defaultedBinding, rbacGroup } from '../rbac/rules.js';

export const clusterrolebindings = defineKind<ClusterRoleBinding>({
  group: rbacGroup,
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
  definition: 'io.k8s.api.rbac.v1.ClusterRoleBinding',
  columns: bindingColumns,
  defaulted: defaultedBinding,
  validate: (binding, old) => bindingErrors(binding, old, false),
});
