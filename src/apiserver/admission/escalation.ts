// Nobody gives away rights that they do not have: whoever writes a role, or binds one, must hold all of it.
import type { Identity } from '../../base/http.js';
import { equal } from '../../base/json.js';
import type { ClusterRole, PolicyRule, Role, RoleBinding } from '../../resources/generated/types.js';
import type { Kind } from '../../resources/kind.js';
import { rbacGroup } from '../../resources/rbac/rules.js';
import { everything, mastersGroup } from '../authorize/authorizer.js';
import type { Authorizer } from '../authorize/authorizer.js';
import { notCovered, ruleText } from '../authorize/rules.js';
import { forbidden, notFound } from '../verbs/rejections.js';
import { clusterroles } from '../../resources/kinds/clusterroles.js';
import { roles } from '../../resources/kinds/roles.js';
import type { Admission, AdmissionRequest } from './admission.js';

interface Attempt {
  readonly authorizer: Authorizer;
  readonly request: Exclude<AdmissionRequest, { readonly operation: 'delete' }>;
}

const may = (
  { authorizer, request }: Attempt,
  verb: string,
  role: { resource: string; name: string },
): boolean =>
  authorizer.authorize(request.identity, {
    type: 'resource',
    verb,
    group: rbacGroup,
    subresource: '',
    namespace: request.namespace ?? '',
    ...role,
  }).allowed;

const groupsText = ({ groups }: Identity): string =>
  `[${groups.map((group) => JSON.stringify(group)).join(' ')}]`;

/** Throws Forbidden with each right that would be given away. */
const checkHeld = ({ authorizer, request }: Attempt, wanted: readonly PolicyRule[]): void => {
  const { identity, kind, name, namespace = '' } = request;
  const missing = notCovered(authorizer.rulesFor(identity, namespace), wanted);
  if (missing.length === 0) return;
  throw forbidden(
    kind,
    name,
    `user ${JSON.stringify(identity.user)} (groups=${groupsText(identity)}) is attempting to grant RBAC permissions not currently held:\n${missing.map(ruleText).join('\n')}`,
  );
};

const checkRole = (attempt: Attempt): void => {
  const { request } = attempt;
  const role = request.object as Role | ClusterRole;
  const old = request.operation === 'update' ? (request.old as Role | ClusterRole) : undefined;
  const aggregation = (one: Role | ClusterRole | undefined): unknown =>
    one !== undefined && 'aggregationRule' in one ? one.aggregationRule : undefined;
  const labelled = !equal(old?.metadata.labels, role.metadata.labels);
  if (
    old !== undefined &&
    equal(old.rules, role.rules) &&
    equal(aggregation(old), aggregation(role)) &&
    !labelled
  )
    return;
  if (may(attempt, 'escalate', { resource: request.kind.plural, name: request.name })) return;
  if (aggregation(role) !== undefined && !equal(aggregation(old), aggregation(role)))
    checkHeld(attempt, everything);
  checkHeld(attempt, role.rules ?? []);
};

const checkBinding = (attempt: Attempt): void => {
  const { request, authorizer } = attempt;
  const { roleRef, subjects } = request.object as RoleBinding;
  if (request.operation === 'update' && equal((request.old as RoleBinding).subjects, subjects)) return;
  const refersTo: Kind = roleRef.kind === 'Role' ? roles : clusterroles;
  if (may(attempt, 'bind', { resource: refersTo.plural, name: roleRef.name })) return;
  const rules = authorizer.rulesOf(roleRef, request.namespace ?? '');
  if (rules === undefined) throw notFound(refersTo, roleRef.name);
  checkHeld(attempt, rules);
};

export const escalation = (authorizer: Authorizer): Admission => ({
  name: 'Escalation',
  admit: (request) => {
    if (request.kind.group !== rbacGroup || request.operation === 'delete') return undefined;
    if (request.identity.groups.includes(mastersGroup)) return undefined;
    if (request.kind.plural === 'roles' || request.kind.plural === 'clusterroles')
      checkRole({ authorizer, request });
    else checkBinding({ authorizer, request });
    return undefined;
  },
});
