// The Pod Security Standards: what keeps a pod from being baseline or restricted, in the words of Kubernetes.
// Follows kubernetes `staging/src/k8s.io/pod-security-admission/policy`.
import type { Container, PodSpec, SecurityContext, Volume } from '../generated/types.js';
import type { StringMap } from '../resource.js';

export type SecurityLevel = 'privileged' | 'baseline' | 'restricted';

export interface SecuredPod {
  readonly annotations: StringMap | undefined;
  readonly spec: PodSpec;
}

interface Check {
  readonly level: 'baseline' | 'restricted';
  /** Minor version of Kubernetes 1 since which it is part of the standard. */
  readonly since: number;
  /** What is wrong, such as `privileged (container "a" must not set …)`. */
  violation(pod: SecuredPod): string | undefined;
}

const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ');

const named = (what: string, names: readonly string[]): string =>
  `${what}${names.length === 1 ? '' : 's'} ${quoted(names)}`;

/** Everything in the pod that is started as a container. */
const containersOf = ({
  spec,
}: SecuredPod): readonly Pick<Container, 'name' | 'securityContext' | 'ports'>[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...(spec.ephemeralContainers ?? []),
];

const isWindows = ({ spec }: SecuredPod): boolean => spec.os?.name === 'windows';

const offenders = (
  pod: SecuredPod,
  isWrong: (context: SecurityContext | undefined) => boolean,
): readonly string[] =>
  containersOf(pod).flatMap(({ name, securityContext }) => (isWrong(securityContext) ? [name] : []));

/** `pod or containers "a", "b" must …`: who sets it, or leaves it open. */
const whoMust = (podToo: boolean, names: readonly string[]): string =>
  [...(podToo ? ['pod'] : []), ...(names.length === 0 ? [] : [named('container', names)])].join(' or ');

const containerCheck =
  (title: string, must: string, isWrong: (context: SecurityContext | undefined) => boolean) =>
  (pod: SecuredPod): string | undefined => {
    const names = offenders(pod, isWrong);
    return names.length === 0 ? undefined : `${title} (${named('container', names)} ${must})`;
  };

const defaultCapabilities: ReadonlySet<string> = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  ),
);

const capabilities =
  (title: string, allowed: ReadonlySet<string>, dropAll: boolean) =>
  (pod: SecuredPod): string | undefined => {
    if (dropAll && isWindows(pod)) return undefined;
    const undropped = dropAll
      ? offenders(pod, (context) => context?.capabilities?.drop?.includes('ALL') !== true)
      : [];
    const added = new Set<string>();
    const adding = offenders(pod, (context) => {
      const forbidden = (context?.capabilities?.add ?? []).filter((capability) => !allowed.has(capability));
      forbidden.forEach((capability) => added.add(capability));
      return forbidden.length > 0;
    });
    const parts = [
      ...(undropped.length === 0
        ? []
        : [`${named('container', undropped)} must set securityContext.capabilities.drop=["ALL"]`]),
      ...(adding.length === 0
        ? []
        : [
            `${named('container', adding)} must not include ${quoted([...added].sort())} in securityContext.capabilities.add`,
          ]),
    ];
    return parts.length === 0 ? undefined : `${title} (${parts.join('; ')})`;
  };

const hostNamespaces = ({ spec }: SecuredPod): string | undefined => {
  const found = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((name) => spec[name] === true);
  return found.length === 0
    ? undefined
    : `host namespaces (${found.map((name) => `${name}=true`).join(', ')})`;
};

const hostPaths = ({ spec }: SecuredPod): string | undefined => {
  const names = (spec.volumes ?? []).flatMap(({ name, hostPath }) => (hostPath === undefined ? [] : [name]));
  return names.length === 0 ? undefined : `hostPath volumes (${named('volume', names)})`;
};

const hostPorts = (pod: SecuredPod): string | undefined => {
  const ports = new Set<number>();
  const names = containersOf(pod).flatMap(({ name, ports: own = [] }) => {
    const used = own.map(({ hostPort = 0 }) => hostPort).filter((port) => port !== 0);
    used.forEach((port) => ports.add(port));
    return used.length === 0 ? [] : [name];
  });
  if (names.length === 0) return undefined;
  const list = [...ports].sort((a, b) => a - b);
  return `hostPort (${named('container', names)} ${names.length === 1 ? 'uses' : 'use'} ${list.length === 1 ? 'hostPort' : 'hostPorts'} ${list.join(', ')})`;
};

