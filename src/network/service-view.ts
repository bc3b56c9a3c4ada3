// Services and their EndpointSlices -> frontends, kept up to date change by change: one service's change costs that
// service.
import type { View } from '../client/view.js';
import type { Index } from '../client/view.js';
import type { EndpointSlice } from '../resources/generated/types.js';
import { endpointslices } from '../resources/kinds/endpointslices.js';
import { services } from '../resources/kinds/services.js';
import { FrontendTable } from './frontend-table.js';
import type { Frontends } from './datapath.js';
import { serviceFrontends } from './service-rules.js';

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
  readonly #nodeName: string;
  readonly #table = new FrontendTable();
  readonly #changed = new Set<string>();

  constructor(view: View, nodeName: string) {
    this.#view = view;
    this.#nodeName = nodeName;
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
      const frontends =
        service === undefined
          ? []
          : serviceFrontends(service, this.#view.lookup(slicesOfService, key), this.#nodeName);
      if (this.#table.put(key, frontends)) changed = true;
    }
    this.#changed.clear();
    return changed;
  }

  get frontends(): Frontends {
    return this.#table.frontends;
  }

  conflicts(): ReturnType<FrontendTable['conflicts']> {
    return this.#table.conflicts();
  }
}
