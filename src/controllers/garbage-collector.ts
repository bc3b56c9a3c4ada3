// Deletes what its owners no longer hold: in the background after them, before them (foreground), or not at all (orphan).
// Follows kubernetes `pkg/controller/garbagecollector/garbagecollector.go` attemptToDeleteItem.
import { equal } from '../base/json.js';
import type { Index, View, ViewChange } from '../client/view.js';
import type { Controller, Decision, Key } from '../reconcile/controller.js';
import { resourceNameOf } from '../resources/kind.js';
import type { Kind } from '../resources/kind.js';
import { kindSource } from '../resources/kind-source.js';
import type { Kinds, KindSource } from '../resources/kind-source.js';
import { namespaces } from '../resources/kinds/namespaces.js';
import { isDeleting, nameOf } from '../resources/resource.js';
import type { ObjectName, OwnerReference, Resource } from '../resources/resource.js';
import type { GuardedAction, Identified } from './guarded-executor.js';

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

interface Item {
  readonly kind: Kind;
  readonly object: Resource;
}

interface OwnerState {
  readonly reference: OwnerReference;
  /** `waiting`: it is being deleted and wants its dependents gone first. */
  readonly state: 'present' | 'absent' | 'waiting';
  /** Where to look for it once more; undefined for a kind that the cluster does not have. */
  readonly identity: Identified | undefined;
}

export interface GarbageObserved extends Item {
  readonly owners: readonly OwnerState[];
  /** Objects that name it as an owner; looked up only when it is being deleted. */
  readonly dependents: readonly Item[];
}

const holds = ({ metadata }: Resource, finalizer: string): boolean =>
  metadata.finalizers?.includes(finalizer) === true;

const isWaiting = (object: Resource): boolean => isDeleting(object) && holds(object, foreground);

/** Keys carry the kind, since objects of all kinds are collected. */
const keyOf = ({ kind, object }: Item): Key => ({
  name: `${resourceNameOf(kind)}/${object.metadata.name}`,
  namespace: object.metadata.namespace,
});

const patchMetadata = ({ kind, object }: Item, metadata: object): GuardedAction => ({
  type: 'patch',
  kind,
  name: nameOf(object),
  patch: {
    type: 'merge',
    patch: {
      metadata: {
        uid: object.metadata.uid,
        resourceVersion: object.metadata.resourceVersion,
        ...metadata,
      },
    },
  },
});

const withoutFinalizer = (item: Item, finalizer: string): GuardedAction =>
  patchMetadata(item, {
    finalizers: (item.object.metadata.finalizers ?? []).filter((name) => name !== finalizer),
  });

const withoutOwners = (item: Item, uids: ReadonlySet<string>): GuardedAction =>
  patchMetadata(item, {
    ownerReferences: (item.object.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.has(uid)),
  });

const referenceTo = (dependent: Resource, uid: string): OwnerReference | undefined =>
  dependent.metadata.ownerReferences?.find((reference) => reference.uid === uid);

const orphaning = (observed: GarbageObserved): Decision<GuardedAction> => {
  const { uid } = observed.object.metadata;
  return {
    actions: [
      ...observed.dependents.map((dependent) => withoutOwners(dependent, new Set([uid]))),
      withoutFinalizer(observed, orphan),
    ],
    because: `it leaves ${String(observed.dependents.length)} dependents behind, then goes`,
  };
};

const waiting = (observed: GarbageObserved): Decision<GuardedAction> => {
  const { uid } = observed.object.metadata;
  const blocking = observed.dependents.filter(
    ({ object }) => referenceTo(object, uid)?.blockOwnerDeletion === true,
  );
  if (blocking.length === 0)
    return {
      actions: [withoutFinalizer(observed, foreground)],
      because: 'all dependents that it waited for are gone: it goes',
    };
  return {
    actions: blocking
      .filter(({ object }) => !isDeleting(object))
      .map(({ kind, object }) => ({
        type: 'delete',
        kind,
        name: nameOf(object),
        options: { propagationPolicy: 'Foreground', preconditions: { uid: object.metadata.uid } },
      })),
    because: `it waits for ${String(blocking.length)} dependents to go first`,
  };
};

const policyOf = (object: Resource): 'Orphan' | 'Foreground' | 'Background' =>
  holds(object, orphan) ? 'Orphan' : holds(object, foreground) ? 'Foreground' : 'Background';

const reconcile = (observed: GarbageObserved): Decision<GuardedAction> => {
  const { kind, object, owners } = observed;
  if (isDeleting(object)) {
    if (holds(object, orphan)) return orphaning(observed);
    return holds(object, foreground) ? waiting(observed) : { actions: [], because: 'it is being deleted' };
  }
  const loose = owners.filter(({ state }) => state !== 'present');
  if (loose.length < owners.length)
    return {
      actions: [withoutOwners(observed, new Set(loose.map(({ reference }) => reference.uid)))],
      because: `owners are gone (${loose.map(({ reference }) => reference.name).join(', ')}); another one holds it`,
    };
  const target = { kind, name: nameOf(object), uid: object.metadata.uid };
  const foregroundOwner = owners.some(({ state }) => state === 'waiting');
  return {
    actions: [
      {
        type: 'deleteOrphan',
        target,
        absent: owners.flatMap(({ state, identity }) =>
          state === 'absent' && identity !== undefined ? [identity] : [],
        ),
        options: { propagationPolicy: foregroundOwner ? 'Foreground' : policyOf(object) },
      },
    ],
    because: foregroundOwner ? 'its owner waits for it to go' : 'its owners are gone',
  };
};

