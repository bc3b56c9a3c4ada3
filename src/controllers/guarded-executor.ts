// Deletions that must not rest on a view that may be behind: the executor asks the API once more before it deletes.
import { ClusterError, hasCode } from '../base/errors.js';
import type { Cluster, DeleteOptions } from '../client/cluster.js';
import type { ClusterAction } from '../reconcile/cluster-action.js';
import { expectGone } from '../reconcile/expectation.js';
import type { Expectation, ExpectingExecutor } from '../reconcile/expectation.js';
import type { Namespace } from '../resources/generated/types.js';
import type { Kind } from '../resources/kind.js';
import { namespaces } from '../resources/kinds/namespaces.js';
import { nameOf } from '../resources/resource.js';
import type { ObjectName } from '../resources/resource.js';

/** An object by name and, where its identity matters, by uid. */
export interface Identified {
  readonly kind: Kind;
  readonly name: ObjectName;
  readonly uid?: string | undefined;
}

export type GuardedAction =
  | ClusterAction
  /** Deletes `target` unless one of `absent` exists after all. */
  | {
      readonly type: 'deleteOrphan';
      readonly target: Identified & { readonly uid: string };
      readonly absent: readonly Identified[];
      readonly options: DeleteOptions;
    }
  /** Lets a namespace go when no object of these kinds is left in it. */
  | { readonly type: 'finalizeNamespace'; readonly namespace: Namespace; readonly kinds: readonly Kind[] };

type DeleteOrphan = Extract<GuardedAction, { readonly type: 'deleteOrphan' }>;
type FinalizeNamespace = Extract<GuardedAction, { readonly type: 'finalizeNamespace' }>;

const exists = async (cluster: Cluster, { kind, name, uid }: Identified): Promise<boolean> => {
  try {
    const found = await cluster.get(kind, name);
    return uid === undefined || found.metadata.uid === uid;
  } catch (error) {
    if (hasCode(error, 'NotFound')) return false;
    throw error;
  }
};

const deleteOrphan = async (
  cluster: Cluster,
  { target, absent, options }: DeleteOrphan,
): Promise<Expectation | undefined> => {
  // What exists after all shows in the view soon, and is a reason to look again then.
  for (const owner of absent) if (await exists(cluster, owner)) return undefined;
  const preconditions = { ...options.preconditions, uid: target.uid };
  try {
    await cluster.delete(target.kind, target.name, { ...options, preconditions });
  } catch (error) {
    if (!hasCode(error, 'NotFound')) throw error;
  }
  return expectGone(target.kind, target.name, target.uid);
};

const finalizeNamespace = async (
  cluster: Cluster,
  { namespace, kinds }: FinalizeNamespace,
): Promise<undefined> => {
  const { name, uid } = namespace.metadata;
  for (const kind of kinds) {
    const { items } = await cluster.list(kind, { namespace: name, limit: 1 });
    if (items.length > 0) throw new ClusterError('Conflict', `namespace ${name} still has ${kind.plural}`);
  }
  const finalizers = (namespace.spec.finalizers ?? []).filter((finalizer) => finalizer !== 'kubernetes');
  try {
    const patch = { metadata: { uid }, spec: { finalizers } };
    await cluster.patch(namespaces, { name }, { type: 'merge', patch }, { subresource: 'finalize' });
  } catch (error) {
    if (!hasCode(error, 'NotFound')) throw error;
  }
  return undefined;
};

export const createGuardedExecutor = (
  cluster: Cluster,
  plain: ExpectingExecutor<ClusterAction>,
): ExpectingExecutor<GuardedAction> => {
  const perform = (action: GuardedAction, signal: AbortSignal): Promise<Expectation | undefined> => {
    signal.throwIfAborted();
    if (action.type === 'deleteOrphan') return deleteOrphan(cluster, action);
    if (action.type === 'finalizeNamespace') return finalizeNamespace(cluster, action);
    return plain.perform(action, signal);
  };
  const isPlain = (action: GuardedAction): action is ClusterAction =>
    action.type !== 'deleteOrphan' && action.type !== 'finalizeNamespace';
  return {
    perform,
    execute: async (action, signal) => {
      await perform(action, signal);
    },
    refused: (action) => {
      if (isPlain(action)) return plain.refused(action);
      return action.type === 'deleteOrphan'
        ? expectGone(action.target.kind, action.target.name, action.target.uid)
        : expectGone(namespaces, nameOf(action.namespace), action.namespace.metadata.uid);
    },
    together: (previous, action) =>
      isPlain(previous) && isPlain(action) ? plain.together(previous, action) : false,
  };
};
