// PodStatus as the kubelet writes it: phase, conditions, containers, addresses.
import type { Instant } from '../base/clock.js';
import { toTimestamp } from '../base/clock.js';
import { conditionOf, withCondition } from '../resources/conditions.js';
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../resources/generated/types.js';
import { qosClassOf } from '../resources/pod-resources.js';
import { isPodTerminated } from '../resources/pod-status.js';
import { containerStatus } from './container-status.js';
import type { StatusOptions } from './container-status.js';
import { addressOf } from './labels.js';
import { deadlineOf, takePicture } from './pod-picture.js';
import type { ContainerPicture, PodObserved, PodPicture } from './pod-picture.js';

export interface ShownPod {
  readonly status: PodStatus;
  /** When it will read differently although nothing happens. */
  readonly changesAt?: Instant | undefined;
}

interface Shown {
  readonly container: ContainerPicture;
  readonly status: ContainerStatus;
}

/** Source: kubelet_pods.go, getPhase. */
const phaseOf = (picture: PodPicture, shown: readonly Shown[]): string => {
  const { pod, initialized, expired } = picture;
  if (isPodTerminated(pod)) return pod.status?.phase ?? 'Failed';
  if (expired || picture.observed.memory.eviction !== undefined) return 'Failed';
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (!initialized) {
    const failed = shown.some(
      ({ container: { role }, status: { state } }) =>
        role === 'init' && policy === 'Never' && (state?.terminated?.exitCode ?? 0) !== 0,
    );
    return failed ? 'Failed' : 'Pending';
  }
  const main = shown.filter(({ container }) => container.role === 'main').map(({ status }) => status);
  const running = main.filter(({ state }) => state?.running !== undefined).length;
  const neverRan = main.filter(
    ({ state, lastState }) => state?.waiting !== undefined && lastState?.terminated === undefined,
  ).length;
  if (neverRan > 0) return 'Pending';
  // A pod is over when its sidecars have ended too.
  const served = shown.some(
    ({ container: { role }, status: { state } }) => role === 'sidecar' && state?.running !== undefined,
  );
  if (running > 0 || served || policy === 'Always') return 'Running';
  const succeeded = main.every(({ state }) => state?.terminated?.exitCode === 0);
  if (succeeded) return 'Succeeded';
  return policy === 'Never' && main.every(({ state }) => state?.terminated !== undefined)
    ? 'Failed'
    : 'Running';
};

type Facts = Pick<PodCondition, 'status' | 'reason' | 'message'>;

const yes: Facts = { status: 'True', reason: undefined, message: undefined };
const no = (reason: string, message?: string): Facts => ({ status: 'False', reason, message });

const names = (shown: readonly Shown[]): string => `[${shown.map(({ status }) => status.name).join(' ')}]`;

const initializedCondition = (picture: PodPicture, shown: readonly Shown[]): Facts => {
  if (picture.initialized) return yes;
  const incomplete = shown.filter(
    ({ container: { role }, status }) => (role === 'init' || role === 'sidecar') && !status.ready,
  );
  return no('ContainersNotInitialized', `containers with incomplete status: ${names(incomplete)}`);
};

const containersReadyCondition = (phase: string, shown: readonly Shown[]): Facts => {
  if (phase === 'Succeeded') return no('PodCompleted');
  const lasting = shown.filter(({ container: { role } }) => role === 'main' || role === 'sidecar');
  const unready = lasting.filter(({ status }) => !status.ready);
  if (phase === 'Failed') return no('PodFailed');
  return unready.length === 0
    ? yes
    : no('ContainersNotReady', `containers with unready status: ${names(unready)}`);
};

const readyCondition = (pod: Pod, containersReady: Facts): Facts => {
  if (containersReady.status !== 'True') return containersReady;
  const closed = (pod.spec.readinessGates ?? [])
    .map(({ conditionType }) => conditionType)
    .filter((type) => conditionOf(pod.status?.conditions, type)?.status !== 'True');
  return closed.length === 0
    ? yes
    : no('ReadinessGatesNotReady', `the status of pod readiness gate "${closed[0] ?? ''}" is not "True"`);
};

const conditionsOf = (
  picture: PodPicture,
  phase: string,
  shown: readonly Shown[],
): readonly PodCondition[] => {
  const { pod, now, sandbox, hostNetwork } = picture;
  const { eviction } = picture.observed.memory;
  const containersReady = containersReadyCondition(phase, shown);
  const facts: readonly (readonly [string, Facts])[] = [
    [
      'PodReadyToStartContainers',
      sandbox !== undefined || (hostNetwork && !picture.over) ? yes : { status: 'False' },
    ],
    [
      'Initialized',
      phase === 'Succeeded' ? { ...yes, reason: 'PodCompleted' } : initializedCondition(picture, shown),
    ],
    ['Ready', readyCondition(pod, containersReady)],
    ['ContainersReady', containersReady],
    ['PodScheduled', yes],
    ...(eviction === undefined
      ? []
      : [
          [
            'DisruptionTarget',
            { status: 'True', reason: 'TerminationByKubelet', message: eviction.message },
          ] as const,
        ]),
  ];
  let conditions = pod.status?.conditions ?? [];
  for (const [type, fact] of facts)
    conditions = withCondition(
      conditions,
      { type, status: fact.status, reason: fact.reason, message: fact.message },
      now,
    );
  return conditions;
};

const addressesOf = (picture: PodPicture): Partial<PodStatus> => {
  const { pod, sandbox, hostNetwork, observed } = picture;
  const address = hostNetwork ? observed.node.hostIP : sandbox && addressOf(sandbox);
  // A sandbox that is being replaced takes its address along; one that is done keeps it in the books.
  const podIP = address ?? (picture.over ? pod.status?.podIP : undefined);
  const { hostIP } = observed.node;
  return {
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(podIP === undefined ? {} : { podIP, podIPs: [{ ip: podIP }] }),
  };
};

/** Drops members that are undefined, so that what was written compares equal to what is read. */
const compact = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;

export const podStatus = (observed: PodObserved, now: Instant, options: StatusOptions): ShownPod => {
  const picture = takePicture(observed, now);
  const { pod, containers, expired } = picture;
  const all = containers.map((container) => ({ container, ...containerStatus(picture, container, options) }));
  const phase = phaseOf(picture, all);
  const { eviction } = observed.memory;
  const statusesOf = (...roles: readonly ContainerPicture['role'][]): readonly ContainerStatus[] =>
    all.filter(({ container }) => roles.includes(container.role)).map(({ status: shown }) => shown);
  const init = statusesOf('init', 'sidecar');
  const ephemeral = statusesOf('ephemeral');
  const deadline = isPodTerminated(pod) || expired ? undefined : deadlineOf(pod);
  const times = [deadline, ...all.map(({ changesAt }) => changesAt)].filter((time) => time !== undefined);
  const status: PodStatus = {
    ...pod.status,
    phase,
    ...(eviction === undefined || isPodTerminated(pod) ? {} : eviction),
    ...(expired
      ? {
          reason: 'DeadlineExceeded',
          message: 'Pod was active on the node longer than the specified deadline',
        }
      : {}),
    conditions: conditionsOf(picture, phase, all).map(compact),
    ...addressesOf(picture),
    startTime: pod.status?.startTime ?? toTimestamp(observed.memory.seenAt),
    qosClass: pod.status?.qosClass ?? qosClassOf(pod.spec),
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: statusesOf('main'),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
  };
  return { status, changesAt: times.length === 0 ? undefined : Math.min(...times) };
};
