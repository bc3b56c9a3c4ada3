// Roles: what may be done within one namespace.
import type { Role } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { roleColumns } from '../rbac/columns.js';
import { rbacGroup, rbacNameErrors, rulesErrors } from '../rbac/rules.js';

export const roles = defineKind<Role>({
  group: rbacGroup,
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  namespaced: true,
  definition: 'io.k8s.api.rbac.v1.Role',
  columns: roleColumns,
  validate: ({ metadata, rules }) => [...rbacNameErrors(metadata), ...rulesErrors(rules, true)],
});
