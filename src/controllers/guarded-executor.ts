// Deletions that must not rest on a view that may be behind: the executor asks the API once more before it deletes.
import { ClusterError, hasCode } from '../base/errors.js';
import type { Cluster, DeleteOptions } from '../client/cluster.js';
import type { ClusterAction } from '../reconcile/cluster-action.js';
import { expectGone } from '../reconcile/expectation.js';
import type { Expectation, ExpectingExecutor } from '../reconcile/expectation.js';
import type { CustomResourceDefinition, Namespace } from '../resources/generated/types.js';
import type { Kind } from '../resources/kind.js';
import { customresourcedefinitions } from '../resources/kinds/customresourcedefinitions.js';
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
  | { readonly type: 'finalizeNamespace'; readonly namespace: Namespace; readonly kinds: readonly Kind[] }
  /** Deletes the objects of a kind; lets its definition go when none is left. */
  | {
      readonly type: 'removeDefinition';
      readonly definition: CustomResourceDefinition;
      readonly finalizer: string;
      readonly kind: Kind | undefined;
    };

type DeleteOrphan = Extract<GuardedAction, { readonly type: 'deleteOrphan' }>;
type RemoveDefinition = Extract<GuardedAction, { readonly type: 'removeDefinition' }>;
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

/** True when nothing of the kind is left. A kind that was never served has no objects. */
const emptied = async (cluster: Cluster, kind: Kind): Promise<boolean> => {
  try {
    const { items } = await cluster.list(kind);
    for (const { metadata } of items) {
      if (metadata.deletionTimestamp !== undefined) continue;
      const { name, namespace, uid } = metadata;
      try {
        await cluster.delete(kind, { name, namespace }, { preconditions: { uid } });
      } catch (error) {
        if (!hasCode(error, 'NotFound', 'Conflict')) throw error;
      }
    }
    return items.length === 0 || (await cluster.list(kind, { limit: 1 })).items.length === 0;
  } catch (error) {
    if (hasCode(error, 'NotFound')) return true;
    throw error;
  }
};

const removeDefinition = async (
  cluster: Cluster,
  { definition, finalizer, kind }: RemoveDefinition,
): Promise<undefined> => {
  if (kind !== undefined && !(await emptied(cluster, kind))) return undefined;
  const { name, uid, resourceVersion, finalizers = [] } = definition.metadata;
  const rest = finalizers.filter((one) => one !== finalizer);
  const patch = { metadata: { uid, resourceVersion, finalizers: rest } };
  try {
    await cluster.patch(customresourcedefinitions, { name }, { type: 'merge', patch });
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
    if (action.type === 'removeDefinition') return removeDefinition(cluster, action);
    return plain.perform(action, signal);
  };
  const isPlain = (action: GuardedAction): action is ClusterAction =>
    action.type !== 'deleteOrphan' &&
    action.type !== 'finalizeNamespace' &&
    action.type !== 'removeDefinition';
  return {
    perform,
    execute: async (action, signal) => {
      await perform(action, signal);
    },
    refused: (action) => {
      if (isPlain(action)) return plain.refused(action);
      if (action.type === 'removeDefinition') return undefined;
      return action.type === 'deleteOrphan'
        ? expectGone(action.target.kind, action.target.name, action.target.uid)
        : expectGone(namespaces, nameOf(action.namespace), action.namespace.metadata.uid);
    },
    together: (previous, action) =>
      isPlain(previous) && isPlain(action) ? plain.together(previous, action) : false,
  };
};
