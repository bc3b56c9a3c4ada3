// Rules about containers and init containers.
import type { FieldError } from '../../base/errors.js';
import { child, item } from '../field-path.js';
import type { Container, ContainerPort, PodSpec, SecurityContext } from '../generated/types.js';
import { allInvalid, duplicate, forbidden, invalid, oneOf, required } from '../validation/field-errors.js';
import { dnsLabelErrors, ipErrors, portNameErrors, portNumberErrors } from '../validation/names.js';
import { environmentErrors } from './validate-environment.js';
import { probesErrors } from './validate-probe.js';
import { resourceErrors } from './validate-resources.js';
import { mountsErrors } from './validate-volume.js';

export const protocols = ['SCTP', 'TCP', 'UDP'];

const portErrors = (field: string, port: ContainerPort, hostNetwork: boolean): readonly FieldError[] => {
  const { name = '', containerPort, hostPort = 0, hostIP = '', protocol } = port;
  const range = (at: string, number: number): readonly FieldError[] =>
    portNumberErrors(number).map((why) => invalid(child(field, at), number, why));
  return [
    ...(name === '' ? [] : allInvalid(child(field, 'name'), name, portNameErrors(name))),
    ...(containerPort === 0
      ? [required(child(field, 'containerPort'))]
      : range('containerPort', containerPort)),
    ...(hostPort === 0 ? [] : range('hostPort', hostPort)),
    ...(hostNetwork && hostPort !== 0 && hostPort !== containerPort
      ? [
          invalid(
            child(field, 'containerPort'),
            containerPort,
            'must match `hostPort` when `hostNetwork` is true',
          ),
        ]
      : []),
    ...(hostIP === '' ? [] : allInvalid(child(field, 'hostIP'), hostIP, ipErrors(hostIP))),
    ...oneOf(child(field, 'protocol'), protocol, protocols),
  ];
};

const portsErrors = (
  field: string,
  { ports = [] }: Container,
  hostNetwork: boolean,
): readonly FieldError[] => {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const at = item(field, index);
    const { name = '' } = port;
    const taken = name !== '' && names.has(name);
    names.add(name);
    return [...portErrors(at, port, hostNetwork), ...(taken ? [duplicate(child(at, 'name'), name)] : [])];
  });
};

const id = (field: string, value: number | undefined): readonly FieldError[] =>
  value !== undefined && (value < 0 || value > 2147483647)
    ? [invalid(field, value, 'must be between 0 and 2147483647, inclusive')]
    : [];

/** Of a pod or of a container. */
export const identityErrors = (
  field: string,
  context: Pick<SecurityContext, 'runAsUser' | 'runAsGroup'> | undefined,
): readonly FieldError[] => [
  ...id(child(field, 'runAsUser'), context?.runAsUser),
  ...id(child(field, 'runAsGroup'), context?.runAsGroup),
];

const securityErrors = (field: string, context: SecurityContext | undefined): readonly FieldError[] => {
  if (context === undefined) return [];
  const escalation = child(field, 'allowPrivilegeEscalation');
  const admin = (context.capabilities?.add ?? []).some((name) =>
    ['SYS_ADMIN', 'CAP_SYS_ADMIN'].includes(name),
  );
  return [
    ...identityErrors(field, context),
    ...(context.allowPrivilegeEscalation === false && context.privileged === true
      ? [
          invalid(
            escalation,
            false,
            'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
          ),
        ]
      : []),
    ...(context.allowPrivilegeEscalation === false && admin
      ? [
          invalid(
            escalation,
            false,
            'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
          ),
        ]
      : []),
  ];
};

interface Surroundings {
  readonly hostNetwork: boolean;
  readonly volumes: ReadonlySet<string>;
}

const containerErrors = (
  field: string,
  container: Container,
  around: Surroundings,
): readonly FieldError[] => {
  const { name, image = '' } = container;
  return [
    ...(name === ''
      ? [required(child(field, 'name'))]
      : allInvalid(child(field, 'name'), name, dnsLabelErrors(name))),
    ...(image === ''
      ? [required(child(field, 'image'))]
      : image === image.trim()
        ? []
        : [invalid(child(field, 'image'), image, 'must not have leading or trailing whitespace')]),
    ...oneOf(child(field, 'imagePullPolicy'), container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']),
    ...oneOf(child(field, 'terminationMessagePolicy'), container.terminationMessagePolicy, [
      'FallbackToLogsOnError',
      'File',
    ]),
    ...portsErrors(child(field, 'ports'), container, around.hostNetwork),
    ...environmentErrors(field, container),
    ...mountsErrors(child(field, 'volumeMounts'), container, around.volumes),
    ...probesErrors(field, container),
    ...resourceErrors(child(field, 'resources'), container.resources),
    ...securityErrors(child(field, 'securityContext'), container.securityContext),
  ];
};

const onlySidecars = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

const initErrors = (field: string, container: Container): readonly FieldError[] => [
  ...oneOf(child(field, 'restartPolicy'), container.restartPolicy, ['Always']),
  ...(container.restartPolicy === 'Always'
    ? []
    : onlySidecars
        .filter((member) => container[member] !== undefined)
        .map((member) =>
          forbidden(child(field, member), 'may not be set for init containers without restartPolicy=Always'),
        )),
];

/** Host ports collide whatever the container; init containers without restart come and go, so theirs do not count. */
const hostPortErrors = (
  field: string,
  containers: readonly Container[],
  taken: Set<string>,
): readonly FieldError[] =>
  containers.flatMap(({ ports = [] }, index) =>
    ports.flatMap(({ hostPort = 0, hostIP = '', protocol = 'TCP' }, position) => {
      if (hostPort === 0) return [];
      const key = `${protocol}/${hostIP}/${String(hostPort)}`;
      if (taken.has(key))
        return [duplicate(`${field}[${String(index)}].ports[${String(position)}].hostPort`, key)];
      taken.add(key);
      return [];
    }),
  );

export const containersErrors = (field: string, spec: PodSpec): readonly FieldError[] => {
  const { containers, initContainers = [] } = spec;
  const around: Surroundings = {
    hostNetwork: spec.hostNetwork === true,
    volumes: new Set((spec.volumes ?? []).map(({ name }) => name)),
  };
  const names = new Set<string>();
  const unique = (at: string, { name }: Container): readonly FieldError[] => {
    if (name !== '' && names.has(name)) return [duplicate(child(at, 'name'), name)];
    names.add(name);
    return [];
  };
  const inContainers = child(field, 'containers');
  const inInit = child(field, 'initContainers');
  return [
    ...(containers.length === 0 ? [required(inContainers)] : []),
    ...containers.flatMap((container, index) => {
      const at = item(inContainers, index);
      return [
        ...containerErrors(at, container, around),
        ...unique(at, container),
        ...(container.restartPolicy === undefined
          ? []
          : [forbidden(child(at, 'restartPolicy'), 'may not be set for non-init containers')]),
      ];
    }),
    ...initContainers.flatMap((container, index) => {
      const at = item(inInit, index);
      return [
        ...containerErrors(at, container, around),
        ...unique(at, container),
        ...initErrors(at, container),
      ];
    }),
    ...hostPortErrors(inContainers, containers, new Set()),
  ];
};
