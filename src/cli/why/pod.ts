// Why a pod is as it is.
import type { ContainerStatus, Pod } from '../../resources/generated/types.js';

const containerReasons = (status: ContainerStatus): string[] => {
  const { waiting, terminated } = status.state ?? {};
  const last = status.lastState?.terminated;
  const reasons: string[] = [];
  if (waiting?.reason !== undefined)
    reasons.push(
      `container ${status.name} waits: ${waiting.reason}${waiting.message ? ` (${waiting.message})` : ''}`,
    );
  if (terminated !== undefined)
    reasons.push(
      `container ${status.name} ended with exit code ${terminated.exitCode}${terminated.reason ? ` (${terminated.reason})` : ''}${terminated.message ? `: ${terminated.message}` : ''}`,
    );
  if (last !== undefined && terminated === undefined)
    reasons.push(
      `container ${status.name} has been restarted ${status.restartCount} time(s); before, it ended with exit code ${last.exitCode}${last.reason ? ` (${last.reason})` : ''}`,
    );
  if (status.state?.running !== undefined && !status.ready)
    reasons.push(`container ${status.name} runs but is not ready: its readiness probe has not succeeded`);
  return reasons;
};

export const podState = (pod: Pod): string => {
  if (pod.metadata.deletionTimestamp !== undefined)
    return `is being deleted since ${pod.metadata.deletionTimestamp} (grace ${pod.metadata.deletionGracePeriodSeconds ?? 0} s)`;
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
  const phase = pod.status?.phase ?? 'Pending';
  const where = pod.spec.nodeName === undefined ? '' : ` on node ${pod.spec.nodeName}`;
  return phase === 'Running' ? `runs${where} and is ${ready ? 'ready' : 'not ready'}` : `is ${phase}${where}`;
};

export const podReasons = (pod: Pod): readonly string[] => {
  const conditions = (pod.status?.conditions ?? [])
    .filter(({ status, message }) => status === 'False' && message !== undefined && message !== '')
    .filter(({ type }) => type !== 'ContainersReady')
    .map(
      ({ type, reason, message }) =>
        `${type} is false: ${message ?? ''}${reason === undefined ? '' : ` (${reason})`}`,
    );
  const containers = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const phase = pod.status?.message === undefined ? [] : [pod.status.message];
  return [...phase, ...containers.flatMap(containerReasons), ...conditions];
};
