// When each node's Lease was last seen to change, by this process's own clock: nodes' clocks need not agree with it.
import type { Instant } from '../../base/clock.js';
import type { Clock } from '../../base/clock.js';
import type { ViewChange } from '../../client/view.js';
import type { Lease } from '../../resources/generated/types.js';

export const leaseNamespace = 'kube-node-lease';

export interface Heartbeats {
  /** Undefined for a node that never had a Lease. */
  seen(node: string): Instant | undefined;
  /** The last sign of life of any node; undefined before the first. */
  readonly newest: Instant | undefined;
}

/** Fed by a subscription to Leases, before any controller asks. */
export class HeartbeatLog implements Heartbeats {
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #seen = new Map<string, Instant>();
  #newest: Instant | undefined;
  /**
   * When a silence of all nodes ended. It was this process that slept, more likely than all of them: from here everyone
   * has the full grace again, or the first to report would make all others look dead.
   */
  #amnesty: Instant | undefined;

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.#graceMs = graceMs;
  }

  readonly note = ({ type, object, previous }: ViewChange<Lease>): void => {
    const { name, namespace } = object.metadata;
    if (namespace !== leaseNamespace) return;
    if (type === 'deleted') {
      this.#seen.delete(name);
      return;
    }
    if (previous !== undefined && previous.spec.renewTime === object.spec.renewTime) return;
    const now = this.#clock.now();
    if (this.#newest !== undefined && now - this.#newest >= this.#graceMs) this.#amnesty = now;
    this.#newest = now;
    this.#seen.set(name, now);
  };

  seen(node: string): Instant | undefined {
    const seen = this.#seen.get(node);
    if (seen === undefined || this.#amnesty === undefined) return seen;
    return Math.max(seen, this.#amnesty);
  }

  get newest(): Instant | undefined {
    return this.#newest;
  }
}
