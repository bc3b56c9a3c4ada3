// One look at a pod: the engine's containers sorted by what they are for, beside the specification and the memory.
import type { Instant } from '../base/clock.js';
import { fromTimestamp } from '../base/clock.js';
import type { Container as ContainerTemplate, Pod } from '../resources/generated/types.js';
import { containerStatusOf, isPodTerminated, isSidecar } from '../resources/pod-status.js';
import { isDeleting } from '../resources/resource.js';
import { byAttempt } from './back-off.js';
import type { Resolved } from './environment.js';
import { containerNameOf, kindOf, sandboxOf } from './labels.js';
import { containerMemory } from './pod-memory.js';
import type { ContainerMemory, PodMemory } from './pod-memory.js';
import type { References } from './pod-source.js';
import type { Container } from './runtime.js';

export interface PodObserved {
  readonly pod: Pod;
  /** All of the pod that the engine has. */
  readonly containers: readonly Container[];
  readonly memory: PodMemory;
  /** Names of the operations under way. */
  readonly inFlight: ReadonlySet<string>;
  readonly references: References;
  /** Why a container has no environment: decided from the objects that it refers to. */
  environment(container: ContainerTemplate, podIP: string | undefined): Resolved<unknown>;
  readonly node: {
    readonly hostIP: string;
    /** Sandboxes can have addresses. */
    readonly networkReady: boolean;
    /** Containers of a pod that is deleted stop when all proxies of the cluster have taken it out. */
    readonly waitsForProxies?: boolean | undefined;
  };
}

export interface ContainerPicture {
  readonly template: ContainerTemplate;
  readonly role: 'init' | 'sidecar' | 'main' | 'ephemeral';
  /** Newest attempt first. */
  readonly history: readonly Container[];
  readonly latest: Container | undefined;
  /** The latest belongs to the sandbox that the pod has now. */
  readonly current: boolean;
  readonly running: boolean;
  readonly memory: ContainerMemory;
  readonly specHash: string;
  readonly starting: boolean;
}

export interface PodPicture {
  readonly observed: PodObserved;
  readonly pod: Pod;
  readonly now: Instant;
  readonly hostNetwork: boolean;
  /** Running; undefined while there is none. */
  readonly sandbox: Container | undefined;
  readonly sandboxes: readonly Container[];
  readonly containers: readonly ContainerPicture[];
  /** Containers that the specification does not name (any more). */
  readonly strays: readonly Container[];
  readonly deleting: boolean;
  /** Its deadline (activeDeadlineSeconds) has passed. */
  readonly expired: boolean;
  /** None of its containers shall run any more. */
  readonly over: boolean;
  readonly initialized: boolean;
}

export const startOperation = (container: string): string => `start/${container}`;
export const stopOperation = (id: string): string => `stop/${id}`;
export const removeOperation = (id: string): string => `remove/${id}`;
export const killOperation = (id: string): string => `kill/${id}`;
export const probeOperation = (container: string, kind: string): string => `probe/${container}/${kind}`;

/** Of a running pod only images may change; other fields would restart containers when a default is added. FNV-1a. */
export const specHashOf = ({ name, image = '' }: ContainerTemplate): string => {
  let hash = 0x811c9dc5;
  for (const character of `${name}\0${image}`)
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
};

const initRole = (template: ContainerTemplate): ContainerPicture['role'] =>
  isSidecar(template) ? 'sidecar' : 'init';

const historyByName = (containers: readonly Container[]): Map<string, Container[]> => {
  const histories = new Map<string, Container[]>();
  for (const container of containers) {
    const name = containerNameOf(container);
    const history = histories.get(name);
    if (history === undefined) histories.set(name, [container]);
    else history.push(container);
  }
  for (const history of histories.values()) history.sort(byAttempt);
  return histories;
};

/** When activeDeadlineSeconds ends; undefined without one. */
export const deadlineOf = ({ spec, status }: Pod): Instant | undefined => {
  const started = fromTimestamp(status?.startTime);
  return spec.activeDeadlineSeconds === undefined || started === undefined
    ? undefined
    : started + spec.activeDeadlineSeconds * 1000;
};

const succeeded = ({ latest, current }: ContainerPicture): boolean =>
  current && latest?.state === 'exited' && latest.exitCode === 0 && latest.error === undefined;

/** A startup probe, where there is one, has succeeded; after a restart of the agent the pod's status counts. */
export const hasStarted = (picture: ContainerPicture, pod: Pod): boolean => {
  const { latest, running, memory, template } = picture;
  if (!running || latest === undefined) return false;
  if (memory.postStart?.containerId === latest.id && !memory.postStart.done) return false;
  if (template.startupProbe === undefined) return true;
  const probe = memory.probes.startup;
  if (probe?.containerId === latest.id) return probe.result === true;
  return statusOf(pod, picture)?.started === true;
};

/** What the pod's status says of the container that runs now; undefined when it speaks of another. */
export const statusOf = (pod: Pod, { template, latest }: ContainerPicture) => {
  const status = containerStatusOf(pod, template.name);
  return latest !== undefined && status?.containerID?.endsWith(`//${latest.id}`) === true
    ? status
    : undefined;
};

/** Init containers are done: each ended well, sidecars have started; a main container that exists proves it. */
const isInitialized = (containers: readonly ContainerPicture[], pod: Pod): boolean => {
  if (containers.some(({ role, current, latest }) => role === 'main' && current && latest !== undefined))
    return true;
  return containers.every((picture) => {
    if (picture.role === 'main' || picture.role === 'ephemeral') return true;
    return picture.role === 'init' ? succeeded(picture) : hasStarted(picture, pod);
  });
};

export const takePicture = (observed: PodObserved, now: Instant): PodPicture => {
  const { pod, memory, inFlight } = observed;
  const hostNetwork = pod.spec.hostNetwork === true;
  const sandboxes = observed.containers
    .filter((container) => kindOf(container) === 'sandbox')
    .sort(byAttempt);
  const newest = sandboxes[0];
  const sandbox = newest?.state === 'running' ? newest : undefined;
  const histories = historyByName(
    observed.containers.filter((container) => kindOf(container) === 'container'),
  );
  const picture = (template: ContainerTemplate, role: ContainerPicture['role']): ContainerPicture => {
    const history = histories.get(template.name) ?? [];
    histories.delete(template.name);
    const latest = history[0];
    return {
      template,
      role,
      history,
      latest,
      current:
        latest !== undefined && (hostNetwork || (newest !== undefined && sandboxOf(latest) === newest.id)),
      running: latest?.state === 'running',
      memory: containerMemory(memory, template.name),
      specHash: specHashOf(template),
      starting: inFlight.has(startOperation(template.name)),
    };
  };
  const containers = [
    ...(pod.spec.initContainers ?? []).map((template) => picture(template, initRole(template))),
    ...pod.spec.containers.map((template) => picture(template, 'main')),
    ...(pod.spec.ephemeralContainers ?? []).map((template) => picture(template, 'ephemeral')),
  ];
  const deadline = deadlineOf(pod);
  const expired = deadline !== undefined && now >= deadline && !isPodTerminated(pod);
  const deleting = isDeleting(pod);
  return {
    observed,
    pod,
    now,
    hostNetwork,
    sandbox,
    sandboxes,
    containers,
    strays: [...histories.values()].flat(),
    deleting,
    expired,
    over: deleting || expired || isPodTerminated(pod) || memory.eviction !== undefined,
    initialized: isInitialized(containers, pod),
  };
};
