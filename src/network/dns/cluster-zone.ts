// The names of the cluster, answered from the view at the moment of the question: Kubernetes' DNS-Based Service
// Discovery 1.1.0, with what CoreDNS answers where the specification is silent.
import { addressNumber, contains, parseCidr } from '../../base/ipv4.js';
import type { Index, View } from '../../client/view.js';
import type { Endpoint, EndpointSlice, Service } from '../../resources/generated/types.js';
import { endpointslices } from '../../resources/kinds/endpointslices.js';
import { services } from '../../resources/kinds/services.js';
import { serviceOf, slicesOfService } from '../service-view.js';
import { dashed, fullAddress, labelsBefore, reversedAddress, undashed } from './names.js';
import { addressType } from './records.js';
import type { Answer, DnsRecord, Question } from './records.js';

export interface ClusterZoneOptions {
  /** `cluster.local`. */
  readonly domain: string;
  /** Address of the cluster's DNS service. */
  readonly address: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
}

/** Seconds: what changes within a second on the server should not live long elsewhere. */
const ttl = 5;
const schemaVersion = '1.1.0';

const clusterAddresses = ({ spec }: Service): readonly string[] =>
  [...new Set([spec.clusterIP ?? '', ...(spec.clusterIPs ?? [])])].filter(
    (address) => address !== '' && address !== 'None',
  );

/** By cluster address in its full form. */
export const servicesByAddress: Index<Service> = {
  name: 'services by address',
  kind: services,
  keys: (service) => clusterAddresses(service).map(fullAddress),
};

/** By address of an endpoint in its full form. */
export const slicesByAddress: Index<EndpointSlice> = {
  name: 'slices by address',
  kind: endpointslices,
  keys: ({ endpoints }) => [
    ...new Set(endpoints.flatMap(({ addresses }) => addresses.slice(0, 1)).map(fullAddress)),
  ],
};

/** A record without its owner: the name is the one that was asked for. */
type Found = DnsRecord extends infer One
  ? One extends DnsRecord
    ? Omit<One, 'name' | 'ttl'>
    : never
  : never;

interface Place {
  readonly address: string;
  readonly hostname: string;
}

const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready !== false;

const placesOf = (slices: readonly EndpointSlice[]): readonly Place[] => {
  const found = new Map<string, Place>();
  for (const { endpoints, addressType: type } of slices) {
    if (type === 'FQDN') continue;
    for (const endpoint of endpoints) {
      const [address] = endpoint.addresses;
      if (address !== undefined && isReady(endpoint))
        found.set(address, { address, hostname: endpoint.hostname ?? dashed(address) });
    }
  }
  return [...found.values()];
};

const isHeadless = ({ spec }: Service): boolean => spec.clusterIP === 'None';

export class ClusterZone {
  readonly #view: View;
  readonly #options: ClusterZoneOptions;
  readonly #podNetwork: ReturnType<typeof parseCidr>;
  readonly #serviceNetwork: ReturnType<typeof parseCidr>;

  constructor(view: View, options: ClusterZoneOptions) {
    this.#view = view;
    this.#options = options;
    this.#podNetwork = parseCidr(options.podCidr);
    this.#serviceNetwork = parseCidr(options.serviceCidr);
  }

  /** Undefined for names of elsewhere. An answer that ends with a CNAME is gone on with by the caller. */
  answer({ name, type }: Question): Answer | undefined {
    const { domain } = this.#options;
    const labels = labelsBefore(name, domain);
    if (labels === undefined) return this.#reverse(name, type);
    const found = this.#records(labels);
    if (found === undefined) return this.#absent(domain, 'NXDOMAIN');
    const alias = found.filter((record) => record.type === 'CNAME');
    const chosen =
      alias.length > 0 ? alias : found.filter((record) => type === 'ANY' || record.type === type);
    if (chosen.length === 0) return this.#absent(domain, 'NOERROR');
    const answers = chosen.map((record) => ({ ...record, name, ttl }));
    return {
      rcode: 'NOERROR',
      authoritative: true,
      answers,
      authority: [],
      additional: this.#targets(answers),
    };
  }

