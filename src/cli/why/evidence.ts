// What `capstan why` knows when it explains: gathered first, so that the explanation is a pure function of it.
import type { Amounts } from '../../resources/pod-resources.js';
import type { EndpointSlice, Event, Pod } from '../../resources/generated/types.js';
import type { Resource } from '../../resources/resource.js';

/** A controller's last decision about an object, as the daemon answers it. */
export interface Decision {
  readonly controller: string;
  /** RFC 3339. */
  readonly at: string;
  readonly because: string;
  readonly error?: string | undefined;
}

export interface Evidence {
  readonly object: Resource;
  /** Managing owners, nearest first. */
  readonly owners: readonly Resource[];
  /** Newest last. */
  readonly events: readonly Event[];
  readonly decisions: readonly Decision[];
  /** Pods that the object selects or that run on it, when it is that kind of object. */
  readonly pods: readonly Pod[];
  /** What a node uses, where its metrics are known. */
  readonly used?: Amounts | undefined;
  /** Of a Service. */
  readonly slices?: readonly EndpointSlice[] | undefined;
}

export interface Explanation {
  /** One sentence: what is. */
  readonly state: string;
  /** Sentences: why it is so. */
  readonly because: readonly string[];
}
