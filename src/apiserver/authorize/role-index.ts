// Who has which rules, and by which binding: made from roles and bindings, with aggregated roles filled in. Pure.
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from '../../resources/generated/types.js';
import { selects } from '../../resources/label-selector.js';
import type { Identity } from '../../base/http.js';

export interface RoleObjects {
  readonly roles: readonly Role[];
  readonly roleBindings: readonly RoleBinding[];
  readonly clusterRoles: readonly ClusterRole[];
  readonly clusterRoleBindings: readonly ClusterRoleBinding[];
}

export interface Grant {
  readonly rules: readonly PolicyRule[];
  /** `RBAC: allowed by ClusterRoleBinding "a" of ClusterRole "b" to User "c"`. */
  readonly because: string;
}

type Grants = ReadonlyMap<string, readonly Grant[]>;

/** Users and groups cannot have the same key. */
const userKey = (name: string): string => `u:${name}`;
const groupKey = (name: string): string => `g:${name}`;

export const serviceAccountUser = (namespace: string, name: string): string =>
  `system:serviceaccount:${namespace}:${name}`;

const subjectKey = ({ kind, name, namespace = '' }: Subject, inherited: string): string => {
  if (kind === 'Group') return groupKey(name);
  if (kind === 'User') return userKey(name);
  return userKey(serviceAccountUser(namespace === '' ? inherited : namespace, name));
};

const subjectText = ({ kind, name, namespace }: Subject): string =>
  JSON.stringify(kind === 'ServiceAccount' ? `${name}/${namespace ?? ''}` : name);

const rulesOf = (role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] => {
  const selectors = role.aggregationRule?.clusterRoleSelectors;
  if (selectors === undefined) return role.rules ?? [];
  const resolved = new Set<ClusterRole>();
  // Aggregated roles may be parts of others: all that is reachable counts, once.
  const visit = (one: ClusterRole): void => {
    if (resolved.has(one)) return;
    resolved.add(one);
    for (const selector of one.aggregationRule?.clusterRoleSelectors ?? [])
      for (const other of all) if (selects(selector, other.metadata.labels)) visit(other);
  };
  visit(role);
  return [...resolved].flatMap((one) => (one.aggregationRule === undefined ? (one.rules ?? []) : []));
};

const push = (grants: Map<string, Grant[]>, key: string, grant: Grant): void => {
  const known = grants.get(key);
  if (known === undefined) grants.set(key, [grant]);
  else known.push(grant);
};

export class RoleIndex {
  readonly #clusterRules: ReadonlyMap<string, readonly PolicyRule[]>;
  readonly #roleRules: ReadonlyMap<string, readonly PolicyRule[]>;
  readonly #everywhere: Grants;
  readonly #within: ReadonlyMap<string, Grants>;

  constructor({ roles, roleBindings, clusterRoles, clusterRoleBindings }: RoleObjects) {
    this.#clusterRules = new Map(
      clusterRoles.map((role) => [role.metadata.name, rulesOf(role, clusterRoles)]),
    );
    this.#roleRules = new Map(
      roles.map(({ metadata, rules = [] }) => [`${metadata.namespace ?? ''}/${metadata.name}`, rules]),
    );
    const everywhere = new Map<string, Grant[]>();
    for (const { metadata, roleRef, subjects = [] } of clusterRoleBindings)
      for (const subject of subjects)
        push(everywhere, subjectKey(subject, ''), {
          rules: this.rules(roleRef, '') ?? [],
          because: `RBAC: allowed by ClusterRoleBinding ${JSON.stringify(metadata.name)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subject.kind} ${subjectText(subject)}`,
        });
    const within = new Map<string, Map<string, Grant[]>>();
    for (const { metadata, roleRef, subjects = [] } of roleBindings) {
      const namespace = metadata.namespace ?? '';
      const grants = within.get(namespace) ?? new Map<string, Grant[]>();
      within.set(namespace, grants);
      for (const subject of subjects)
        push(grants, subjectKey(subject, namespace), {
          rules: this.rules(roleRef, namespace) ?? [],
          because: `RBAC: allowed by RoleBinding ${JSON.stringify(`${metadata.name}/${namespace}`)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subject.kind} ${subjectText(subject)}`,
        });
    }
    this.#everywhere = everywhere;
    this.#within = within;
  }

  /** Of a role, with what it aggregates; undefined when there is no such role. */
  rules(
    { kind, name }: Pick<RoleRef, 'kind' | 'name'>,
    namespace: string,
  ): readonly PolicyRule[] | undefined {
    return kind === 'Role' ? this.#roleRules.get(`${namespace}/${name}`) : this.#clusterRules.get(name);
  }

  /** Everything that someone has in a namespace, or ('') in the cluster only. */
  *grants({ user, groups }: Identity, namespace: string): Generator<Grant, void> {
    for (const grants of [this.#everywhere, this.#within.get(namespace)]) {
      if (grants === undefined) continue;
      yield* grants.get(userKey(user)) ?? [];
      for (const group of groups) yield* grants.get(groupKey(group)) ?? [];
    }
  }
}
