// The verbs over the store, as the HTTP front and the in-process cluster both call them.
import type { DeleteOptions, Patch } from '../client/cluster.js';
import type { Kind, Subresource } from '../resources/kind.js';
import type { Draft, ObjectName, Resource } from '../resources/resource.js';
import type { Identity } from '../base/http.js';

/**
 * One object at one revision. `bytes` is its JSON with the resourceVersion in it, made once per revision and shared by
 * every list and watch; `object` is decoded once per revision, frozen, and shared too.
 */
export interface Stored<T extends Resource = Resource> {
  readonly object: T;
  readonly bytes: Uint8Array;
}

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** Who calls and how; part of every verb. */
export interface CallOptions {
  readonly identity: Identity;
  readonly dryRun?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  readonly fieldValidation?: FieldValidation | undefined;
  /** Collects `Warning` headers. */
  readonly warn?: ((message: string) => void) | undefined;
}

export interface ListQuery {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
}

export interface ListResult {
  readonly items: readonly Stored[];
  readonly resourceVersion: string;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

export interface WatchQuery extends Pick<ListQuery, 'namespace' | 'labelSelector' | 'fieldSelector'> {
  /** Absent or '0': start with the present state as ADDED events. */
  readonly resourceVersion?: string | undefined;
  readonly allowBookmarks?: boolean | undefined;
  readonly sendInitialEvents?: boolean | undefined;
}

/** Stream of what happens to the objects of one selection; an object that leaves the selection is DELETED. */
export type WatchItem =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly stored: Stored }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd?: boolean };

export type WritableSubresource = Extract<
  Subresource,
  'status' | 'scale' | 'ephemeralcontainers' | 'finalize' | 'approval'
>;

/** Every method throws ClusterError only. */
export interface Registry {
  get(kind: Kind, name: ObjectName, subresource?: 'status' | 'scale'): Promise<Stored>;
  list(kind: Kind, query: ListQuery): Promise<ListResult>;
  watch(kind: Kind, query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchItem>;
  create(kind: Kind, object: Draft, options: CallOptions): Promise<Stored>;
  update(
    kind: Kind,
    name: ObjectName,
    object: Draft,
    options: CallOptions & { readonly subresource?: WritableSubresource | undefined },
  ): Promise<Stored>;
  patch(
    kind: Kind,
    name: ObjectName,
    patch: Patch | { readonly type: 'apply'; readonly object: unknown; readonly force: boolean },
    options: CallOptions & { readonly subresource?: WritableSubresource | undefined },
  ): Promise<{ readonly stored: Stored; readonly created: boolean }>;
  /** `gone` is false while finalizers or a grace period keep the object. */
  delete(
    kind: Kind,
    name: ObjectName,
    deletion: DeleteOptions,
    options: CallOptions,
  ): Promise<{ readonly stored: Stored; readonly gone: boolean }>;
  deleteCollection(
    kind: Kind,
    query: ListQuery,
    deletion: DeleteOptions,
    options: CallOptions,
  ): Promise<ListResult>;
  /** `pods/binding`. */
  bind(pod: ObjectName, uid: string | undefined, node: string, options: CallOptions): Promise<void>;
  /** `pods/eviction`. */
  evict(pod: ObjectName, deletion: DeleteOptions, options: CallOptions): Promise<void>;
}
