// Gateways: ports and hosts at which traffic from outside comes in.
import type { FieldError } from '../../base/errors.js';
import { ageColumn, nameColumn, text } from '../columns.js';
import { conditionOf } from '../conditions.js';
import { mapped, withChanges, withDefaults } from '../defaults.js';
import { child, item } from '../field-path.js';
import type { Gateway, GatewayListener } from '../generated/types.js';
import { defineKind } from '../kind.js';
import { allInvalid, duplicate, duplicates, invalid, oneOf, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { dnsSubdomainErrors, portNumberErrors, wildcardErrors } from '../validation/names.js';

const mostListeners = 64;

const defaultedListener = (listener: GatewayListener): GatewayListener =>
  withChanges(listener, {
    allowedRoutes: withDefaults(listener.allowedRoutes ?? {}, { namespaces: { from: 'Same' } }),
    tls:
      listener.tls &&
      withChanges(withDefaults(listener.tls, { mode: 'Terminate' }), {
        certificateRefs: mapped(listener.tls.certificateRefs, (reference) =>
          withDefaults(reference, { group: '', kind: 'Secret' }),
        ),
      }),
  });

/** A host of a listener or a route: a name, or one with `*` as its first label. */
export const hostnameErrors = (hostname: string): readonly string[] =>
  hostname.startsWith('*') ? wildcardErrors(hostname) : dnsSubdomainErrors(hostname);

const listenerErrors = (
  field: string,
  { name, hostname, port, protocol, tls }: GatewayListener,
): readonly FieldError[] => {
  const secure = protocol === 'HTTPS';
  return [
    ...(name === ''
      ? [required(child(field, 'name'))]
      : allInvalid(child(field, 'name'), name, dnsSubdomainErrors(name))),
    ...(hostname === undefined || hostname === ''
      ? []
      : allInvalid(child(field, 'hostname'), hostname, hostnameErrors(hostname))),
    ...portNumberErrors(port).map((why) => invalid(child(field, 'port'), port, why)),
    ...oneOf(child(field, 'tls.mode'), tls?.mode, ['Terminate', 'Passthrough']),
    ...(protocol === 'HTTP' && tls !== undefined
      ? [invalid(child(field, 'tls'), 'tls', 'must not be specified for protocol HTTP')]
      : []),
    ...(secure &&
    tls?.mode !== 'Passthrough' &&
    (tls?.certificateRefs ?? []).length === 0 &&
    tls?.options === undefined
      ? [required(child(field, 'tls.certificateRefs'), 'certificates must be specified when TLS ends here')]
      : []),
  ];
};

const validate = ({ metadata, spec }: Gateway): readonly FieldError[] => {
  const { listeners } = spec;
  const places = new Set<string>();
  return [
    ...nameErrors(metadata, dnsSubdomainErrors),
    ...(spec.gatewayClassName === '' ? [required('spec.gatewayClassName')] : []),
    ...(listeners.length === 0 || listeners.length > mostListeners
      ? [invalid('spec.listeners', listeners.length, `must have from 1 to ${mostListeners} items`)]
      : []),
    ...listeners.flatMap((listener, index) => listenerErrors(item('spec.listeners', index), listener)),
    ...duplicates(
      listeners,
      ({ name }) => name,
      (index) => child(item('spec.listeners', index), 'name'),
    ),
    ...listeners.flatMap(({ port, protocol, hostname = '' }, index) => {
      const place = `${port}/${protocol}/${hostname}`;
      if (places.has(place)) return [duplicate(item('spec.listeners', index), place)];
      places.add(place);
      return [];
    }),
  ];
};

export const gateways = defineKind<Gateway>({
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  kind: 'Gateway',
  plural: 'gateways',
  shortNames: ['gtw'],
  categories: ['gateway-api'],
  namespaced: true,
  definition: 'io.k8s.gateway.v1.Gateway',
  subresources: ['status'],
  generationFields: ['spec'],
  columns: [
    nameColumn,
    text('Class', 'Class of the Gateway.', ({ spec }) => spec.gatewayClassName),
    text('Address', 'Where the Gateway is reached.', ({ status }) =>
      (status?.addresses ?? []).map(({ value = '' }) => value).join(','),
    ),
    text(
      'Programmed',
      'Whether the configuration is in force.',
      ({ status }) => conditionOf(status?.conditions, 'Programmed')?.status ?? 'Unknown',
    ),
    ageColumn,
  ],
  defaulted: (gateway) =>
    withChanges(gateway, {
      spec: withChanges(gateway.spec, { listeners: mapped(gateway.spec.listeners, defaultedListener) ?? [] }),
    }),
  validate,
});
