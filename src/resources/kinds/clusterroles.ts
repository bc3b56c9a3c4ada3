// ClusterRoles: what may be done in the whole cluster, or in the namespaces where a RoleBinding grants it.
import type { FieldError } from '../../base/errors.js';
import { item } from '../field-path.js';
import type { ClusterRole } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { roleColumns } from '../rbac/columns.js';
import { rbacGroup, rbacNameErrors, rulesErrors } from '../rbac/rules.js';
import { required } from '../validation/field-errors.js';
import { labelSelectorErrors } from '../validation/selectors.js';

const aggregationErrors = ({ aggregationRule }: ClusterRole): readonly FieldError[] => {
  if (aggregationRule === undefined) return [];
  const field = 'aggregationRule.clusterRoleSelectors';
  const { clusterRoleSelectors: selectors = [] } = aggregationRule;
  if (selectors.length === 0)
    return [required(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil')];
  return selectors.flatMap((selector, index) => labelSelectorErrors(item(field, index), selector));
};

export const clusterroles = defineKind<ClusterRole>({
  group: rbacGroup,
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
  definition: 'io.k8s.api.rbac.v1.ClusterRole',
  columns: roleColumns,
  validate: (role) => [
    ...rbacNameErrors(role.metadata),
    ...rulesErrors(role.rules, false),
    ...aggregationErrors(role),
  ],
});
