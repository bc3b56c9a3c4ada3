// Tells the cluster that the node is there: its Node object once, its Lease every few seconds, its status on change.
import { isAbort } from '../base/abort.js';
import type { Clock, Instant } from '../base/clock.js';
import { toMicroTimestamp } from '../base/clock.js';
import { hasCode, messageOf } from '../base/errors.js';
import { equal } from '../base/json.js';
import type { Logger } from '../base/log.js';
import type { Cluster } from '../client/cluster.js';
import type { Node } from '../resources/generated/types.js';
import { leases } from '../resources/kinds/leases.js';
import { nodes } from '../resources/kinds/nodes.js';
import { needsLabels, nodeAnnotations, nodeLabels, nodeStatus, withoutHeartbeat } from './node-status.js';
import type { NodeHealth, NodeIdentity } from './node-status.js';

export interface HeartbeatOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly log: Logger;
  readonly identity: NodeIdentity;
  /** Milliseconds between two renewals of the Lease. */
  readonly intervalMs: number;
  health(): NodeHealth;
  /** As the watch has it; undefined before it is known, and when someone deleted it. */
  node(): Node | undefined;
}

export const leaseNamespace = 'kube-node-lease';
/** Multiples of the interval after which a silent node counts as lost, as its Lease says. */
const leaseIntervals = 4;
/** The status is written this often although nothing changed: as a sign of life for people. */
const refreshMs = 300_000;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #writtenAt: Instant = -Infinity;
  #failing = false;
  #wake: AbortController | undefined;
  #early = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** The health has changed: the status is written now. */
  soon(): void {
    this.#early = true;
    this.#wake?.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#early = false;
      await this.#beat(signal);
      await this.#pause(signal);
    }
  }

  async #beat(signal: AbortSignal): Promise<void> {
    try {
      await this.#writeNode(signal);
      await this.#renew();
      if (this.#failing) this.#options.log.info({}, 'the API server is reached again');
      this.#failing = false;
    } catch (error) {
      if (signal.aborted) return;
      // Once, not every two seconds; the next beat tries again.
      const level = this.#failing ? 'debug' : 'warn';
      this.#failing = true;
      this.#options.log[level]({ error: messageOf(error) }, 'the node cannot report: trying again');
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    if (this.#early || signal.aborted) return;
    const wake = new AbortController();
    this.#wake = wake;
    const pass = (): void => wake.abort();
    signal.addEventListener('abort', pass, { once: true });
    try {
      await this.#options.clock.sleep(this.#options.intervalMs, wake.signal);
    } catch (error) {
      if (!isAbort(error, wake.signal)) throw error;
    } finally {
      signal.removeEventListener('abort', pass);
      this.#wake = undefined;
    }
  }

  async #writeNode(signal: AbortSignal): Promise<void> {
    const { cluster, clock, identity, health } = this.#options;
    const now = clock.now();
    const known = this.#options.node();
    const status = nodeStatus(known?.status, identity, { health: health(), now });
    const same = known !== undefined && equal(withoutHeartbeat(known.status), withoutHeartbeat(status));
    if (same && !needsLabels(known, identity) && now - this.#writtenAt < refreshMs) return;
    const current = await this.#current(signal);
    const fresh = nodeStatus(current.status, identity, { health: health(), now });
    await cluster.updateStatus(nodes, { ...current, status: fresh });
    this.#writtenAt = now;
  }

  /** The Node as the server has it, made when it is missing, with the labels that it must have. */
  async #current(signal: AbortSignal): Promise<Node> {
    const { cluster, identity } = this.#options;
    const labels = nodeLabels(identity);
    const annotations = nodeAnnotations(identity);
    let node: Node;
    try {
      node = await cluster.get(nodes, { name: identity.name }, signal);
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error;
      return cluster.create(nodes, { metadata: { name: identity.name, labels, annotations }, spec: {} });
    }
    return needsLabels(node, identity)
      ? cluster.patch(
          nodes,
          { name: identity.name },
          { type: 'merge', patch: { metadata: { labels, annotations } } },
        )
      : node;
  }

  async #renew(): Promise<void> {
    const { cluster, clock, identity, intervalMs } = this.#options;
    const name = { namespace: leaseNamespace, name: identity.name };
    const spec = {
      holderIdentity: identity.name,
      leaseDurationSeconds: Math.max(1, Math.round((intervalMs * leaseIntervals) / 1000)),
      renewTime: toMicroTimestamp(clock.now()),
    };
    try {
      await cluster.patch(leases, name, { type: 'merge', patch: { spec } });
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error;
      await cluster.create(leases, { metadata: name, spec });
    }
  }
}
