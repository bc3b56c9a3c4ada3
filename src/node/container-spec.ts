// A pod's container -> what the engine is asked to make.
import type { Container as ContainerTemplate, Pod, VolumeMount } from '../resources/generated/types.js';
import { amountsOf, qosClassOf } from '../resources/pod-resources.js';
import { securityOf } from './container-security.js';
import { expand } from './environment.js';
import { label } from './labels.js';
import type { ContainerSpec, Device, HostPort, Mount, NetworkSpec, Seccomp } from './runtime.js';

const smallestShares = 2;
const nameLimit = 63;

/** Kubernetes' scores: the less a pod was promised, the earlier its processes are killed when memory runs out. */
const oomScore = (pod: Pod, container: ContainerTemplate, nodeMemory: number): number => {
  const qos = qosClassOf(pod.spec);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort' || nodeMemory <= 0) return 1000;
  const request = amountsOf(container.resources?.requests)['memory'] ?? 0;
  return Math.max(3, Math.min(999, 1000 - Math.floor((1000 * request) / nodeMemory)));
};

const resourcesOf = (pod: Pod, container: ContainerTemplate, nodeMemory: number): Partial<ContainerSpec> => {
  const requests = amountsOf(container.resources?.requests);
  const limits = amountsOf(container.resources?.limits);
  const cpu = requests['cpu'] ?? limits['cpu'] ?? 0;
  return {
    cpuShares: Math.max(smallestShares, Math.floor((cpu * 1024) / 1000)),
    cpuMillis: limits['cpu'],
    memoryBytes: limits['memory'],
    oomScoreAdjust: oomScore(pod, container, nodeMemory),
  };
};

const podLabels = ({ metadata }: Pod): Readonly<Record<string, string>> => ({
  [label.podNamespace]: metadata.namespace ?? '',
  [label.podName]: metadata.name,
  [label.podUid]: metadata.uid,
});

/** Of a host name, the kernel takes 63 characters; a longer full name is refused where the pod is made. */
export const hostnameOf = ({ metadata, spec }: Pod): string => {
  const { hostname, hostnameOverride, subdomain, setHostnameAsFQDN } = spec;
  if (hostnameOverride !== undefined) return hostnameOverride;
  const short = (hostname ?? metadata.name).slice(0, nameLimit).replace(/[-.]+$/, '');
  return setHostnameAsFQDN === true && subdomain !== undefined && subdomain !== ''
    ? `${short}.${subdomain}.${metadata.namespace ?? ''}.svc.cluster.local`
    : short;
};

const objectName = (pod: Pod, container: string, attempt: number): string =>
  `capstan_${container}_${pod.metadata.name}_${pod.metadata.namespace ?? ''}_${pod.metadata.uid}_${attempt}`;

const hostPortsOf = (pod: Pod): readonly HostPort[] =>
  [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ containerPort, hostPort, hostIP, protocol }) =>
      hostPort === undefined || hostPort === 0
        ? []
        : [{ containerPort, hostPort, hostIP, protocol: (protocol ?? 'TCP') as HostPort['protocol'] }],
    ),
  );

export interface SandboxPlace {
  readonly address: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly runtimeHandler?: string | undefined;
}

const sysctlsOf = ({ spec }: Pod): ContainerSpec['sysctls'] => {
  const sysctls = spec.securityContext?.sysctls ?? [];
  return sysctls.length === 0
    ? undefined
    : Object.fromEntries(sysctls.map(({ name, value }) => [name.replaceAll('/', '.'), value]));
};

export const sandboxSpec = (pod: Pod, attempt: number, place: SandboxPlace): ContainerSpec => ({
  name: objectName(pod, 'sandbox', attempt),
  image: '',
  labels: {
    ...podLabels(pod),
    [label.kind]: 'sandbox',
    [label.attempt]: String(attempt),
    [label.address]: place.address,
  },
  annotations: pod.metadata.annotations,
  network: { type: 'pod', ...place, hostname: hostnameOf(pod), hostPorts: hostPortsOf(pod) },
  sysctls: sysctlsOf(pod),
  runtimeHandler: place.runtimeHandler,
  environment: {},
  mounts: [],
  cpuShares: smallestShares,
  oomScoreAdjust: -998,
});

export interface StartRequest {
  readonly container: ContainerTemplate;
  readonly attempt: number;
  readonly crashes: number;
  readonly specHash: string;
  /** Undefined in the host's network. */
  readonly sandboxId: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly devices?: readonly Device[] | undefined;
  /** Of a profile on the node's disk; the others follow from the pod. */
  readonly seccomp?: Seccomp | undefined;
  readonly runtimeHandler?: string | undefined;
  /** Id of the container whose processes it joins. */
  readonly joinProcesses?: string | undefined;
  /** Bytes of memory that the node has. */
  readonly nodeMemory: number;
}

const propagation: Readonly<Record<string, Mount['propagation']>> = {
  None: 'rprivate',
  HostToContainer: 'rslave',
  Bidirectional: 'rshared',
};

export const mountOf = (mount: VolumeMount, hostPath: string, readOnly: boolean): Mount => ({
  hostPath,
  containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
  readOnly: readOnly || mount.readOnly === true,
  propagation: mount.mountPropagation === undefined ? undefined : propagation[mount.mountPropagation],
});

/** `command` and `args` with `$(NAME)` filled in; an empty list counts as none. */
const expanded = (
  words: readonly string[] | undefined,
  environment: Readonly<Record<string, string>>,
): readonly string[] | undefined =>
  words === undefined || words.length === 0 ? undefined : words.map((word) => expand(word, environment));

export const containerSpec = (pod: Pod, request: StartRequest): ContainerSpec => {
  const { container, attempt, crashes, specHash, sandboxId, environment, mounts } = request;
  const network: NetworkSpec =
    sandboxId === undefined ? { type: 'host' } : { type: 'join', sandbox: sandboxId };
  return {
    name: objectName(pod, container.name, attempt),
    image: container.image ?? '',
    labels: {
      ...podLabels(pod),
      [label.kind]: 'container',
      [label.container]: container.name,
      [label.attempt]: String(attempt),
      [label.crashes]: String(crashes),
      [label.specHash]: specHash,
      [label.graceSeconds]: String(pod.spec.terminationGracePeriodSeconds ?? 30),
      ...(sandboxId === undefined ? {} : { [label.sandbox]: sandboxId }),
    },
    annotations: pod.metadata.annotations,
    network,
    command: expanded(container.command, environment),
    args: expanded(container.args, environment),
    workingDir: container.workingDir === '' ? undefined : container.workingDir,
    environment,
    mounts,
    tty: container.tty,
    stdin: container.stdin,
    stdinOnce: container.stdinOnce,
    ...resourcesOf(pod, container, request.nodeMemory),
    ...securityOf(pod, container),
    ...(request.seccomp === undefined ? {} : { seccomp: request.seccomp }),
    devices: request.devices,
    runtimeHandler: request.runtimeHandler,
    stopSignal: container.lifecycle?.stopSignal,
    joinProcesses: request.joinProcesses,
    shareProcesses: pod.spec.shareProcessNamespace === true && sandboxId !== undefined ? true : undefined,
    hostPID: pod.spec.hostPID === true ? true : undefined,
    hostIPC: pod.spec.hostIPC === true ? true : undefined,
  };
};
