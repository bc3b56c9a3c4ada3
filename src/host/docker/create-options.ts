// ContainerSpec -> the body of the engine's create request.
import type Docker from 'dockerode';
import { label } from '../../node/labels.js';
import type { ContainerSpec, HostPort, Mount } from '../../node/runtime.js';

export interface Ownership {
  readonly instance: string;
  readonly node: string;
  /** Name of the bridge network of this node's pods. */
  readonly network: string;
  /** The sandbox is connected to the network by hand. */
  readonly linked?: boolean | undefined;
  readonly ulimits?: Docker.HostConfig['Ulimits'];
  /** No score below it (`oom_score_adj`) is possible. */
  readonly oomFloor: number;
}

const cpuPeriod = 100_000;
const smallestQuota = 1000;

const mountOf = ({ hostPath, containerPath, readOnly, propagation }: Mount): Docker.MountSettings => ({
  Type: 'bind',
  Source: hostPath,
  Target: containerPath,
  ReadOnly: readOnly,
  BindOptions: { Propagation: propagation ?? 'rprivate' },
});

type PortBindings = Record<string, { HostIp: string; HostPort: string }[]>;

const portBindings = (ports: readonly HostPort[]): PortBindings => {
  const bindings: PortBindings = {};
  for (const { protocol, containerPort, hostPort, hostIP } of ports)
    (bindings[`${containerPort}/${protocol.toLowerCase()}`] ??= []).push({
      HostIp: hostIP ?? '',
      HostPort: String(hostPort),
    });
  return bindings;
};

const resources = (spec: ContainerSpec, oomFloor: number): Docker.HostConfig => ({
  ...(spec.cpuShares === undefined ? {} : { CpuShares: spec.cpuShares }),
  ...(spec.cpuMillis === undefined
    ? {}
    : {
        CpuPeriod: cpuPeriod,
        CpuQuota: Math.max(smallestQuota, Math.round((spec.cpuMillis * cpuPeriod) / 1000)),
      }),
  // The same value for swap: a container that needs more than its limit ends, it does not swap.
  ...(spec.memoryBytes === undefined ? {} : { Memory: spec.memoryBytes, MemorySwap: spec.memoryBytes }),
  ...(spec.oomScoreAdjust === undefined ? {} : { OomScoreAdj: Math.max(oomFloor, spec.oomScoreAdjust) }),
});

const seccomp = ({ seccomp: wanted, privileged }: ContainerSpec): readonly string[] => {
  // The engine lifts its own profile from what is privileged.
  if (wanted === undefined || privileged === true || wanted.type === 'RuntimeDefault') return [];
  return [`seccomp=${wanted.type === 'Localhost' ? wanted.profile : 'unconfined'}`];
};

const securityOptions = (spec: ContainerSpec): Docker.HostConfig => {
  const options = [
    ...(spec.noNewPrivileges === true ? ['no-new-privileges'] : []),
    ...seccomp(spec),
    ...(spec.appArmor === undefined ? [] : [`apparmor=${spec.appArmor}`]),
    ...(spec.selinux ?? []).map((part) => `label=${part}`),
  ];
  return options.length === 0 ? {} : { SecurityOpt: options };
};

