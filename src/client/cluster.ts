// The Cluster contract: the API server's verbs as functions. In-process (apiserver/local-cluster.ts) and
// remote (client/remote-cluster.ts) implementations behave alike; both throw ClusterError.
import type { TokenRequestSpec, TokenRequestStatus } from '../resources/generated/types.js';
import type { Kind } from '../resources/kind.js';
import type { Draft, ObjectName, Resource } from '../resources/resource.js';

export interface ListOptions {
  /** Absent or '' means all namespaces. */
  readonly namespace?: string | undefined;
  /** `app=web,tier in (a,b)`. */
  readonly labelSelector?: string | undefined;
  /** `spec.nodeName=n1,metadata.name!=x`. */
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
}

export interface List<T extends Resource> {
  readonly items: readonly T[];
  /** The revision at which the list was read; a watch from it misses nothing. */
  readonly resourceVersion: string;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

export interface WatchOptions extends Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'> {
  readonly resourceVersion: string;
}

export type WatchEvent<T extends Resource> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface WriteOptions {
  readonly fieldManager?: string | undefined;
  /** Everything but the commit happens: defaults, validation, admission. */
  readonly dryRun?: boolean | undefined;
}

export type Patch =
  | { readonly type: 'json'; readonly operations: readonly unknown[] }
  | { readonly type: 'merge' | 'strategic'; readonly patch: unknown };

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly preconditions?:
    { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined } | undefined;
  readonly dryRun?: boolean | undefined;
}

export interface Cluster {
  /** Throws NotFound. */
  get<T extends Resource>(kind: Kind<T>, name: ObjectName, signal?: AbortSignal): Promise<T>;
  list<T extends Resource>(kind: Kind<T>, options?: ListOptions, signal?: AbortSignal): Promise<List<T>>;
  /** Rejects with Expired (410) when the revision is compacted; ends when the signal aborts or the server closes. */
  watch<T extends Resource>(
    kind: Kind<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  create<T extends Resource>(kind: Kind<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  /** Replaces; `metadata.resourceVersion`, when given, must be current (Conflict otherwise). */
  update<T extends Resource>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  /** Replaces `status` only. */
  updateStatus<T extends Resource>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends Resource>(
    kind: Kind<T>,
    name: ObjectName,
    patch: Patch,
    options?: WriteOptions & {
      readonly subresource?: 'status' | 'scale' | 'finalize' | 'ephemeralcontainers' | 'approval' | undefined;
    },
  ): Promise<T>;
  /** Server-side apply; creates when absent. Conflict with causes unless `force`. */
  apply<T extends Resource>(
    kind: Kind<T>,
    object: Draft<T>,
    options: WriteOptions & { readonly fieldManager: string; readonly force?: boolean | undefined },
  ): Promise<T>;
  delete<T extends Resource>(kind: Kind<T>, name: ObjectName, options?: DeleteOptions): Promise<void>;
  /** Binds a pod to a node (`pods/binding`); Conflict when it is bound already. */
  bind(pod: ObjectName & { readonly uid: string }, node: string): Promise<void>;
  /** Evicts a pod (`pods/eviction`); TooManyRequests while a PodDisruptionBudget forbids it. */
  evict(pod: ObjectName, options?: DeleteOptions): Promise<void>;
  /** A token of a service account (`serviceaccounts/token`); NotFound, Forbidden, Conflict for what it is bound to. */
  createToken(account: ObjectName, spec: TokenRequestSpec): Promise<TokenRequestStatus>;
}
