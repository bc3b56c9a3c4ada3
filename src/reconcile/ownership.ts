// Who manages what: objects that fit a selector are adopted, those that no longer fit are released.
import { ownedBy } from '../resources/resource.js';
import { controllerOf, isDeleting } from '../resources/resource.js';
import type { Resource } from '../resources/resource.js';
import type { Kind } from '../resources/kind.js';
import { matches, requirementsOf } from '../resources/label-selector.js';
import type { LabelSelector } from '../resources/label-selector.js';
import type { ClusterAction } from './cluster-action.js';

export interface Claim<T extends Resource> {
  /** Managed by the owner, those included that the actions adopt. */
  readonly owned: readonly T[];
  readonly actions: readonly ClusterAction[];
}

export interface ClaimOptions<T extends Resource> {
  readonly kind: Kind<T>;
  readonly owner: Resource;
  readonly selector: LabelSelector;
  /** Managed by the owner now. */
  readonly controlled: readonly T[];
  /** Managed by nobody, in the owner's namespace. */
  readonly orphans: readonly T[];
}

const reowned = <T extends Resource>(
  kind: Kind<T>,
  object: T,
  references: readonly unknown[],
): ClusterAction => ({
  type: 'patch',
  kind,
  name: { name: object.metadata.name, namespace: object.metadata.namespace },
  patch: {
    type: 'merge',
    patch: {
      metadata: {
        uid: object.metadata.uid,
        resourceVersion: object.metadata.resourceVersion,
        ownerReferences: references,
      },
    },
  },
});

/** An owner that is being deleted adopts nothing. Follows `controller_ref_manager.go`. */
export const claim = <T extends Resource>(options: ClaimOptions<T>): Claim<T> => {
  const { kind, owner, controlled, orphans } = options;
  const requirements = requirementsOf(options.selector);
  const fits = (object: T): boolean => matches(requirements, object.metadata.labels);
  const kept = controlled.filter(fits);
  const adopted = isDeleting(owner) ? [] : orphans.filter((object) => fits(object) && !isDeleting(object));
  const released = isDeleting(owner)
    ? []
    : controlled.filter((object) => !fits(object) && !isDeleting(object));
  return {
    owned: [...kept, ...adopted],
    actions: [
      ...adopted.map((object) =>
        reowned(kind, object, [...(object.metadata.ownerReferences ?? []), ownedBy(owner)]),
      ),
      ...released.map((object) =>
        reowned(
          kind,
          object,
          (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid),
        ),
      ),
    ],
  };
};

/** Keys of the owners of `kind` that manage the object now or did before the change. */
export const ownerKeys = (
  kind: Kind,
  change: { readonly object: Resource; readonly previous: Resource | undefined },
): readonly { readonly name: string; readonly namespace: string | undefined }[] => {
  const namespace = change.object.metadata.namespace;
  const names = new Set<string>();
  for (const object of [change.object, change.previous]) {
    const owner = object === undefined ? undefined : controllerOf(object);
    if (owner?.kind === kind.kind) names.add(owner.name);
  }
  return [...names].map((name) => ({ name, namespace }));
};
