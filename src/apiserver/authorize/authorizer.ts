// Who may do what: administrators everything, agents what their machine needs, everyone what roles give them. Roles and
// bindings are kept as an index that is made anew when one of them changes; a question costs a few microseconds.
import type { Identity } from '../../base/http.js';
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
} from '../../resources/generated/types.js';
import { kindPrefix } from '../../resources/kind.js';
import type { Kind } from '../../resources/kind.js';
import { clusterrolebindings } from '../../resources/kinds/clusterrolebindings.js';
import { clusterroles } from '../../resources/kinds/clusterroles.js';
import { rolebindings } from '../../resources/kinds/rolebindings.js';
import { roles } from '../../resources/kinds/roles.js';
import { rbacGroup } from '../../resources/rbac/rules.js';
import type { Resource } from '../../resources/resource.js';
import { Compacted } from '../../store/store.js';
import type { Store } from '../../store/store.js';
import type { Attributes } from './attributes.js';
import { NodeAuthorizer, nodeOf } from './node-authorizer.js';
import { RoleIndex } from './role-index.js';
import { ruleAllows } from './rules.js';

export interface Decision {
  readonly allowed: boolean;
  /** Why; '' when there is nothing to say, such as for the lack of any rule. */
  readonly reason: string;
}

export interface Authorizer {
  authorize(identity: Identity, wanted: Attributes): Decision;
  /** Rules that roles give someone in a namespace, or ('') in the cluster only. */
  rulesFor(identity: Identity, namespace: string): readonly PolicyRule[];
  /** Rules of a role with those it aggregates; undefined when there is no such role. */
  rulesOf(role: Pick<RoleRef, 'kind' | 'name'>, namespace: string): readonly PolicyRule[] | undefined;
}

export const mastersGroup = 'system:masters';

/** All rights there are. */
export const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

const decoder = new TextDecoder();

class StoreAuthorizer implements Authorizer {
  readonly #store: Store;
  readonly #nodes: NodeAuthorizer;
  #index: RoleIndex | undefined;

  constructor(store: Store) {
    this.#store = store;
    this.#nodes = new NodeAuthorizer(store);
  }

  authorize(identity: Identity, wanted: Attributes): Decision {
    if (identity.groups.includes(mastersGroup)) return { allowed: true, reason: '' };
    const node = nodeOf(identity);
    const refusal = node === undefined || wanted.type === 'path' ? '' : this.#nodes.refusal(node, wanted);
    if (refusal === undefined) return { allowed: true, reason: '' };
    const namespace = wanted.type === 'resource' ? wanted.namespace : '';
    for (const { rules, because } of this.#current().grants(identity, namespace))
      for (const rule of rules) if (ruleAllows(rule, wanted)) return { allowed: true, reason: because };
    return { allowed: false, reason: refusal };
  }

  rulesFor(identity: Identity, namespace: string): readonly PolicyRule[] {
    const given = [...this.#current().grants(identity, namespace)].flatMap(({ rules }) => rules);
    return identity.groups.includes(mastersGroup) ? [...everything, ...given] : given;
  }

  rulesOf(role: Pick<RoleRef, 'kind' | 'name'>, namespace: string): readonly PolicyRule[] | undefined {
    return this.#current().rules(role, namespace);
  }

  /** Until the signal aborts: forgets the index whenever a role or a binding changes. */
  async follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      const changes = this.#store.watch(`${rbacGroup}/`, this.#store.revision, signal);
      this.#index = undefined;
      try {
        for await (const change of changes) if (change.revision > 0) this.#index = undefined;
        return;
      } catch (error) {
        if (!(error instanceof Compacted)) throw error;
      }
    }
  }

  #current(): RoleIndex {
    return (this.#index ??= new RoleIndex({
      roles: this.#all<Role>(roles),
      roleBindings: this.#all<RoleBinding>(rolebindings),
      clusterRoles: this.#all<ClusterRole>(clusterroles),
      clusterRoleBindings: this.#all<ClusterRoleBinding>(clusterrolebindings),
    }));
  }

  #all<T extends Resource>(kind: Kind<T>): readonly T[] {
    return this.#store
      .list(kindPrefix(kind))
      .entries.map(({ value }) => JSON.parse(decoder.decode(value)) as T);
  }
}

/** `lifetime` ends the watch over roles and bindings. */
export const createAuthorizer = (options: {
  readonly store: Store;
  readonly lifetime: AbortSignal;
}): Authorizer => {
  const authorizer = new StoreAuthorizer(options.store);
  void authorizer.follow(options.lifetime);
  return authorizer;
};