const seLinuxTypes: ReadonlySet<string> = new Set([
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]);

const isForbiddenSeLinux = (context: Pick<SecurityContext, 'seLinuxOptions'> | undefined): boolean => {
  const options = context?.seLinuxOptions;
  return (
    options !== undefined &&
    (!seLinuxTypes.has(options.type ?? '') || (options.user ?? '') !== '' || (options.role ?? '') !== '')
  );
};

const seLinux = (pod: SecuredPod): string | undefined => {
  const podToo = isForbiddenSeLinux(pod.spec.securityContext);
  const names = offenders(pod, isForbiddenSeLinux);
  return podToo || names.length > 0
    ? `seLinuxOptions (${whoMust(podToo, names).replace(' or ', ' and ')} set forbidden securityContext.seLinuxOptions)`
    : undefined;
};

const isUnconfined = (context: Pick<SecurityContext, 'seccompProfile'> | undefined): boolean =>
  context?.seccompProfile?.type === 'Unconfined';

const seccompBaseline = (pod: SecuredPod): string | undefined => {
  const podToo = isUnconfined(pod.spec.securityContext);
  const names = offenders(pod, isUnconfined);
  return podToo || names.length > 0
    ? `seccompProfile (${whoMust(podToo, names)} must not set securityContext.seccompProfile.type to "Unconfined")`
    : undefined;
};

const isConfined = (context: Pick<SecurityContext, 'seccompProfile'> | undefined): boolean | undefined => {
  const type = context?.seccompProfile?.type;
  return type === undefined ? undefined : type === 'RuntimeDefault' || type === 'Localhost';
};

const seccompRestricted = (pod: SecuredPod): string | undefined => {
  if (isWindows(pod)) return undefined;
  const own = isConfined(pod.spec.securityContext);
  const wrong = offenders(pod, (context) => isConfined(context) === false);
  const open = own === true ? [] : offenders(pod, (context) => isConfined(context) === undefined);
  if (own === false || wrong.length > 0)
    return `seccompProfile (${whoMust(own === false, wrong)} must not set securityContext.seccompProfile.type to "Unconfined")`;
  return open.length === 0
    ? undefined
    : `seccompProfile (pod or ${named('container', open)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`;
};

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';

const isForbiddenAppArmor = (context: Pick<SecurityContext, 'appArmorProfile'> | undefined): boolean =>
  context?.appArmorProfile?.type === 'Unconfined';

const appArmor = (pod: SecuredPod): string | undefined => {
  const podToo = isForbiddenAppArmor(pod.spec.securityContext);
  const names = offenders(pod, isForbiddenAppArmor);
  const annotated = Object.entries(pod.annotations ?? {})
    .filter(([key, value]) => key.startsWith(appArmorPrefix) && value === 'unconfined')
    .map(([key]) => key.slice(appArmorPrefix.length));
  const all = [...new Set([...names, ...annotated])];
  return podToo || all.length > 0
    ? `forbidden AppArmor profile (${whoMust(podToo, all)} must not set AppArmor profile type to "Unconfined")`
    : undefined;
};

const safeSysctls: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

const sysctls = ({ spec }: SecuredPod): string | undefined => {
  const found = (spec.securityContext?.sysctls ?? [])
    .map(({ name }) => name)
    .filter((name) => !safeSysctls.has(name));
  return found.length === 0 ? undefined : `forbidden sysctls (${found.join(', ')})`;
};

const allowedVolumes: ReadonlySet<string> = new Set(
  'configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret image'.split(' '),
);

const volumeType = (volume: Volume): string =>
  Object.keys(volume).find((key) => key !== 'name') ?? 'emptyDir';

