// Gives Services their cluster IP and node ports, and keeps what they have when a client leaves it out.
import type { FieldError } from '../../base/errors.js';
import type { Service, ServicePort, ServiceSpec } from '../../resources/generated/types.js';
import type { Kind } from '../../resources/kind.js';
import { storeKey } from '../../resources/kind.js';
import { services } from '../../resources/kinds/services.js';
import type { Store } from '../../store/store.js';
import { invalid } from '../verbs/rejections.js';
import { invalid as invalidField } from '../../resources/validation/field-errors.js';
import { addressRange, chooseFree, portRange } from './address-range.js';
import type { AddressRange } from './address-range.js';
import type { Admission } from './admission.js';
import { holdingsOf, portHolding, ServiceAddresses } from './service-addresses.js';

export interface ServiceAllocationOptions {
  readonly store: Store;
  /** Such as `10.96.0.0/16`. */
  readonly serviceCidr: string;
  /** Ends the watch over Services. */
  readonly lifetime: AbortSignal;
}

/** Kubernetes' default `--service-node-port-range`. */
const nodePorts: AddressRange = portRange(30_000, 32_767);

interface Allocation {
  readonly key: string;
  readonly name: string;
  isFree(holding: string): boolean;
}

const refuse = (name: string, error: FieldError): Error => invalid(services, name, [error]);

const clusterIPOf = (spec: ServiceSpec, { name, key, isFree }: Allocation, range: AddressRange): string => {
  const asked = spec.clusterIP ?? spec.clusterIPs?.[0] ?? '';
  if (asked === 'None') return asked;
  if (asked === '') {
    const chosen = chooseFree(range, key, isFree);
    if (chosen !== undefined) return chosen;
    throw refuse(
      name,
      invalidField('spec.clusterIPs', [], `failed to allocate a cluster IP: ${range.text} is full`),
    );
  }
  const why =
    range.indexOf(asked) === undefined
      ? `the provided IP (${asked}) is not in the valid range ${range.text}`
      : isFree(asked)
        ? undefined
        : 'provided IP is already allocated';
  if (why === undefined) return asked;
  throw refuse(name, invalidField('spec.clusterIPs', [asked], `failed to allocate IP ${asked}: ${why}`));
};

const portName = ({ protocol, port }: ServicePort): string => `${protocol ?? 'TCP'}/${String(port)}`;

const withNodePorts = (spec: ServiceSpec, allocation: Allocation): readonly ServicePort[] => {
  const { key, name, isFree } = allocation;
  const taken = new Set<string>();
  const isOpen = (protocol: string | undefined, port: string): boolean => {
    const holding = portHolding(protocol, Number(port));
    return !taken.has(holding) && isFree(holding);
  };
  return (spec.ports ?? []).map((port, index) => {
    const asked = port.nodePort ?? 0;
    const field = `spec.ports[${String(index)}].nodePort`;
    if (asked > 0 && nodePorts.indexOf(String(asked)) === undefined)
      throw refuse(
        name,
        invalidField(
          field,
          asked,
          `provided port is not in the valid range. The range of valid ports is ${nodePorts.text}`,
        ),
      );
    if (asked > 0 && !isOpen(port.protocol, String(asked)))
      throw refuse(name, invalidField(field, asked, 'provided port is already allocated'));
    const chosen =
      asked > 0
        ? String(asked)
        : chooseFree(nodePorts, `${key}:${portName(port)}`, (free) => isOpen(port.protocol, free));
    if (chosen === undefined)
      throw refuse(name, invalidField(field, 0, `failed to allocate a node port: ${nodePorts.text} is full`));
    taken.add(portHolding(port.protocol, Number(chosen)));
    return { ...port, nodePort: Number(chosen) };
  });
};

/** Load balancers ask there which nodes have endpoints of their own. */
const wantsHealthPort = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

