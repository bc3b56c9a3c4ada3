// What makes a Service valid (Kubernetes' pkg/apis/core/validation `ValidateService`).
import type { FieldError } from '../base/errors.js';
import { child, item } from './field-path.js';
import type { Service } from './generated/types.js';
import { protocols } from './pod-template/validate-container.js';
import { portErrors as targetPortErrors } from './pod-template/validate-probe.js';
import {
  allInvalid,
  duplicate,
  duplicates,
  forbidden,
  invalid,
  oneOf,
  required,
} from './validation/field-errors.js';
import { labelErrors } from './validation/metadata.js';
import {
  dnsLabelErrors,
  dnsSubdomainErrors,
  ipErrors,
  ipFamilyOf,
  portNumberErrors,
} from './validation/names.js';

type Spec = Service['spec'];
type Port = NonNullable<Spec['ports']>[number];

/** Has no address of its own: its name resolves to its pods. */
export const isHeadless = ({ clusterIP }: Pick<Spec, 'clusterIP'>): boolean => clusterIP === 'None';

const hasNodePorts = ({ type }: Spec): boolean => type === 'NodePort' || type === 'LoadBalancer';

const portErrors = (
  field: string,
  port: Port,
  { several, spec }: { several: boolean; spec: Spec },
): readonly FieldError[] => {
  const { name = '', port: number, targetPort, protocol, nodePort = 0 } = port;
  return [
    ...(name === ''
      ? several
        ? [required(child(field, 'name'))]
        : []
      : allInvalid(child(field, 'name'), name, dnsLabelErrors(name))),
    ...portNumberErrors(number).map((why) => invalid(child(field, 'port'), number, why)),
    ...oneOf(child(field, 'protocol'), protocol, protocols),
    ...(targetPort === undefined ? [] : targetPortErrors(child(field, 'targetPort'), targetPort)),
    ...(nodePort !== 0 && !hasNodePorts(spec)
      ? [
          forbidden(
            child(field, 'nodePort'),
            `may not be used when \`type\` is '${spec.type ?? 'ClusterIP'}'`,
          ),
        ]
      : []),
    ...(nodePort !== 0 && (nodePort < 1 || nodePort > 65535)
      ? portNumberErrors(nodePort).map((why) => invalid(child(field, 'nodePort'), nodePort, why))
      : []),
  ];
};