const volumeTypes = ({ spec }: SecuredPod): string | undefined => {
  const found = (spec.volumes ?? []).filter((volume) => !allowedVolumes.has(volumeType(volume)));
  if (found.length === 0) return undefined;
  const kinds = [...new Set(found.map(volumeType))].sort();
  return `restricted volume types (${named(
    'volume',
    found.map(({ name }) => name),
  )} ${found.length === 1 ? 'uses' : 'use'} restricted volume type${kinds.length === 1 ? '' : 's'} ${quoted(kinds)})`;
};

const runAsNonRoot = (pod: SecuredPod): string | undefined => {
  const own = pod.spec.securityContext?.runAsNonRoot;
  const wrong = offenders(pod, (context) => context?.runAsNonRoot === false);
  if (own === false || wrong.length > 0) {
    const podToo = own === false && wrong.length === 0;
    return `runAsNonRoot != true (${whoMust(podToo, wrong)} must not set securityContext.runAsNonRoot=false)`;
  }
  const open = own === true ? [] : offenders(pod, (context) => context?.runAsNonRoot === undefined);
  return open.length === 0
    ? undefined
    : `runAsNonRoot != true (pod or ${named('container', open)} must set securityContext.runAsNonRoot=true)`;
};

const runAsUser = (pod: SecuredPod): string | undefined => {
  const podToo = pod.spec.securityContext?.runAsUser === 0;
  const names = offenders(pod, (context) => context?.runAsUser === 0);
  return podToo || names.length > 0
    ? `runAsUser=0 (${whoMust(podToo, names)} must not set runAsUser=0)`
    : undefined;
};

const privilegeEscalation = containerCheck(
  'allowPrivilegeEscalation != false',
  'must set securityContext.allowPrivilegeEscalation=false',
  (context) => context?.allowPrivilegeEscalation !== false,
);

const checks: readonly Check[] = [
  { level: 'baseline', since: 0, violation: hostNamespaces },
  {
    level: 'baseline',
    since: 0,
    violation: containerCheck(
      'hostProcess',
      'must not set securityContext.windowsOptions.hostProcess=true',
      (context) => context?.windowsOptions?.hostProcess === true,
    ),
  },
  {
    level: 'baseline',
    since: 0,
    violation: containerCheck(
      'privileged',
      'must not set securityContext.privileged=true',
      (context) => context?.privileged === true,
    ),
  },
  {
    level: 'baseline',
    since: 0,
    violation: capabilities('non-default capabilities', defaultCapabilities, false),
  },
  { level: 'baseline', since: 0, violation: hostPaths },
  { level: 'baseline', since: 0, violation: hostPorts },
  { level: 'baseline', since: 0, violation: appArmor },
  { level: 'baseline', since: 0, violation: seLinux },
  {
    level: 'baseline',
    since: 0,
    violation: containerCheck(
      'procMount',
      'must not set securityContext.procMount to "Unmasked"',
      (context) => (context?.procMount ?? 'Default') !== 'Default',
    ),
  },
  { level: 'baseline', since: 19, violation: seccompBaseline },
  { level: 'baseline', since: 0, violation: sysctls },
  { level: 'restricted', since: 0, violation: volumeTypes },
  {
    level: 'restricted',
    since: 8,
    violation: (pod) => (isWindows(pod) ? undefined : privilegeEscalation(pod)),
  },
  {
    level: 'restricted',
    since: 22,
    violation: capabilities('unrestricted capabilities', new Set(['NET_BIND_SERVICE']), true),
  },
  { level: 'restricted', since: 0, violation: runAsNonRoot },
  { level: 'restricted', since: 23, violation: runAsUser },
  { level: 'restricted', since: 19, violation: seccompRestricted },
];

/** `minor`: of the Kubernetes version whose standard counts; Infinity for the latest. Restricted pods are baseline too. */
export const securityViolations = (
  pod: SecuredPod,
  { level, minor }: { readonly level: SecurityLevel; readonly minor: number },
): readonly string[] => {
  if (level === 'privileged') return [];
  return (
    checks
      .filter((check) => check.since <= minor && (level === 'restricted' || check.level === 'baseline'))
      // The restricted check of the same thing says more.
      .filter(({ violation }) => !(level === 'restricted' && violation === seccompBaseline && minor >= 19))
      .flatMap(({ violation }) => violation(pod) ?? [])
  );
};