/** The kernel's names without `CAP_` are Kubernetes' and the engine's alike. */
const security = (spec: ContainerSpec): Docker.HostConfig => ({
  Privileged: spec.privileged ?? false,
  ReadonlyRootfs: spec.readOnlyRoot ?? false,
  ...securityOptions(spec),
  ...(spec.unmaskedProc === true ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
  ...(spec.sysctls === undefined ? {} : { Sysctls: { ...spec.sysctls } }),
  ...(spec.runtimeHandler === undefined ? {} : { Runtime: spec.runtimeHandler }),
  ...(spec.devices === undefined || spec.devices.length === 0
    ? {}
    : {
        Devices: spec.devices.map(({ hostPath, containerPath, permissions }) => ({
          PathOnHost: hostPath,
          PathInContainer: containerPath,
          CgroupPermissions: permissions,
        })),
      }),
  ...(spec.capabilities === undefined
    ? {}
    : { CapAdd: [...spec.capabilities.add], CapDrop: [...spec.capabilities.drop] }),
  ...(spec.groups === undefined ? {} : { GroupAdd: [...spec.groups] }),
});

const namespaces = (spec: ContainerSpec, { network, linked }: Ownership): Docker.HostConfig => {
  const pid =
    spec.hostPID === true
      ? { PidMode: 'host' }
      : spec.joinProcesses === undefined
        ? {}
        : { PidMode: `container:${spec.joinProcesses}` };
  const ipc = spec.hostIPC === true ? { IpcMode: 'host' } : {};
  switch (spec.network.type) {
    case 'host':
      return { NetworkMode: 'host', ...pid, ...ipc };
    case 'pod':
      return {
        NetworkMode: linked === true ? 'none' : network,
        IpcMode: 'shareable',
        ...(spec.network.hostPorts.length === 0
          ? {}
          : { PortBindings: portBindings(spec.network.hostPorts) }),
        ...pid,
        ...ipc,
      };
    case 'join': {
      const sandbox = `container:${spec.network.sandbox}`;
      return {
        NetworkMode: sandbox,
        IpcMode: sandbox,
        ...(spec.shareProcesses === true ? { PidMode: sandbox } : {}),
        ...pid,
        ...ipc,
      };
    }
  }
};

const tmpfs = (spec: ContainerSpec): Docker.HostConfig =>
  spec.tmpfs === undefined
    ? {}
    : {
        Tmpfs: Object.fromEntries(
          spec.tmpfs.map(({ containerPath, sizeBytes }) => [
            containerPath,
            sizeBytes === undefined ? '' : `size=${sizeBytes}`,
          ]),
        ),
      };

/** Logs are bounded: three files of 10 MB for each container. */
const logConfig: Docker.HostConfig['LogConfig'] = {
  Type: 'json-file',
  Config: { 'max-size': '10m', 'max-file': '3' },
};

const endpoint = (
  spec: ContainerSpec,
  { network, linked }: Ownership,
): Partial<Docker.ContainerCreateOptions> => {
  if (spec.network.type !== 'pod') return {};
  const { address, hostname, hostPorts } = spec.network;
  // Its namespace is made, and the engine puts nothing into it.
  if (linked === true) return { Hostname: hostname, NetworkDisabled: true };
  return {
    Hostname: hostname,
    ...(hostPorts.length === 0
      ? {}
      : { ExposedPorts: Object.fromEntries(Object.keys(portBindings(hostPorts)).map((port) => [port, {}])) }),
    NetworkingConfig: { EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: address } } } },
  };
};

/** By them a sandbox is connected, now or after a restart. */
const linkLabels = ({ network }: ContainerSpec, { linked }: Ownership): Readonly<Record<string, string>> =>
  linked === true && network.type === 'pod'
    ? {
        [label.address]: network.address,
        [label.subnet]: network.subnet,
        [label.gateway]: network.gateway,
      }
    : {};

export const createOptions = (spec: ContainerSpec, ownership: Ownership): Docker.ContainerCreateOptions => ({
  name: spec.name,
  Image: spec.image,
  Labels: {
    ...spec.labels,
    [label.instance]: ownership.instance,
    [label.node]: ownership.node,
    [label.image]: spec.image,
    ...linkLabels(spec, ownership),
  },
  Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
  ...(spec.command === undefined ? {} : { Entrypoint: [...spec.command] }),
  // As in Kubernetes: a command of its own leaves the image's arguments out.
  ...(spec.args === undefined ? (spec.command === undefined ? {} : { Cmd: [] }) : { Cmd: [...spec.args] }),
  ...(spec.workingDir === undefined ? {} : { WorkingDir: spec.workingDir }),
  ...(spec.user === undefined ? {} : { User: spec.user }),
  ...(spec.stopSignal === undefined ? {} : { StopSignal: spec.stopSignal }),
  Tty: spec.tty ?? false,
  OpenStdin: spec.stdin ?? false,
  StdinOnce: spec.stdinOnce ?? false,
  ...endpoint(spec, ownership),
  HostConfig: {
    ...namespaces(spec, ownership),
    ...resources(spec, ownership.oomFloor),
    ...security(spec),
    ...tmpfs(spec),
    ...(ownership.ulimits === undefined ? {} : { Ulimits: ownership.ulimits }),
    Mounts: spec.mounts.map(mountOf),
    LogConfig: logConfig,
    RestartPolicy: { Name: 'no' },
  },
});
