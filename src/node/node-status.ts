// The Node object of an agent: labels, capacity, addresses, conditions.
import type { Instant } from '../base/clock.js';
import { toTimestamp } from '../base/clock.js';
import { withCondition } from '../resources/conditions.js';
import type { Node, NodeCondition, NodeStatus } from '../resources/generated/types.js';
import type { StringMap } from '../resources/resource.js';
import { volumeRoot } from '../resources/storage/binding.js';
import type { Machine } from './machine.js';

export interface NodeIdentity {
  readonly name: string;
  readonly machine: Machine;
  readonly address: string;
  readonly agentPort: number;
  /** `docker://20.10.24`. */
  readonly runtimeVersion: string;
  /** Of Capstan, as `v0.1.0`. */
  readonly version: string;
  readonly labels?: StringMap | undefined;
  /** Where the data of its volumes is. */
  readonly volumeRoot: string;
}

export interface NodeHealth {
  /** Undefined: the engine answers. */
  readonly engineProblem: string | undefined;
  readonly hasSubnet: boolean;
  /** What the node is short of. */
  readonly pressures?: ReadonlySet<string> | undefined;
}

const maxPods = 110;

export const nodeLabels = ({ name, machine, labels }: NodeIdentity): StringMap => ({
  'kubernetes.io/hostname': name,
  'kubernetes.io/os': machine.operatingSystem,
  'kubernetes.io/arch': machine.architecture,
  ...labels,
});

export const nodeAnnotations = ({ volumeRoot: root }: NodeIdentity): StringMap => ({ [volumeRoot]: root });

/** Also what limits stand for in pods that set none. */
export const capacityOf = ({ cpus, memoryBytes, ephemeralStorageBytes }: Machine): StringMap => ({
  cpu: String(cpus),
  memory: `${Math.floor(memoryBytes / 1024)}Ki`,
  'ephemeral-storage': `${Math.floor(ephemeralStorageBytes / 1024)}Ki`,
  pods: String(maxPods),
});

type Facts = Pick<NodeCondition, 'status' | 'reason' | 'message'>;

const readiness = ({ engineProblem, hasSubnet }: NodeHealth): Facts => {
  if (engineProblem !== undefined)
    return {
      status: 'False',
      reason: 'KubeletNotReady',
      message: `container runtime is down: ${engineProblem}`,
    };
  if (!hasSubnet)
    return {
      status: 'False',
      reason: 'KubeletNotReady',
      message: 'container runtime network not ready: the node has no pod CIDR yet (spec.podCIDR)',
    };
  return { status: 'True', reason: 'KubeletReady', message: 'the agent is posting ready status' };
};

interface PressureText {
  readonly type: string;
  /** Reason and message without pressure, and with it. */
  readonly without: readonly [string, string];
  readonly with: readonly [string, string];
}

const pressureTexts: readonly PressureText[] = [
  {
    type: 'MemoryPressure',
    without: ['KubeletHasSufficientMemory', 'the node has sufficient memory available'],
    with: ['KubeletHasInsufficientMemory', 'the node has insufficient memory available'],
  },
  {
    type: 'DiskPressure',
    without: ['KubeletHasNoDiskPressure', 'the node has no disk pressure'],
    with: ['KubeletHasDiskPressure', 'the node has disk pressure'],
  },
  {
    type: 'PIDPressure',
    without: ['KubeletHasSufficientPID', 'the node has sufficient PID available'],
    with: ['KubeletHasInsufficientPID', 'the node has insufficient PID available'],
  },
];

export const nodeStatus = (
  previous: NodeStatus | undefined,
  identity: NodeIdentity,
  { health, now }: { readonly health: NodeHealth; readonly now: Instant },
): NodeStatus => {
  const { machine, name, address, agentPort, runtimeVersion, version } = identity;
  const capacity = capacityOf(machine);
  let conditions: readonly NodeCondition[] = previous?.conditions ?? [];
  const set = (type: string, facts: Facts): void => {
    conditions = withCondition(conditions, { type, ...facts, lastHeartbeatTime: toTimestamp(now) }, now);
  };
  for (const text of pressureTexts) {
    const short = health.pressures?.has(text.type) === true;
    const [reason, message] = short ? text.with : text.without;
    set(text.type, { status: short ? 'True' : 'False', reason, message });
  }
  set('Ready', readiness(health));
  return {
    ...previous,
    capacity,
    allocatable: capacity,
    conditions,
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: agentPort } },
    nodeInfo: {
      machineID: machine.machineID,
      systemUUID: machine.systemUUID,
      bootID: machine.bootID,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: runtimeVersion,
      kubeletVersion: version,
      kubeProxyVersion: version,
      operatingSystem: machine.operatingSystem,
      architecture: machine.architecture,
    },
  };
};

/** What would be written differs from what is there in more than the time of the heartbeat. */
export const withoutHeartbeat = (status: NodeStatus | undefined): unknown => ({
  ...status,
  conditions: status?.conditions?.map(({ lastHeartbeatTime: _time, ...condition }) => condition),
});

export const needsLabels = (node: Node, identity: NodeIdentity): boolean =>
  Object.entries(nodeLabels(identity)).some(([key, value]) => node.metadata.labels?.[key] !== value) ||
  Object.entries(nodeAnnotations(identity)).some(
    ([key, value]) => node.metadata.annotations?.[key] !== value,
  );
