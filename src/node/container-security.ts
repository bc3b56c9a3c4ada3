// A container's securityContext -> what the engine is asked to enforce, and what it is refused for.
import type { Container as ContainerTemplate, Pod } from '../resources/generated/types.js';
import type { ContainerSpec, Seccomp } from './runtime.js';

const userOf = (user: number | undefined, group: number | undefined): string | undefined => {
  if (user === undefined) return group === undefined ? undefined : `0:${group}`;
  return group === undefined ? String(user) : `${user}:${group}`;
};

/** The profile that counts, where one is named: the container's before the pod's. */
const profileOf = <Name extends 'seccompProfile' | 'appArmorProfile'>(
  pod: Pod,
  { securityContext }: ContainerTemplate,
  name: Name,
) => securityContext?.[name] ?? pod.spec.securityContext?.[name];

/** Name of the profile on the node's disk that the container wants. */
export const localSeccomp = (pod: Pod, container: ContainerTemplate): string | undefined => {
  const profile = profileOf(pod, container, 'seccompProfile');
  return profile?.type === 'Localhost' ? (profile.localhostProfile ?? '') : undefined;
};

const seccompOf = (pod: Pod, container: ContainerTemplate): Seccomp | undefined => {
  const type = profileOf(pod, container, 'seccompProfile')?.type;
  return type === 'Unconfined' || type === 'RuntimeDefault' ? { type } : undefined;
};

const appArmorOf = (pod: Pod, container: ContainerTemplate): string | undefined => {
  const profile = profileOf(pod, container, 'appArmorProfile');
  if (profile?.type === 'Unconfined') return 'unconfined';
  return profile?.type === 'Localhost' ? profile.localhostProfile : undefined;
};

const selinuxOf = (pod: Pod, { securityContext }: ContainerTemplate): readonly string[] | undefined => {
  const options = securityContext?.seLinuxOptions ?? pod.spec.securityContext?.seLinuxOptions;
  const parts = (['user', 'role', 'type', 'level'] as const).flatMap((part) =>
    options?.[part] === undefined || options[part] === '' ? [] : [`${part}:${options[part]}`],
  );
  return parts.length === 0 ? undefined : parts;
};

export const securityOf = (pod: Pod, container: ContainerTemplate): Partial<ContainerSpec> => {
  const { securityContext: own } = container;
  const shared = pod.spec.securityContext;
  const { capabilities } = own ?? {};
  const groups = [
    ...(shared?.supplementalGroups ?? []),
    ...(shared?.fsGroup === undefined ? [] : [shared.fsGroup]),
  ];
  return {
    user: userOf(own?.runAsUser ?? shared?.runAsUser, own?.runAsGroup ?? shared?.runAsGroup),
    groups: groups.length === 0 ? undefined : groups.map(String),
    privileged: own?.privileged === true ? true : undefined,
    readOnlyRoot: own?.readOnlyRootFilesystem === true ? true : undefined,
    noNewPrivileges: own?.allowPrivilegeEscalation === false ? true : undefined,
    capabilities: capabilities && { add: capabilities.add ?? [], drop: capabilities.drop ?? [] },
    seccomp: seccompOf(pod, container),
    appArmor: appArmorOf(pod, container),
    selinux: selinuxOf(pod, container),
    unmaskedProc: own?.procMount === 'Unmasked' ? true : undefined,
  };
};

/** Why a container may not run by its securityContext; undefined when it may. */
export const refusedUser = (
  pod: Pod,
  { securityContext: own, name }: ContainerTemplate,
  imageUser: string,
): string | undefined => {
  const shared = pod.spec.securityContext;
  if ((own?.runAsNonRoot ?? shared?.runAsNonRoot) !== true) return undefined;
  const user = own?.runAsUser ?? shared?.runAsUser;
  const subject = `(pod: "${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid})", container: ${name})`;
  if (user !== undefined)
    return user === 0 ? `container's runAsUser breaks non-root policy ${subject}` : undefined;
  const [first = ''] = imageUser.split(':');
  if (first === '' || first === '0' || first === 'root')
    return `container has runAsNonRoot and image will run as root ${subject}`;
  return /^\d+$/.test(first)
    ? undefined
    : `container has runAsNonRoot and image has non-numeric user (${first}), cannot verify user is non-root ${subject}`;
};
