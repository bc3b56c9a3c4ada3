// EndpointSlices: the addresses behind a Service, at most a thousand in each slice.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, firstThree, nameColumn, text } from '../columns.js';
import { mapped, withChanges, withDefaults } from '../defaults.js';
import { weightsErrors } from '../endpoint-weights.js';
import { child, item } from '../field-path.js';
import type { EndpointSlice } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { protocols } from '../pod-template/validate-container.js';
import { allInvalid, duplicates, immutable, invalid, oneOf, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import {
  dnsLabelErrors,
  dnsSubdomainErrors,
  ipErrors,
  ipFamilyOf,
  portNumberErrors,
} from '../validation/names.js';

type EndpointPort = NonNullable<EndpointSlice['ports']>[number];
type Endpoint = EndpointSlice['endpoints'][number];

const limits = { endpoints: 1000, addresses: 100, ports: 100 };

/** Go clients leave an empty list out. */
const endpointsOf = ({ endpoints }: Partial<EndpointSlice>): readonly Endpoint[] => endpoints ?? [];

const defaulted = (slice: EndpointSlice): EndpointSlice =>
  withChanges(slice, {
    endpoints: endpointsOf(slice),
    ports: mapped(slice.ports, (port) => withDefaults(port, { name: '', protocol: 'TCP' })),
  });

const addressProblems = (type: string, address: string): readonly string[] => {
  if (type === 'FQDN') return dnsSubdomainErrors(address);
  if (ipFamilyOf(address) === undefined) return ipErrors(address);
  return ipFamilyOf(address) === (type === 'IPv4' ? 4 : 6) ? [] : [`must be an ${type} address`];
};

const endpointErrors = (
  field: string,
  { addresses, hostname }: Endpoint,
  type: string,
): readonly FieldError[] => [
  ...(addresses.length === 0 ? [required(child(field, 'addresses'), 'must contain at least 1 address')] : []),
  ...(addresses.length > limits.addresses
    ? [invalid(child(field, 'addresses'), addresses.length, `must have at most ${limits.addresses} items`)]
    : []),
  ...addresses.flatMap((address, index) =>
    allInvalid(item(child(field, 'addresses'), index), address, addressProblems(type, address)),
  ),
  ...(hostname === undefined ? [] : allInvalid(child(field, 'hostname'), hostname, dnsLabelErrors(hostname))),
];

const portErrors = (field: string, { name = '', port, protocol }: EndpointPort): readonly FieldError[] => [
  ...(name === '' ? [] : allInvalid(child(field, 'name'), name, dnsLabelErrors(name))),
  ...(port === undefined
    ? []
    : portNumberErrors(port).map((why) => invalid(child(field, 'port'), port, why))),
  ...oneOf(child(field, 'protocol'), protocol, protocols),
];

const validate = (slice: EndpointSlice, old: EndpointSlice | undefined): readonly FieldError[] => {
  const { metadata, addressType, ports = [] } = slice;
  const endpoints = endpointsOf(slice);
  return [
    ...nameErrors(metadata),
    ...weightsErrors(metadata.annotations, 'address'),
    ...(addressType === ''
      ? [required('addressType')]
      : oneOf('addressType', addressType, ['FQDN', 'IPv4', 'IPv6'])),
    ...(old !== undefined && old.addressType !== addressType ? [immutable('addressType', addressType)] : []),
    ...(endpoints.length > limits.endpoints
      ? [invalid('endpoints', endpoints.length, `must have at most ${limits.endpoints} items`)]
      : []),
    ...endpoints.flatMap((endpoint, index) =>
      endpointErrors(item('endpoints', index), endpoint, addressType),
    ),
    ...(ports.length > limits.ports
      ? [invalid('ports', ports.length, `must have at most ${limits.ports} items`)]
      : []),
    ...ports.flatMap((port, index) => portErrors(item('ports', index), port)),
    ...duplicates(
      ports,
      ({ name }) => name,
      (index) => child(item('ports', index), 'name'),
    ),
  ];
};

export const endpointslices = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  shortNames: [],
  namespaced: true,
  definition: 'io.k8s.api.discovery.v1.EndpointSlice',
  subresources: [],
  generationFields: [],
  columns: [
    nameColumn,
    text('AddressType', 'IPv4, IPv6 or FQDN.', ({ addressType }) => addressType),
    text('Ports', 'The ports of every endpoint.', ({ ports = [] }) =>
      firstThree(
        ports.map(({ port, name }) => (port === undefined ? name || '*' : String(port))),
        '<unset>',
      ),
    ),
    text('Endpoints', 'The addresses, ready or not.', (slice) =>
      firstThree(
        endpointsOf(slice).flatMap(({ addresses }) => addresses),
        '<unset>',
      ),
    ),
    ageColumn,
  ],
  defaulted,
  validate,
});