const withHealthPort = (spec: ServiceSpec, { key, name, isFree }: Allocation): Partial<ServiceSpec> => {
  if (!wantsHealthPort(spec)) return { healthCheckNodePort: undefined };
  const asked = spec.healthCheckNodePort ?? 0;
  const taken = new Set((spec.ports ?? []).map(({ nodePort }) => String(nodePort ?? 0)));
  const isOpen = (port: string): boolean => !taken.has(port) && isFree(portHolding('TCP', Number(port)));
  const field = 'spec.healthCheckNodePort';
  if (asked > 0 && !isOpen(String(asked)))
    throw refuse(name, invalidField(field, asked, 'provided port is already allocated'));
  const chosen = asked > 0 ? String(asked) : chooseFree(nodePorts, `${key}:health`, isOpen);
  if (chosen === undefined)
    throw refuse(name, invalidField(field, 0, `failed to allocate a node port: ${nodePorts.text} is full`));
  return { healthCheckNodePort: Number(chosen) };
};

const wantsNodePorts = ({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);

/** Clients that replace a Service without its allocated values keep them, as long as its type still has them. */
const carriedOver = (spec: ServiceSpec, old: ServiceSpec | undefined): ServiceSpec => {
  if (old === undefined || old.type === 'ExternalName') return spec;
  const clusterIP = (spec.clusterIP ?? '') === '' ? old.clusterIP : spec.clusterIP;
  const ports = spec.ports?.map((port) => {
    if ((port.nodePort ?? 0) > 0 || !wantsNodePorts(spec)) return port;
    const nodePort = old.ports?.find((other) => portName(other) === portName(port))?.nodePort;
    return nodePort === undefined ? port : { ...port, nodePort };
  });
  const healthCheckNodePort =
    (spec.healthCheckNodePort ?? 0) === 0 ? old.healthCheckNodePort : spec.healthCheckNodePort;
  return { ...spec, clusterIP, healthCheckNodePort, ...(ports === undefined ? {} : { ports }) };
};

const addressFields: ReadonlySet<string> = new Set([
  'clusterIP',
  'clusterIPs',
  'ipFamilies',
  'ipFamilyPolicy',
]);

const withoutAddresses = (spec: ServiceSpec): ServiceSpec =>
  Object.fromEntries(Object.entries(spec).filter(([field]) => !addressFields.has(field)));

const allocated = (spec: ServiceSpec, allocation: Allocation, range: AddressRange): ServiceSpec => {
  if (spec.type === 'ExternalName') return withoutAddresses(spec);
  const clusterIP = clusterIPOf(spec, allocation, range);
  const ported = wantsNodePorts(spec) ? { ports: withNodePorts(spec, allocation) } : {};
  return {
    ...spec,
    ...ported,
    ...withHealthPort({ ...spec, ...ported }, allocation),
    clusterIP,
    clusterIPs: [clusterIP],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
  };
};

const isService = (kind: Kind): boolean => kind.group === '' && kind.plural === services.plural;

/** Throws RangeError for a CIDR that is none. */
export const serviceAllocation = ({ store, serviceCidr, lifetime }: ServiceAllocationOptions): Admission => {
  const addresses = new ServiceAddresses(store, lifetime);
  const range = addressRange(serviceCidr);
  return {
    name: 'ServiceAllocation',
    admit: (request) => {
      if (!isService(request.kind) || request.operation === 'delete') return undefined;
      if (request.operation === 'update' && request.subresource !== undefined) return undefined;
      const service = request.object as unknown as Service;
      const old = request.operation === 'update' ? (request.old as unknown as Service) : undefined;
      const key = storeKey(services, request.name, request.namespace);
      const spec = allocated(
        carriedOver(service.spec, old?.spec),
        { key, name: request.name, isFree: (holding) => addresses.isFree(holding, key) },
        range,
      );
      const object: Service = { ...service, spec };
      if (request.dryRun) return { object };
      const holdings = holdingsOf(object);
      addresses.promise(key, holdings);
      return {
        object,
        settled: () => {
          addresses.settle(key, holdings);
        },
      };
    },
  };
};