  /** Everything at a name; empty when only names below it are there, undefined when not even those. */
  #records(labels: readonly string[]): readonly Found[] | undefined {
    const { address, domain } = this.#options;
    const text = labels.join('.');
    if (text === '') return [{ type: 'SOA', data: this.#soa() }, this.#nameserver(domain)];
    if (text === 'dns-version') return [{ type: 'TXT', data: schemaVersion }];
    if (text === 'ns.dns') return [{ type: addressType(address), data: address }];
    if (text === 'dns' || text === 'svc' || text === 'pod') return [];
    const zone = labels.at(-1);
    const namespace = labels.at(-2) ?? '';
    if (zone === 'pod') return this.#pod(labels.slice(0, -2), namespace);
    if (zone !== 'svc') return undefined;
    if (labels.length === 2) return this.#hasNamespace(namespace) ? [] : undefined;
    return this.#service(labels.slice(0, -3), { namespace, name: labels.at(-3) ?? '' });
  }

  #nameserver(domain: string): Found {
    return { type: 'NS', data: `ns.dns.${domain}` };
  }

  #hasNamespace(namespace: string): boolean {
    return this.#view.list(services, namespace).length > 0;
  }

  /** Any address of the pod network, in any namespace: the name says the address, so nothing is learned from it. */
  #pod(labels: readonly string[], namespace: string): readonly Found[] | undefined {
    if (labels.length === 0) return this.#hasNamespace(namespace) ? [] : undefined;
    const data = undashed(labels[0] ?? '');
    const number = data === undefined ? undefined : addressNumber(data);
    if (labels.length !== 1 || data === undefined || number === undefined) return undefined;
    const inside = this.#podNetwork !== undefined && contains(this.#podNetwork, number);
    return inside ? [{ type: 'A', data }] : undefined;
  }

  #service(
    below: readonly string[],
    id: { readonly name: string; readonly namespace: string },
  ): readonly Found[] | undefined {
    const service = this.#view.get(services, id);
    if (service === undefined) return undefined;
    if (service.spec.type === 'ExternalName')
      return below.length === 0 ? this.#external(service.spec.externalName ?? '') : undefined;
    const key = `${id.namespace}/${id.name}`;
    const slices = this.#view.lookup(slicesOfService, key);
    const own = `${id.name}.${id.namespace}.svc.${this.#options.domain}`;
    const [first = '', second = ''] = below;
    switch (below.length) {
      case 0:
        return [...this.#addresses(service, slices), ...this.#ports(service, slices, { own })];
      case 1: {
        if (first.startsWith('_'))
          return this.#ports(service, slices, { own, protocol: first }).length > 0 ? [] : undefined;
        const places = placesOf(slices).filter(({ hostname }) => hostname.toLowerCase() === first);
        if (places.length === 0) return undefined;
        return places.map(({ address }) => ({ type: addressType(address), data: address }));
      }
      case 2: {
        const found = this.#ports(service, slices, { own, protocol: second, port: first });
        return found.length > 0 ? found : undefined;
      }
      default:
        return undefined;
    }
  }

  #external(target: string): readonly Found[] {
    if (addressNumber(target) !== undefined || target.includes(':'))
      return [{ type: addressType(target), data: target }];
    return [{ type: 'CNAME', data: target.toLowerCase().replace(/\.$/, '') }];
  }

  #addresses(service: Service, slices: readonly EndpointSlice[]): readonly Found[] {
    const addresses = isHeadless(service)
      ? placesOf(slices).map(({ address }) => address)
      : clusterAddresses(service);
    return addresses.map((address) => ({ type: addressType(address), data: address }));
  }

  /** SRV records of the named port, or of all ports; `_tcp` and `_http` carry their underscores. */
  #ports(
    service: Service,
    slices: readonly EndpointSlice[],
    wanted: { readonly own: string; readonly protocol?: string; readonly port?: string },
  ): readonly Found[] {
    const { own, protocol, port } = wanted;
    const fits = (of: {
      readonly name?: string | undefined;
      readonly protocol?: string | undefined;
    }): boolean =>
      (protocol === undefined || `_${(of.protocol ?? 'TCP').toLowerCase()}` === protocol) &&
      (port === undefined || `_${(of.name ?? '').toLowerCase()}` === port);
    const targets = isHeadless(service)
      ? slices.flatMap((slice) =>
          (slice.ports ?? []).filter(fits).flatMap((one) =>
            one.port === undefined
              ? []
              : placesOf([slice]).map(({ hostname }) => ({
                  port: one.port ?? 0,
                  target: `${hostname}.${own}`,
                })),
          ),
        )
      : (service.spec.ports ?? []).filter(fits).map((one) => ({ port: one.port, target: own }));
    const weight = Math.max(1, Math.floor(100 / Math.max(1, targets.length)));
    return targets.map((target) => ({ type: 'SRV', data: { priority: 0, weight, ...target } }));
  }

  /** Addresses of the targets of SRV records. */
  #targets(answers: readonly DnsRecord[]): readonly DnsRecord[] {
    const names = new Set(answers.flatMap((record) => (record.type === 'SRV' ? [record.data.target] : [])));
    return [...names].flatMap((name) =>
      (this.#records(labelsBefore(name, this.#options.domain) ?? ['']) ?? [])
        .filter(({ type }) => type === 'A' || type === 'AAAA')
        .map((record) => ({ ...record, name, ttl })),
    );
  }

  #reverse(name: string, type: string): Answer | undefined {
    const address = reversedAddress(name);
    if (address === undefined) return undefined;
    const names = this.#namesOf(address);
    const number = addressNumber(address);
    const ours = [this.#podNetwork, this.#serviceNetwork].some(
      (network) => network !== undefined && number !== undefined && contains(network, number),
    );
    if (names.length === 0) return ours ? this.#absent(this.#reverseZone(name), 'NXDOMAIN') : undefined;
    if (type !== 'PTR' && type !== 'ANY') return this.#absent(this.#reverseZone(name), 'NOERROR');
    return {
      rcode: 'NOERROR',
      authoritative: true,
      answers: names.map((data) => ({ name, ttl, type: 'PTR', data })),
      authority: [],
      additional: [],
    };
  }

  #namesOf(address: string): readonly string[] {
    const full = fullAddress(address);
    const name = (key: string): string => `${key.split('/').reverse().join('.')}.svc.${this.#options.domain}`;
    const found = this.#view
      .lookup(servicesByAddress, full)
      .map(({ metadata }) => name(`${metadata.namespace ?? ''}/${metadata.name}`));
    if (found.length > 0) return found;
    const ends = this.#view.lookup(slicesByAddress, full).flatMap((slice) => {
      const key = serviceOf(slice);
      if (key === undefined) return [];
      return placesOf([slice])
        .filter((place) => fullAddress(place.address) === full)
        .map(({ hostname }) => `${hostname}.${name(key)}`);
    });
    return [...new Set(ends)].sort();
  }

  /** The two labels at the network's end of a reversed address, as far as networks of this kind reach. */
  #reverseZone(name: string): string {
    return name.split('.').slice(2).join('.');
  }

  #soa(): Extract<DnsRecord, { readonly type: 'SOA' }>['data'] {
    const { domain } = this.#options;
    return {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: 1, // nobody transfers the zone, so nothing compares its serials
      refresh: 7_200,
      retry: 1_800,
      expire: 86_400,
      minimum: ttl,
    };
  }

  #absent(zone: string, rcode: 'NXDOMAIN' | 'NOERROR'): Answer {
    return {
      rcode,
      authoritative: true,
      answers: [],
      authority: [{ name: zone, ttl, type: 'SOA', data: this.#soa() }],
      additional: [],
    };
  }
}
