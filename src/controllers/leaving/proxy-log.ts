// How far each proxy follows the EndpointSlices, and at which revision each endpoint began to leave: kept change by
// change, since what is there now does not tell since when.
import type { Clock, Instant } from '../../base/clock.js';
import type { ViewChange } from '../../client/view.js';
import type { EndpointSlice, Lease } from '../../resources/generated/types.js';
import { proxyRevisionAnnotation } from '../../resources/proxy-revision.js';
import { displayName, nameOf } from '../../resources/resource.js';

export interface Proxy {
  /** `h2`, or the name of another component's Lease. */
  readonly name: string;
  readonly revision: number;
  /** When it counts as dead unless it renews its Lease, by this process's own clock. */
  readonly until: Instant;
}

export interface ProxyFacts {
  proxies(): readonly Proxy[];
  /**
   * Revision of the slice that first said that the pod's endpoint leaves; undefined while that slice (by
   * `namespace/name`) does not say so.
   */
  leavingSince(slice: string, podUid: string): number | undefined;
}

const defaultSeconds = 8;

export class ProxyLog implements ProxyFacts {
  readonly #clock: Clock;
  readonly #proxies = new Map<string, Proxy>();
  /** Slice -> uid of the pod -> revision. */
  readonly #leaving = new Map<string, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly noteLease = ({ type, object, previous }: ViewChange<Lease>): void => {
    const key = displayName(nameOf(object));
    const text = object.metadata.annotations?.[proxyRevisionAnnotation];
    if (type === 'deleted' || text === undefined) {
      this.#proxies.delete(key);
      return;
    }
    const known = this.#proxies.get(key);
    const renewed = known === undefined || previous?.spec.renewTime !== object.spec.renewTime;
    const until = renewed
      ? this.#clock.now() + (object.spec.leaseDurationSeconds ?? defaultSeconds) * 1000
      : known.until;
    this.#proxies.set(key, { name: object.metadata.name, revision: Number(text), until });
  };

  readonly noteSlice = ({ type, object }: ViewChange<EndpointSlice>): void => {
    const key = displayName(nameOf(object));
    const before = this.#leaving.get(key);
    if (type === 'deleted') {
      this.#leaving.delete(key);
      return;
    }
    const revision = Number(object.metadata.resourceVersion);
    const leaving = object.endpoints.flatMap(({ conditions, targetRef }): readonly [string, number][] =>
      conditions?.terminating === true && conditions.ready !== true && targetRef?.uid !== undefined
        ? [[targetRef.uid, before?.get(targetRef.uid) ?? revision]]
        : [],
    );
    if (leaving.length === 0) this.#leaving.delete(key);
    else this.#leaving.set(key, new Map(leaving));
  };

  proxies(): readonly Proxy[] {
    return [...this.#proxies.values()];
  }

  leavingSince(slice: string, podUid: string): number | undefined {
    return this.#leaving.get(slice)?.get(podUid);
  }
}
