// What a controller may do to the cluster, as data.
import type { DeleteOptions, Patch } from '../client/cluster.js';
import type { Kind } from '../resources/kind.js';
import type { Draft, ObjectName, Resource } from '../resources/resource.js';

/** Something worth telling the user about an object; becomes an Event (repeats are counted, not repeated). */
export interface EventDraft {
  readonly regarding: Resource;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase and machine-readable, such as `ScalingReplicaSet`. */
  readonly reason: string;
  readonly message: string;
}

/** Writes carry the observed resourceVersion, so that a stale view cannot do work twice. */
export type ClusterAction =
  | { readonly type: 'create'; readonly kind: Kind; readonly object: Draft }
  | { readonly type: 'update'; readonly kind: Kind; readonly object: Resource }
  | { readonly type: 'updateStatus'; readonly kind: Kind; readonly object: Resource }
  | {
      readonly type: 'patch';
      readonly kind: Kind;
      readonly name: ObjectName;
      readonly patch: Patch;
      readonly subresource?: 'status' | 'scale' | 'approval' | undefined;
    }
  | {
      readonly type: 'delete';
      readonly kind: Kind;
      readonly name: ObjectName;
      readonly options: DeleteOptions;
    }
  | { readonly type: 'bind'; readonly pod: ObjectName & { readonly uid: string }; readonly node: string }
  | { readonly type: 'evict'; readonly pod: ObjectName; readonly options?: DeleteOptions | undefined }
  | { readonly type: 'event'; readonly event: EventDraft };

/** Writes Events without making its caller wait or fail; repeats within a while are counted on one Event. */
export interface EventRecorder {
  record(event: EventDraft): void;
}
