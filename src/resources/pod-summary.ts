// A pod in one word, as `kubectl get pods` shows it (Kubernetes' printers `printPod`).
import { fromTimestamp } from '../base/clock.js';
import type { Instant } from '../base/clock.js';
import { conditionOf, isConditionTrue } from './conditions.js';
import { humanDuration } from './duration.js';
import type { ContainerStatus, Pod } from './generated/types.js';
import { phaseOf, isPodTerminated, isSidecar } from './pod-status.js';
import { isDeleting } from './resource.js';

export interface PodSummary {
  /** `Running`, `Init:0/1`, `CrashLoopBackOff`, `Terminating` … */
  readonly status: string;
  readonly ready: number;
  readonly total: number;
  readonly restarts: number;
  readonly lastRestart: Instant | undefined;
}

interface Restarts {
  readonly count: number;
  readonly last: Instant | undefined;
}

type Terminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;

const restartsOf = (statuses: readonly ContainerStatus[]): Restarts => {
  let count = 0;
  let last: Instant | undefined;
  for (const { restartCount, lastState } of statuses) {
    count += restartCount;
    const at = fromTimestamp(lastState?.terminated?.finishedAt);
    if (at !== undefined && (last === undefined || at > last)) last = at;
  }
  return { count, last };
};

const ended = ({ reason = '', signal = 0, exitCode }: Terminated): string => {
  if (reason !== '') return reason;
  return signal === 0 ? `ExitCode:${String(exitCode)}` : `Signal:${String(signal)}`;
};

interface Starting {
  /** Undefined when every init container has done its part. */
  readonly status: string | undefined;
  readonly readySidecars: number;
  readonly restarts: Restarts;
}

/** How far the init containers are: they run one after the other, and the first that is not done gives the status. */
const starting = (pod: Pod, sidecars: ReadonlySet<string>): Starting => {
  const statuses = pod.status?.initContainerStatuses ?? [];
  let readySidecars = 0;
  for (const [index, container] of statuses.entries()) {
    const { state, ready, started } = container;
    const restarts = restartsOf(statuses.slice(0, index + 1));
    const waiting = state?.waiting?.reason ?? '';
    if (state?.terminated?.exitCode === 0) continue;
    if (sidecars.has(container.name) && started === true) {
      if (ready) readySidecars += 1;
      continue;
    }
    const what =
      state?.terminated !== undefined
        ? ended(state.terminated)
        : waiting !== '' && waiting !== 'PodInitializing'
          ? waiting
          : `${String(index)}/${String(pod.spec.initContainers?.length ?? 0)}`;
    return { status: `Init:${what}`, readySidecars, restarts };
  }
  return { status: undefined, readySidecars, restarts: { count: 0, last: undefined } };
};

/** The first container that waits or has ended gives its reason; the others count when they run and are ready. */
const running = (pod: Pod): { readonly status: string | undefined; readonly ready: number } => {
  let status: string | undefined;
  let ready = 0;
  for (const container of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    const { waiting, terminated, running: runs } = container.state ?? {};
    if ((waiting?.reason ?? '') !== '') status = waiting?.reason;
    else if (terminated !== undefined) status = ended(terminated);
    else if (container.ready && runs !== undefined) ready += 1;
  }
  if (status === 'Completed' && ready > 0)
    status = isConditionTrue(pod.status?.conditions, 'Ready') ? 'Running' : 'NotReady';
  return { status, ready };
};

const phaseText = (pod: Pod): string => {
  if (conditionOf(pod.status?.conditions, 'PodScheduled')?.reason === 'SchedulingGated')
    return 'SchedulingGated';
  const reason = pod.status?.reason ?? '';
  return reason === '' ? phaseOf(pod) : reason;
};

export const podSummary = (pod: Pod): PodSummary => {
  const sidecars = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const total = pod.spec.containers.length + sidecars.size;
  const init = starting(pod, sidecars);
  let status = init.status ?? phaseText(pod);
  let ready = init.readySidecars;
  let { restarts } = init;
  if (init.status === undefined || isConditionTrue(pod.status?.conditions, 'Initialized')) {
    const main = running(pod);
    status = main.status ?? status;
    ready += main.ready;
    const lasting = (pod.status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name));
    restarts = restartsOf([...lasting, ...(pod.status?.containerStatuses ?? [])]);
  }
  if (isDeleting(pod))
    if (pod.status?.reason === 'NodeLost') status = 'Unknown';
    else if (!isPodTerminated(pod)) status = 'Terminating';
  return { status, ready, total, restarts: restarts.count, lastRestart: restarts.last };
};

/** `3 (5m ago)`. */
export const formatRestarts = ({ restarts, lastRestart }: PodSummary, now: Instant): string =>
  restarts === 0 || lastRestart === undefined
    ? String(restarts)
    : `${String(restarts)} (${humanDuration(now - lastRestart)} ago)`;
