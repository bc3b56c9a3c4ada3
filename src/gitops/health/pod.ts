import type { ContainerStatus, Pod } from '../../resources/generated/types.js';
import { pods } from '../../resources/kinds/pods.js';
import { isPodReady, phaseOf } from '../../resources/pod-status.js';
import { degraded, healthy, progressing, type HealthRule } from './health.js';

/** Reasons for which a container waits that do not go away by themselves. */
const stuck: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

const waitingReason = ({ name, state }: ContainerStatus): string | undefined => {
  const waiting = state?.waiting;
  if (waiting?.reason === undefined || !stuck.has(waiting.reason)) return undefined;
  const detail = waiting.message === undefined || waiting.message === '' ? '' : `: ${waiting.message}`;
  return `container ${name}: ${waiting.reason}${detail}`;
};

/** Why a pod does not get ready; undefined when nothing is known to be wrong. */
export const podTrouble = (pod: Pod): string | undefined => {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  for (const status of statuses) {
    const reason = waitingReason(status);
    if (reason !== undefined) return reason;
  }
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable')
    return `Unschedulable: ${scheduled.message ?? ''}`;
  if (phaseOf(pod) === 'Failed')
    return `${pod.status?.reason ?? 'Failed'}: ${pod.status?.message ?? 'its containers failed'}`;
  return undefined;
};

export const podHealth: HealthRule<Pod> = {
  kind: pods,
  judge: (pod) => {
    const phase = phaseOf(pod);
    if (phase === 'Succeeded') return healthy;
    const trouble = podTrouble(pod);
    if (trouble !== undefined) return degraded(trouble);
    if (phase === 'Running' && isPodReady(pod)) return healthy;
    return progressing(phase === 'Running' ? 'is not ready yet' : `is ${phase}`);
  },
};
