// Empties a namespace that is being deleted, then lets it go.
import type { Instant } from '../base/clock.js';
import type { View } from '../client/view.js';
import type { Controller, Decision, Key } from '../reconcile/controller.js';
import type { Namespace } from '../resources/generated/types.js';
import type { Kind } from '../resources/kind.js';
import { resourceNameOf } from '../resources/kind.js';
import { kindSource } from '../resources/kind-source.js';
import type { Kinds } from '../resources/kind-source.js';
import { namespaces } from '../resources/kinds/namespaces.js';
import { isDeleting, nameOf } from '../resources/resource.js';
import type { Resource } from '../resources/resource.js';
import type { GuardedAction } from './guarded-executor.js';

interface Content {
  readonly kind: Kind;
  readonly objects: readonly Resource[];
}

export interface NamespaceObserved {
  readonly namespace: Namespace;
  readonly content: readonly Content[];
  /** All namespaced kinds. */
  readonly kinds: readonly Kind[];
}

const burst = 500;

const removal = (kind: Kind, object: Resource): GuardedAction => ({
  type: 'delete',
  kind,
  name: nameOf(object),
  options: { propagationPolicy: 'Background', preconditions: { uid: object.metadata.uid } },
});

const describe = (content: readonly Content[]): string =>
  content.map(({ kind, objects }) => `${String(objects.length)} ${resourceNameOf(kind)}`).join(', ');

/** What the view does not show may still hold it: then it is tried again. */
const retryMs = 5000;

const reconcile = (
  { namespace, content, kinds }: NamespaceObserved,
  now: Instant,
): Decision<GuardedAction> => {
  if (content.length === 0) {
    if ((namespace.spec.finalizers ?? []).length === 0)
      return { actions: [], because: 'it is empty; its own finalizers hold it' };
    return {
      actions: [{ type: 'finalizeNamespace', namespace, kinds }],
      because: 'it is empty: it goes',
      wakeAt: now + retryMs,
    };
  }
  const actions = content.flatMap(({ kind, objects }) =>
    objects.filter((object) => !isDeleting(object)).map((object) => removal(kind, object)),
  );
  return {
    actions: actions.slice(0, burst),
    because: `it is being deleted and still has ${describe(content)}`,
  };
};

/** `kinds` are all that the cluster has: what is not among them would stay behind. */
export const createNamespaceController = (kinds: Kinds): Controller<NamespaceObserved, GuardedAction> => {
  const source = kindSource(kinds);
  const isGoing = (view: View, name: string | undefined): boolean => {
    const namespace = name === undefined ? undefined : view.get(namespaces, { name });
    return namespace !== undefined && isDeleting(namespace);
  };
  return {
    name: 'namespace',
    watches: [{ kind: namespaces, keys: ({ object }) => (isDeleting(object) ? [nameOf(object)] : []) }],
    watchesAll: ({ type, object }, view): readonly Key[] => {
      const { namespace: name } = object.metadata;
      return type !== 'modified' && name !== undefined && isGoing(view, name) ? [{ name }] : [];
    },
    observe: (view, { name }) => {
      const namespace = view.get(namespaces, { name });
      if (namespace === undefined || !isDeleting(namespace)) return undefined;
      const namespaced = source.stored().filter((kind) => kind.namespaced);
      return {
        namespace,
        kinds: namespaced,
        content: namespaced
          .map((kind) => ({ kind, objects: view.list(kind, name) }))
          .filter(({ objects }) => objects.length > 0),
      };
    },
    reconcile,
  };
};
