// Endpoints: the addresses behind a Service, as one object (EndpointSlices are the newer form).
import type { FieldError } from '../../base/errors.js';
import { ageColumn, firstThree, nameColumn, text } from '../columns.js';
import { mapped, withChanges, withDefaults } from '../defaults.js';
import { child, item } from '../field-path.js';
import type { Endpoints, EndpointSubset } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { protocols } from '../pod-template/validate-container.js';
import { allInvalid, invalid, oneOf, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { dnsLabelErrors, ipErrors, portNumberErrors } from '../validation/names.js';

/** An IPv6 address stands in brackets before a port. */
const hostPort = (ip: string, port: number): string =>
  ip.includes(':') ? `[${ip}]:${String(port)}` : `${ip}:${String(port)}`;

const endpointTexts = ({ addresses = [], ports = [] }: EndpointSubset): readonly string[] =>
  ports.length === 0
    ? addresses.map(({ ip }) => ip)
    : ports.flatMap(({ port }) => addresses.map(({ ip }) => hostPort(ip, port)));

const defaulted = (object: Endpoints): Endpoints =>
  withChanges(object, {
    subsets: mapped(object.subsets, (subset) =>
      withChanges(subset, { ports: mapped(subset.ports, (port) => withDefaults(port, { protocol: 'TCP' })) }),
    ),
  });

const subsetErrors = (field: string, subset: EndpointSubset): readonly FieldError[] => {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  const several = ports.length > 1;
  return [
    ...(addresses.length + notReadyAddresses.length === 0
      ? [required(field, 'must specify `addresses` or `notReadyAddresses`')]
      : []),
    ...(['addresses', 'notReadyAddresses'] as const).flatMap((list) =>
      (subset[list] ?? []).flatMap(({ ip }, index) =>
        allInvalid(child(item(child(field, list), index), 'ip'), ip, ipErrors(ip)),
      ),
    ),
    ...ports.flatMap(({ name = '', port, protocol }, index) => {
      const at = item(child(field, 'ports'), index);
      return [
        ...(name === ''
          ? several
            ? [required(child(at, 'name'))]
            : []
          : allInvalid(child(at, 'name'), name, dnsLabelErrors(name))),
        ...portNumberErrors(port).map((why) => invalid(child(at, 'port'), port, why)),
        ...oneOf(child(at, 'protocol'), protocol, protocols),
      ];
    }),
  ];
};

export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.Endpoints',
  subresources: [],
  generationFields: [],
  columns: [
    nameColumn,
    text('Endpoints', 'The addresses and ports that are ready.', ({ subsets }) =>
      firstThree((subsets ?? []).flatMap(endpointTexts), '<none>'),
    ),
    ageColumn,
  ],
  defaulted,
  validate: ({ metadata, subsets }) => [
    ...nameErrors(metadata),
    ...(subsets ?? []).flatMap((subset, index) => subsetErrors(item('subsets', index), subset)),
  ],
});
