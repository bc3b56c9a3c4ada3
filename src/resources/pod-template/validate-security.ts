// Rules about profiles and kernel parameters of pods and containers.
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type {
  AppArmorProfile,
  Container,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from '../generated/types.js';
import { forbidden, invalid, oneOf, required } from '../validation/field-errors.js';

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];

const profileErrors = (
  field: string,
  profile: SeccompProfile | AppArmorProfile | undefined,
): readonly FieldError[] => {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const at = child(field, 'localhostProfile');
  return [
    ...oneOf(child(field, 'type'), type, profileTypes),
    ...(type === 'Localhost' && (localhostProfile ?? '') === ''
      ? [required(at, 'must be set when the type is Localhost')]
      : []),
    ...(type !== 'Localhost' && localhostProfile !== undefined
      ? [invalid(at, localhostProfile, 'can only be set when the type is Localhost')]
      : []),
    ...(type === 'Localhost' && (localhostProfile ?? '').split('/').includes('..')
      ? [invalid(at, localhostProfile, "must not contain '..'")]
      : []),
  ];
};

/** Own to each pod's namespaces, and harmless to the others: what every kubelet allows. */
const safeSysctls: ReadonlySet<string> = new Set([
  ...['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies'],
  ...['net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ip_local_reserved_ports'],
  ...['net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl'],
  ...['net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'],
]);

const sysctlErrors = (
  field: string,
  { securityContext, hostNetwork, hostIPC }: PodSpec,
): readonly FieldError[] =>
  (securityContext?.sysctls ?? []).flatMap(({ name }, index) => {
    const at = child(item(child(field, 'securityContext.sysctls'), index), 'name');
    const plain = name.replaceAll('/', '.');
    if (name === '') return [required(at)];
    if (hostNetwork === true && plain.startsWith('net.'))
      return [invalid(at, name, "may not be specified when 'hostNetwork' is true")];
    if (hostIPC === true && plain.startsWith('kernel.shm'))
      return [invalid(at, name, "may not be specified when 'hostIPC' is true")];
    return safeSysctls.has(plain)
      ? []
      : [forbidden(at, `${name} would reach beyond the pod: allowed are ${[...safeSysctls].join(', ')}`)];
  });

const containerErrors = (field: string, context: SecurityContext | undefined): readonly FieldError[] => [
  ...profileErrors(child(field, 'seccompProfile'), context?.seccompProfile),
  ...profileErrors(child(field, 'appArmorProfile'), context?.appArmorProfile),
  ...oneOf(child(field, 'procMount'), context?.procMount, ['Default', 'Unmasked']),
];

/** `field` is the path of the spec. */
export const profilesErrors = (field: string, spec: PodSpec): readonly FieldError[] => {
  const { securityContext: shared } = spec;
  const at = child(field, 'securityContext');
  const own = (list: 'containers' | 'initContainers'): readonly FieldError[] =>
    (spec[list] ?? []).flatMap(({ securityContext }: Container, index) =>
      containerErrors(child(item(child(field, list), index), 'securityContext'), securityContext),
    );
  return [
    ...profileErrors(child(at, 'seccompProfile'), shared?.seccompProfile),
    ...profileErrors(child(at, 'appArmorProfile'), shared?.appArmorProfile),
    ...oneOf(child(at, 'fsGroupChangePolicy'), shared?.fsGroupChangePolicy, ['Always', 'OnRootMismatch']),
    ...oneOf(child(at, 'supplementalGroupsPolicy'), shared?.supplementalGroupsPolicy, ['Merge', 'Strict']),
    ...sysctlErrors(field, spec),
    ...own('containers'),
    ...own('initContainers'),
    ...(spec.shareProcessNamespace === true && spec.hostPID === true
      ? [
          invalid(
            child(field, 'shareProcessNamespace'),
            true,
            'ShareProcessNamespace and HostPID cannot both be enabled',
          ),
        ]
      : []),
  ];
};
