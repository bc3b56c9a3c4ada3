// RoleBindings: who has a role within one namespace.
import type { RoleBinding } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { bindingColumns } from '../rbac/columns.js';
import { bindingErrors, defaultedBinding, rbacGroup } from '../rbac/rules.js';

export const rolebindings = defineKind<RoleBinding>({
  group: rbacGroup,
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  namespaced: true,
  definition: 'io.k8s.api.rbac.v1.RoleBinding',
  columns: bindingColumns,
  defaulted: defaultedBinding,
  validate: (binding, old) => bindingErrors(binding, old, true),
});
