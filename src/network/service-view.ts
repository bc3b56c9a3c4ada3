// Services and their EndpointSlices -> frontends, kept up to date change by change: one service's change costs that
// service.
import type { View } from '../client/view.js';
import type { Index } from '../client/view.js';
import { announcedAddresses } from '../resources/load-balancer.js';
import type { EndpointSlice, Service } from '../resources/generated/types.js';
import { endpointslices } from '../resources/kinds/endpointslices.js';
import { nodes } from '../resources/kinds/nodes.js';
import { services } from '../resources/kinds/services.js';
import { FrontendTable } from './frontend-table.js';
import type { Frontends } from './datapath.js';
import { healthCheckOf, serviceFrontends } from './service-rules.js';
import type { HealthCheck, Place } from './service-rules.js';

export const zoneLabel = 'topology.kubernetes.io/zone';
const serviceLabel = 'kubernetes.io/service-name';

/** `namespace/name` of the service that a slice belongs to; undefined for a slice of nobody. */
export const serviceOf = ({ metadata }: EndpointSlice): string | undefined => {
  const name = metadata.labels?.[serviceLabel];
  return name === undefined ? undefined : `${metadata.namespace ?? ''}/${name}`;
};

/** By `namespace/service`. */
export const slicesOfService: Index<EndpointSlice> = {
  name: 'slices of service',
  kind: endpointslices,
  keys: (slice) => {
    const service = serviceOf(slice);
    return service === undefined ? [] : [service];
  },
};

export class ServiceView {
  readonly #view: View;
  readonly #place: Place;
  readonly #healthChecks = new Map<string, HealthCheck>();
  /** Services that this node announces, with their addresses. */
  readonly #announced = new Map<string, readonly string[]>();
  readonly #table = new FrontendTable();
  readonly #changed = new Set<string>();

  constructor(view: View, nodeName: string) {
    this.#view = view;
    this.#place = {
      nodeName,
      zoneOf: (name) =>
        name === undefined ? undefined : view.get(nodes, { name })?.metadata.labels?.[zoneLabel],
    };
  }

  /** `namespace/name` of a service about which something changed. */
  touch(service: string): void {
    this.#changed.add(service);
  }

  /** Works off what was touched; whether any frontend differs now. */
  update(): boolean {
    let changed = false;
    for (const key of this.#changed) {
      const [namespace = '', name = ''] = key.split('/');
      const service = this.#view.get(services, { namespace, name });
      const slices = this.#view.lookup(slicesOfService, key);
      const frontends = service === undefined ? [] : serviceFrontends(service, slices, this.#place);
      if (this.#table.put(key, frontends)) changed = true;
      this.#look(key, service, slices);
    }
    this.#changed.clear();
    return changed;
  }

  #look(key: string, service: Service | undefined, slices: readonly EndpointSlice[]): void {
    const { nodeName } = this.#place;
    const check = service && healthCheckOf(service, slices, nodeName);
    if (check === undefined) this.#healthChecks.delete(key);
    else this.#healthChecks.set(key, check);
    const announced = service === undefined ? [] : announcedAddresses(service, nodeName);
    if (announced.length === 0) this.#announced.delete(key);
    else this.#announced.set(key, announced);
  }

  get healthChecks(): readonly HealthCheck[] {
    return [...this.#healthChecks.values()];
  }

  /** Addresses of load balancers for which this node answers. */
  get announced(): readonly string[] {
    return [...new Set([...this.#announced.values()].flat())].sort();
  }

  get frontends(): Frontends {
    return this.#table.frontends;
  }

  conflicts(): ReturnType<FrontendTable['conflicts']> {
    return this.#table.conflicts();
  }
}
