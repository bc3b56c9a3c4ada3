// ContainerStatus as the kubelet writes it.
import type { Instant } from '../base/clock.js';
import { toTimestamp } from '../base/clock.js';
import type {
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
} from '../resources/generated/types.js';
import { containerStatusOf } from '../resources/pod-status.js';
import { formatDuration, restartAt, restartDelayMs } from './back-off.js';
import { retryAt, shownFailure } from './failures.js';
import { attemptOf } from './labels.js';
import { hasStarted, stopOperation, statusOf } from './pod-picture.js';
import type { ContainerPicture, PodPicture } from './pod-picture.js';
import type { Container } from './runtime.js';

export interface ShownContainer {
  readonly status: ContainerStatus;
  /** When it will read differently although nothing happens. */
  readonly changesAt?: Instant | undefined;
}

export interface StatusOptions {
  /** `docker`: container ids read `docker://…`. */
  readonly engine: string;
}

const timestamp = (instant: Instant | undefined): string | undefined =>
  instant === undefined ? undefined : toTimestamp(instant);

const reasonOf = ({ exitCode, oomKilled, error, startedAt }: Container): string => {
  if (oomKilled === true) return 'OOMKilled';
  if (error !== undefined && startedAt === undefined) return 'StartError';
  return exitCode === 0 ? 'Completed' : 'Error';
};

export const terminatedOf = (
  ended: Container,
  lastWords: string | undefined,
  { engine }: StatusOptions,
): ContainerStateTerminated => {
  const message = lastWords !== undefined && lastWords !== '' ? lastWords : ended.error;
  return {
    exitCode: ended.exitCode ?? 0,
    reason: reasonOf(ended),
    ...(message === undefined ? {} : { message }),
    startedAt: timestamp(ended.startedAt ?? ended.createdAt),
    finishedAt: timestamp(ended.finishedAt ?? ended.createdAt),
    containerID: `${engine}://${ended.id}`,
  };
};

/** Its readiness probe has succeeded, or it has none; after a restart of the agent the pod's status counts. */
export const isReady = (picture: PodPicture, container: ContainerPicture): boolean => {
  const { template, latest, memory, current } = container;
  if (latest === undefined || !current || !hasStarted(container, picture.pod)) return false;
  if (template.readinessProbe === undefined) return true;
  const probe = memory.probes.readiness;
  if (probe?.containerId !== latest.id || probe.result === undefined)
    return statusOf(picture.pod, container)?.ready === true;
  return probe.result;
};

interface Shown {
  readonly state: ContainerState;
  readonly changesAt?: Instant | undefined;
}

const waiting = (reason: string, message?: string, changesAt?: Instant): Shown => ({
  state: { waiting: { reason, ...(message === undefined ? {} : { message }) } },
  changesAt,
});

const podName = ({ pod }: PodPicture): string =>
  `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid})`;

/** Why a container that shall run does not, when something is in its way. */
const obstacle = (picture: PodPicture, container: ContainerPicture): Shown | undefined => {
  const { template, latest, memory, specHash } = container;
  const { failure } = memory;
  const { now, observed } = picture;
  if (failure?.specHash === specHash && (now < retryAt(failure) || container.starting)) {
    const shown = shownFailure(failure, template.image ?? '', now);
    return waiting(shown.reason, shown.message, shown.changesAt);
  }
  if (latest?.state === 'exited' && now < restartAt(latest))
    return waiting(
      'CrashLoopBackOff',
      `back-off ${formatDuration(restartDelayMs(latest))} restarting failed container=${template.name} pod=${podName(picture)}`,
    );
  if (picture.sandbox === undefined && !picture.hostNetwork) return undefined;
  const environment = observed.environment(template, undefined);
  return environment.type === 'missing'
    ? waiting('CreateContainerConfigError', environment.message)
    : undefined;
};

const restarts = (picture: PodPicture, { role, latest }: ContainerPicture): boolean => {
  const policy = picture.pod.spec.restartPolicy ?? 'Always';
  if (picture.over || latest === undefined) return false;
  if (role === 'sidecar') return true;
  if (role === 'ephemeral') return false;
  if (role === 'init') return latest.exitCode !== 0 && policy !== 'Never';
  return policy === 'Always' || (policy === 'OnFailure' && latest.exitCode !== 0);
};

const stateOf = (picture: PodPicture, container: ContainerPicture, options: StatusOptions): Shown => {
  const { latest, running, memory } = container;
  if (latest !== undefined && running) {
    // A container whose postStart has not ended does not count as running.
    if (memory.postStart?.containerId === latest.id && !memory.postStart.done)
      return waiting(picture.initialized ? 'ContainerCreating' : 'PodInitializing');
    return { state: { running: { startedAt: timestamp(latest.startedAt) } } };
  }
  const blocked = picture.over ? undefined : obstacle(picture, container);
  if (latest?.state === 'exited') {
    if (blocked !== undefined && restarts(picture, container)) return blocked;
    return { state: { terminated: terminatedOf(latest, memory.lastWords?.[latest.id], options) } };
  }
  // Until its turn comes, a container is not even looked at.
  const hasInit = picture.containers.some(({ role }) => role === 'init' || role === 'sidecar');
  if (container.role === 'main' && !picture.initialized) return waiting('PodInitializing');
  return blocked ?? waiting(hasInit ? 'PodInitializing' : 'ContainerCreating');
};

const lastStateOf = (
  { history, latest, memory }: ContainerPicture,
  state: ContainerState,
  options: StatusOptions,
): ContainerState => {
  const ended = history.find(
    (container) => container.state === 'exited' && (container !== latest || state.terminated === undefined),
  );
  return ended === undefined
    ? {}
    : { terminated: terminatedOf(ended, memory.lastWords?.[ended.id], options) };
};

export const containerStatus = (
  picture: PodPicture,
  container: ContainerPicture,
  options: StatusOptions,
): ShownContainer => {
  const { template, latest, role } = container;
  const { state, changesAt } = stateOf(picture, container, options);
  const running = state.running !== undefined;
  const stopping = latest !== undefined && picture.observed.inFlight.has(stopOperation(latest.id));
  const completed = state.terminated?.exitCode === 0;
  return {
    changesAt,
    status: {
      name: template.name,
      image: latest?.image ?? template.image ?? '',
      imageID: latest?.imageId ?? '',
      ...(latest === undefined ? {} : { containerID: `${options.engine}://${latest.id}` }),
      ready: role === 'init' ? completed : running && !stopping && isReady(picture, container),
      started: running && hasStarted(container, picture.pod),
      restartCount: latest === undefined ? (priorRestarts(picture, container) ?? 0) : attemptOf(latest),
      state,
      lastState: lastStateOf(container, state, options),
    },
  };
};

const priorRestarts = ({ pod }: PodPicture, { template }: ContainerPicture): number | undefined =>
  containerStatusOf(pod, template.name)?.restartCount;
