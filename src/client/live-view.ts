// The View that informers keep: one table per kind, with indexes that grow and shrink with each change. Objects are
// shared with whoever delivered them, never copied.
import { resourceNameOf } from '../resources/kind.js';
import type { Kind } from '../resources/kind.js';
import { displayName, nameOf } from '../resources/resource.js';
import type { ObjectName, Resource } from '../resources/resource.js';
import type { Index, View, ViewChange } from './view.js';

/** key of the index -> name of the object -> object */
type IndexTable = Map<string, Map<string, Resource>>;

const none: readonly never[] = [];

const fill = (table: IndexTable, index: Index, object: Resource): void => {
  const name = displayName(nameOf(object));
  for (const key of index.keys(object)) {
    const bucket = table.get(key);
    if (bucket === undefined) table.set(key, new Map([[name, object]]));
    else bucket.set(name, object);
  }
};

const clear = (table: IndexTable, index: Index, object: Resource): void => {
  const name = displayName(nameOf(object));
  for (const key of index.keys(object)) {
    const bucket = table.get(key);
    bucket?.delete(name);
    if (bucket?.size === 0) table.delete(key);
  }
};

/** All objects of one kind. */
export class KindTable {
  /** The latest one that the resource is known by. */
  kind: Kind;
  /** Newest revision that this table is known to show; 0 before the first list. */
  revision = 0;
  readonly #namespaces = new Map<string, Map<string, Resource>>();
  readonly #indexes = new Map<Index, IndexTable>();

  constructor(kind: Kind) {
    this.kind = kind;
  }

  get({ name, namespace }: ObjectName): Resource | undefined {
    return this.#namespaces.get(namespace ?? '')?.get(name);
  }

  list(namespace?: string): readonly Resource[] {
    if (namespace !== undefined && namespace !== '')
      return [...(this.#namespaces.get(namespace)?.values() ?? none)];
    if (this.#namespaces.size === 1) for (const only of this.#namespaces.values()) return [...only.values()];
    const all: Resource[] = [];
    for (const objects of this.#namespaces.values()) for (const object of objects.values()) all.push(object);
    return all;
  }

  /** Builds the index on its first use; from then on every change maintains it. */
  lookup(index: Index, key: string): readonly Resource[] {
    const bucket = this.index(index).get(key);
    return bucket === undefined ? none : [...bucket.values()];
  }

  index(index: Index): IndexTable {
    const existing = this.#indexes.get(index);
    if (existing !== undefined) return existing;
    const table: IndexTable = new Map();
    for (const object of this.list()) fill(table, index, object);
    this.#indexes.set(index, table);
    return table;
  }

  /** Undefined when the table shows this revision of the object, or a newer one, already. */
  put(object: Resource): ViewChange | undefined {
    const { name, namespace = '', resourceVersion } = object.metadata;
    const objects = this.#namespaces.get(namespace) ?? new Map<string, Resource>();
    const previous = objects.get(name);
    const revision = Number(resourceVersion);
    if (revision > this.revision) this.revision = revision;
    if (previous !== undefined && Number(previous.metadata.resourceVersion) >= revision) return undefined;
    if (objects.size === 0) this.#namespaces.set(namespace, objects);
    objects.set(name, object);
    for (const [index, table] of this.#indexes) {
      if (previous !== undefined) clear(table, index, previous);
      fill(table, index, object);
    }
    return {
      kind: this.kind,
      type: previous === undefined ? 'added' : 'modified',
      object,
      previous,
    };
  }

  /** `last` is the final state, where it is known; undefined when the table has no such object. */
  remove(name: ObjectName, last?: Resource): ViewChange | undefined {
    const objects = this.#namespaces.get(name.namespace ?? '');
    const previous = objects?.get(name.name);
    if (last !== undefined) this.revision = Math.max(this.revision, Number(last.metadata.resourceVersion));
    if (objects === undefined || previous === undefined) return undefined;
    objects.delete(name.name);
    if (objects.size === 0) this.#namespaces.delete(name.namespace ?? '');
    for (const [index, table] of this.#indexes) clear(table, index, previous);
    return { kind: this.kind, type: 'deleted', object: last ?? previous, previous };
  }

  /** Makes the table show exactly `items`; the changes that lead there, deletions first. */
  *replace(items: readonly Resource[], revision: number): Generator<ViewChange> {
    const present = new Set(items.map((item) => displayName(nameOf(item))));
    for (const object of this.list()) {
      const name = nameOf(object);
      const change = present.has(displayName(name)) ? undefined : this.remove(name);
      if (change !== undefined) yield change;
    }
    for (const item of items) {
      // The same name with another uid is another object: whoever watches must see the first one go.
      const previous = this.get(nameOf(item));
      const gone =
        previous === undefined || previous.metadata.uid === item.metadata.uid
          ? undefined
          : this.remove(nameOf(item));
      if (gone !== undefined) yield gone;
      const change = this.put(item);
      if (change !== undefined) yield change;
    }
    this.revision = Math.max(this.revision, revision);
  }
}

/**
 * Throws for a built-in kind that it was not made for: that is a mistake in the wiring. Of a kind that came at run time
 * and is not followed (yet, or any more) it shows nothing.
 */
export class LiveView implements View {
  readonly #tables = new Map<Kind, KindTable>();
  readonly #byName = new Map<string, KindTable>();

  constructor(kinds: readonly Kind[]) {
    for (const kind of kinds) this.add(kind);
  }

  /** The table of the kind: a new one, or the one of the same resource, which goes by the new kind from now on. */
  add(kind: Kind): KindTable {
    const name = resourceNameOf(kind);
    const table = this.#byName.get(name) ?? new KindTable(kind);
    this.#tables.delete(table.kind);
    table.kind = kind;
    this.#tables.set(kind, table);
    this.#byName.set(name, table);
    return table;
  }

  remove(kind: Kind): void {
    const name = resourceNameOf(kind);
    const table = this.#byName.get(name);
    if (table !== undefined) this.#tables.delete(table.kind);
    this.#byName.delete(name);
  }

  /** All that are there now. */
  tables(): readonly KindTable[] {
    return [...this.#byName.values()];
  }

  table(kind: Kind): KindTable {
    const table = this.#find(kind);
    if (table === undefined)
      throw new Error(
        `${resourceNameOf(kind)} are not watched here: add them to the kinds of createInformers`,
      );
    return table;
  }

  has(kind: Kind): boolean {
    return this.#tables.has(kind) || this.#byName.has(resourceNameOf(kind));
  }

  get<T extends Resource>(kind: Kind<T>, name: ObjectName): T | undefined {
    return this.#shown(kind)?.get(name) as T | undefined;
  }

  list<T extends Resource>(kind: Kind<T>, namespace?: string): readonly T[] {
    return (this.#shown(kind)?.list(namespace) ?? none) as readonly T[];
  }

  lookup<T extends Resource>(index: Index<T>, key: string): readonly T[] {
    return (this.#shown(index.kind)?.lookup(index, key) ?? none) as readonly T[];
  }

  #find(kind: Kind): KindTable | undefined {
    return this.#tables.get(kind) ?? this.#byName.get(resourceNameOf(kind));
  }

  #shown(kind: Kind): KindTable | undefined {
    return kind.schema === undefined ? this.table(kind) : this.#find(kind);
  }
}