const portsErrors = (field: string, spec: Spec): readonly FieldError[] => {
  const { ports = [] } = spec;
  const pairs = new Set<string>();
  const nodePorts = new Set<string>();
  const several = ports.length > 1;
  return [
    ...(ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName' ? [required(field)] : []),
    ...ports.flatMap((port, index) => {
      const at = item(field, index);
      const { port: number, protocol = 'TCP', nodePort = 0 } = port;
      const pair = `${protocol}/${String(number)}`;
      const node = `${protocol}/${String(nodePort)}`;
      const errors = [
        ...portErrors(at, port, { several, spec }),
        ...(pairs.has(pair) ? [duplicate(at, { port: number, protocol })] : []),
        ...(nodePort !== 0 && nodePorts.has(node) ? [duplicate(child(at, 'nodePort'), nodePort)] : []),
      ];
      pairs.add(pair);
      nodePorts.add(node);
      return errors;
    }),
    ...duplicates(
      ports,
      ({ name }) => name,
      (index) => child(item(field, index), 'name'),
    ),
  ];
};

const clusterIpErrors = (field: string, ip: string, count: number): readonly FieldError[] => {
  if (ip === 'None') return count > 1 ? [invalid(field, ip, "'None' must be the first and only value")] : [];
  return ipFamilyOf(ip) === undefined
    ? [invalid(field, ip, "must be empty, 'None', or a valid IP address")]
    : [];
};

const addressErrors = (spec: Spec): readonly FieldError[] => {
  const { type, clusterIPs = [], externalIPs = [] } = spec;
  const field = 'spec.clusterIPs';
  if (type === 'ExternalName')
    return (spec.clusterIP ?? '') === ''
      ? []
      : [forbidden(field, 'may not be set for ExternalName services')];
  const [primary] = clusterIPs;
  return [
    ...(isHeadless(spec) && hasNodePorts(spec)
      ? [invalid(item(field, 0), primary ?? 'None', `may not be set to 'None' for ${type ?? ''} services`)]
      : []),
    ...(primary !== undefined && spec.clusterIP !== undefined && spec.clusterIP !== primary
      ? [invalid(field, clusterIPs, 'first value must match `clusterIP`')]
      : []),
    ...clusterIPs.flatMap((ip, index) => clusterIpErrors(item(field, index), ip, clusterIPs.length)),
    ...externalIPs.flatMap((ip, index) => allInvalid(item('spec.externalIPs', index), ip, ipErrors(ip))),
  ];
};

const maxAffinitySeconds = 86_400;

const policyErrors = (spec: Spec): readonly FieldError[] => {
  const { sessionAffinity, sessionAffinityConfig, externalTrafficPolicy, internalTrafficPolicy } = spec;
  const timeout = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  return [
    ...oneOf('spec.sessionAffinity', sessionAffinity, ['ClientIP', 'None']),
    ...(sessionAffinity === 'None' && sessionAffinityConfig !== undefined
      ? [forbidden('spec.sessionAffinityConfig', 'must not be set when session affinity is None')]
      : []),
    ...(timeout !== undefined && (timeout <= 0 || timeout > maxAffinitySeconds)
      ? [
          invalid(
            'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
            timeout,
            `must be greater than 0 and less than ${maxAffinitySeconds}`,
          ),
        ]
      : []),
    ...oneOf('spec.internalTrafficPolicy', internalTrafficPolicy, ['Cluster', 'Local']),
    ...oneOf('spec.externalTrafficPolicy', externalTrafficPolicy, ['Cluster', 'Local']),
    ...(externalTrafficPolicy !== undefined && !hasNodePorts(spec) && (spec.externalIPs ?? []).length === 0
      ? [
          invalid(
            'spec.externalTrafficPolicy',
            externalTrafficPolicy,
            'may only be set for externally-accessible services',
          ),
        ]
      : []),
  ];
};

const externalNameErrors = ({ type, externalName = '' }: Spec): readonly FieldError[] => {
  if (type !== 'ExternalName') return [];
  const name = externalName.replace(/\.$/, '');
  return name === ''
    ? [required('spec.externalName')]
    : allInvalid('spec.externalName', externalName, dnsSubdomainErrors(name));
};

export const serviceSpecErrors = (spec: Spec): readonly FieldError[] => [
  ...portsErrors('spec.ports', spec),
  ...labelErrors('spec.selector', spec.selector),
  ...oneOf('spec.type', spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']),
  ...policyErrors(spec),
  ...addressErrors(spec),
  ...externalNameErrors(spec),
  ...oneOf('spec.ipFamilyPolicy', spec.ipFamilyPolicy, [
    'SingleStack',
    'PreferDualStack',
    'RequireDualStack',
  ]),
  ...(spec.ipFamilies ?? []).flatMap((family, index) =>
    oneOf(item('spec.ipFamilies', index), family, ['IPv4', 'IPv6']),
  ),
];

/** An address, once given, stays until the service stops needing one. */
export const serviceUpdateErrors = (spec: Spec, old: Spec): readonly FieldError[] => {
  const [before = '', after = ''] = [old.clusterIP, spec.clusterIP];
  if (before === '' || spec.type === 'ExternalName' || old.type === 'ExternalName') return [];
  const field = item('spec.clusterIPs', 0);
  if (after === '') return [invalid(field, spec.clusterIPs ?? [], 'primary clusterIP can not be unset')];
  return after === before ? [] : [invalid(field, spec.clusterIPs ?? [after], 'may not change once set')];
};
