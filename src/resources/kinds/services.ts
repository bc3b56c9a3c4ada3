// Services: one name and address for a changing set of pods.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import { ageColumn, formatLabels, nameColumn, orNone, text, wide } from '../columns.js';
import { mapped, withChanges, withDefaults } from '../defaults.js';
import type { Service } from '../generated/types.js';
import type { Column } from '../kind.js';
import { weightsErrors } from '../endpoint-weights.js';
import { defineKind } from '../kind.js';
import { serviceSpecErrors, serviceUpdateErrors } from '../service-rules.js';
import { nameErrors } from '../validation/metadata.js';
import { dns1035LabelErrors, ipFamilyOf } from '../validation/names.js';

type Spec = Service['spec'];
type Port = NonNullable<Spec['ports']>[number];

const externalAddress = ({ spec, status }: Service): string => {
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ExternalName':
      return orNone(spec.externalName);
    case 'LoadBalancer': {
      const balanced = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
      const all = [...balanced, ...external].filter((address) => address !== '').join(',');
      return all === '' ? '<pending>' : all;
    }
    case undefined:
    default:
      return orNone(external.join(','));
  }
};

const portText = ({ port, nodePort = 0, protocol = 'TCP' }: Port): string =>
  nodePort === 0 ? `${String(port)}/${protocol}` : `${String(port)}:${String(nodePort)}/${protocol}`;

const columns: readonly Column<Service>[] = [
  nameColumn,
  text(
    'Type',
    'How the service can be reached: ExternalName, ClusterIP, NodePort or LoadBalancer.',
    ({ spec }) => spec.type ?? 'ClusterIP',
  ),
  text('Cluster-IP', 'The address of the service inside the cluster.', ({ spec }) =>
    orNone(spec.clusterIPs?.[0] ?? spec.clusterIP),
  ),
  text('External-IP', 'The addresses of the service for the outside.', externalAddress),
  text('Port(s)', 'The list of ports that are exposed by this service.', ({ spec }) =>
    orNone((spec.ports ?? []).map(portText).join(',')),
  ),
  ageColumn,
  wide('Selector', 'Labels of the pods to which traffic goes.', ({ spec }) => formatLabels(spec.selector)),
];

const defaultedPort = (port: Port): Port => {
  const { targetPort = 0 } = port;
  return withChanges(withDefaults(port, { protocol: 'TCP' }), {
    targetPort: targetPort === 0 || targetPort === '' ? port.port : targetPort,
  });
};

const affinitySeconds = 10_800;

const defaultedAffinity = (spec: Spec): Spec =>
  spec.sessionAffinity === 'ClientIP'
    ? withChanges(spec, {
        sessionAffinityConfig: withChanges(spec.sessionAffinityConfig ?? {}, {
          clientIP: withDefaults(spec.sessionAffinityConfig?.clientIP ?? {}, {
            timeoutSeconds: affinitySeconds,
          }),
        }),
      })
    : spec;

/** `clusterIP` and the first of `clusterIPs` are one thing; the family follows from the address. */
const defaultedAddresses = (spec: Spec): Spec => {
  if (spec.type === 'ExternalName') return spec;
  const clusterIP = (spec.clusterIP ?? '') === '' ? spec.clusterIPs?.[0] : spec.clusterIP;
  const addressed =
    clusterIP === undefined
      ? spec
      : withChanges(withDefaults(spec, { clusterIPs: [clusterIP] }), { clusterIP });
  return withDefaults(addressed, {
    ipFamilies: [ipFamilyOf(clusterIP ?? '') === 6 ? 'IPv6' : 'IPv4'],
    ipFamilyPolicy: 'SingleStack',
  });
};

const defaultedPolicies = (spec: Spec): Spec => {
  const { type } = spec;
  const outside = type === 'NodePort' || type === 'LoadBalancer' || (spec.externalIPs ?? []).length > 0;
  return withDefaults(spec, {
    ...(outside && type !== 'ExternalName' ? { externalTrafficPolicy: 'Cluster' } : {}),
    ...(type === 'ExternalName' ? {} : { internalTrafficPolicy: 'Cluster' }),
    ...(type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}),
  });
};

const defaulted = (service: Service): Service => {
  const typed = withDefaults(service.spec, { sessionAffinity: 'None', type: 'ClusterIP' });
  const filled = withChanges(typed, { ports: mapped(typed.ports, defaultedPort) });
  return withChanges(service, {
    spec: defaultedAddresses(defaultedPolicies(defaultedAffinity(filled))),
    status: withDefaults<NonNullable<Service['status']>>(service.status ?? {}, { loadBalancer: {} }),
  });
};

const validate = ({ metadata, spec }: Service, old: Service | undefined): readonly FieldError[] => {
  const weights = weightsErrors(metadata.annotations, 'selector');
  if (old !== undefined && equal(spec, old.spec)) return weights;
  return [
    ...weights,
    ...nameErrors(metadata, dns1035LabelErrors),
    ...serviceSpecErrors(spec),
    ...(old === undefined ? [] : serviceUpdateErrors(spec, old.spec)),
  ];
};

export const services = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  definition: 'io.k8s.api.core.v1.Service',
  subresources: ['status', 'proxy'],
  generationFields: [],
  columns,
  defaulted,
  validate,
  selectableFields: ({ spec }) => ({ 'spec.clusterIP': spec.clusterIP ?? '', 'spec.type': spec.type ?? '' }),
});
