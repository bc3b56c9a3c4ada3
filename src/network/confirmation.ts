// Tells the cluster up to which revision this node's proxy follows the EndpointSlices, on the node's own Lease. It is
// said when an endpoint leaves: nobody waits for anything else.
import { Bell } from '../base/bell.js';
import { isAbort } from '../base/abort.js';
import type { Clock } from '../base/clock.js';
import { hasCode, messageOf } from '../base/errors.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { EndpointSlice } from '../resources/generated/types.js';
import { leases } from '../resources/kinds/leases.js';
import { proxyRevisionAnnotation } from '../resources/proxy-revision.js';

export interface ConfirmationOptions {
  readonly cluster: Cluster;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const leaseNamespace = 'kube-node-lease';
const retryMs = 200;

const isReady = ({ conditions }: EndpointSlice['endpoints'][number]): boolean => conditions?.ready !== false;

/** Whether somebody may wait until the change has reached all proxies. */
export const endpointLeaves = (previous: EndpointSlice | undefined, next: EndpointSlice): boolean =>
  next.endpoints.some(({ conditions }) => conditions?.terminating === true) ||
  (previous?.endpoints ?? []).some(
    (endpoint) =>
      isReady(endpoint) &&
      !next.endpoints.some((other) => other.addresses[0] === endpoint.addresses[0] && isReady(other)),
  );

export class Confirmation {
  readonly #options: ConfirmationOptions;
  #wanted: number | undefined;
  #said: number | undefined;
  readonly #bell = new Bell();

  constructor(options: ConfirmationOptions) {
    this.#options = options;
  }

  /** The kernel shows all slices up to the revision. */
  applied(revision: number): void {
    this.#wanted = revision;
    this.#bell.ring();
  }

  /** One write at a time, always the newest; until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    try {
      for (;;) {
        if (this.#wanted === undefined || this.#wanted === this.#said) await this.#bell.wait(signal);
        else if (!(await this.#say(this.#wanted, log))) await clock.sleep(retryMs, signal);
        signal.throwIfAborted();
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    }
  }

  /** Whether it was heard. */
  async #say(revision: number, log: Logger): Promise<boolean> {
    const { cluster, nodeName } = this.#options;
    const patch = { metadata: { annotations: { [proxyRevisionAnnotation]: String(revision) } } };
    try {
      await cluster.patch(leases, { namespace: leaseNamespace, name: nodeName }, { type: 'merge', patch });
      this.#said = revision;
      return true;
    } catch (error) {
      // A node that has just come has no Lease for a moment.
      if (!hasCode(error, 'NotFound'))
        log.debug({ error: messageOf(error) }, 'the revision of the proxy was not told: trying again');
      return false;
    }
  }
}
