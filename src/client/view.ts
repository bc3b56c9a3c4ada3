// The View contract: a synchronous, in-memory picture of the cluster that informers keep up to date.
import type { Kind } from '../resources/kind.js';
import type { ObjectName, Resource } from '../resources/resource.js';

/** A lookup by something other than the name; declared once and shared, compared by identity. */
export interface Index<T extends Resource = Resource> {
  readonly name: string;
  readonly kind: Kind<T>;
  /** The values under which the object is found. */
  keys(object: T): readonly string[];
}

export interface View {
  get<T extends Resource>(kind: Kind<T>, name: ObjectName): T | undefined;
  /** In no particular order; all namespaces when `namespace` is absent. */
  list<T extends Resource>(kind: Kind<T>, namespace?: string): readonly T[];
  lookup<T extends Resource>(index: Index<T>, key: string): readonly T[];
}

/** What changed in a View. Deletions carry the last known object. */
export interface ViewChange<T extends Resource = Resource> {
  readonly kind: Kind<T>;
  readonly type: 'added' | 'modified' | 'deleted';
  readonly object: T;
  readonly previous: T | undefined;
}