/** Where kinds are looked up, made anew when others are there. */
interface Lookup {
  readonly of: readonly Kind[];
  readonly byName: ReadonlyMap<string, Kind>;
  readonly byOwner: ReadonlyMap<string, Kind>;
}

class Graph {
  readonly #source: KindSource;
  #lookup: Lookup | undefined;
  /** By the name of the resource: its objects by the uids of their owners. */
  readonly #dependents = new Map<string, Index>();

  constructor(source: KindSource) {
    this.#source = source;
  }

  get #kinds(): Lookup {
    const of = this.#source.stored();
    if (this.#lookup?.of === of) return this.#lookup;
    const byOwner = [...this.#source.served(), ...of].map(
      (kind) => [`${kind.group}/${kind.kind}`, kind] as const,
    );
    this.#lookup = {
      of,
      byName: new Map(of.map((kind) => [resourceNameOf(kind), kind])),
      byOwner: new Map(byOwner),
    };
    return this.#lookup;
  }

  #index(kind: Kind): Index {
    const name = resourceNameOf(kind);
    const known = this.#dependents.get(name);
    if (known !== undefined) return known;
    const made: Index = {
      name: `${kind.plural} by owner`,
      kind,
      keys: ({ metadata }) => (metadata.ownerReferences ?? []).map(({ uid }) => uid),
    };
    this.#dependents.set(name, made);
    return made;
  }

  dependents(view: View, uid: string): readonly Item[] {
    return this.#kinds.of.flatMap((kind) =>
      view.lookup(this.#index(kind), uid).map((object) => ({ kind, object })),
    );
  }

  /** The object of a key. */
  item(view: View, { name, namespace }: Key): Item | undefined {
    const slash = name.indexOf('/');
    const kind = this.#kinds.byName.get(name.slice(0, slash));
    const object =
      kind === undefined ? undefined : view.get(kind, { name: name.slice(slash + 1), namespace });
    return kind === undefined || object === undefined ? undefined : { kind, object };
  }

  owner(
    view: View,
    { metadata }: Resource,
    reference: OwnerReference,
  ): OwnerState & { readonly item?: Item } {
    const group = reference.apiVersion.includes('/') ? (reference.apiVersion.split('/')[0] ?? '') : '';
    const kind = this.#kinds.byOwner.get(`${group}/${reference.kind}`);
    // A kind that nobody here knows cannot be looked at: its objects hold what they own.
    if (kind === undefined) return { reference, state: 'present', identity: undefined };
    const name: ObjectName = {
      name: reference.name,
      ...(kind.namespaced ? { namespace: metadata.namespace } : {}),
    };
    const found = view.get(kind, name);
    const identity = { kind, name, uid: reference.uid };
    if (found === undefined || found.metadata.uid !== reference.uid)
      return { reference, state: 'absent', identity };
    const item = { kind, object: found };
    return { reference, state: isWaiting(found) ? 'waiting' : 'present', identity, item };
  }

  /** Owners that wait for the object to go. */
  waitingOwners(view: View, object: Resource): readonly Key[] {
    return (object.metadata.ownerReferences ?? []).flatMap((reference) => {
      const { state, item } = this.owner(view, object, reference);
      return state === 'waiting' && item !== undefined ? [keyOf(item)] : [];
    });
  }
}

const isSameMetadata = (a: Resource, b: Resource): boolean =>
  a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
  equal(a.metadata.finalizers, b.metadata.finalizers) &&
  equal(a.metadata.ownerReferences, b.metadata.ownerReferences);

const keysOf = (graph: Graph, change: ViewChange, view: View): readonly Key[] => {
  const { kind, type, object, previous } = change;
  if (type === 'deleted')
    return [
      ...graph.dependents(view, object.metadata.uid).map(keyOf),
      ...graph.waitingOwners(view, previous ?? object),
    ];
  if (previous !== undefined && isSameMetadata(object, previous)) return [];
  const hasReason = (object.metadata.ownerReferences ?? []).length > 0 || isDeleting(object);
  return [
    ...(hasReason ? [keyOf({ kind, object })] : []),
    ...(previous === undefined ? [] : graph.waitingOwners(view, previous)),
  ];
};

/** `kinds`: all whose objects may own or be owned. */
export const createGarbageCollector = (kinds: Kinds): Controller<GarbageObserved, GuardedAction> => {
  const graph = new Graph(kindSource(kinds));
  return {
    name: 'garbage-collector',
    // Keys name objects of every kind; that decisions are found under one of them is all that the first kind is for.
    watches: [{ kind: namespaces, keys: () => [] }],
    watchesAll: (change, view) => keysOf(graph, change, view),
    observe: (view, key) => {
      const item = graph.item(view, key);
      if (item === undefined) return undefined;
      const { object } = item;
      if (isDeleting(object)) {
        if (!holds(object, foreground) && !holds(object, orphan)) return undefined;
        return { ...item, owners: [], dependents: graph.dependents(view, object.metadata.uid) };
      }
      const owners = (object.metadata.ownerReferences ?? []).map((reference) =>
        graph.owner(view, object, reference),
      );
      // Nearly always: every owner is there, and there is nothing to decide.
      if (owners.every(({ state }) => state === 'present')) return undefined;
      return { ...item, owners, dependents: [] };
    },
    reconcile,
  };
};
