// What a pod of a Job tells: its index, how it ended, and what the Job's failure policy says to that.
import { fromTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import type { Job, Pod, PodFailurePolicyRule } from '../../resources/generated/types.js';
import { isPodTerminated, phaseOf } from '../../resources/pod-status.js';
import { isDeleting } from '../../resources/resource.js';

/** Keeps a pod that ended until its Job has counted it. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
export const indexAnnotation = 'batch.kubernetes.io/job-completion-index';
export const failureCountAnnotation = 'batch.kubernetes.io/job-index-failure-count';

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed';

export const isTracked = ({ metadata }: Pod): boolean =>
  metadata.finalizers?.includes(trackingFinalizer) === true;

export const indexOf = ({ metadata }: Pod): number | undefined => {
  const text = metadata.annotations?.[indexAnnotation] ?? '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
};

export const earlierFailures = ({ metadata }: Pod): number =>
  Number(metadata.annotations?.[failureCountAnnotation] ?? 0) || 0;

/** Its node has stopped it, or it never had one: only finalizers keep it. */
const isStopped = (pod: Pod): boolean =>
  isDeleting(pod) && (pod.metadata.deletionGracePeriodSeconds ?? 0) === 0;

/** Is being deleted and may still run. */
export const isTerminating = (pod: Pod): boolean =>
  isDeleting(pod) && !isPodTerminated(pod) && !isStopped(pod);

export const replacesFailedOnly = ({ spec }: Job): boolean => spec.podReplacementPolicy === 'Failed';

export type Ending = 'succeeded' | 'failed';

/** A pod that is deleted before it succeeded counts as failed: at once, or when it has ended, as the Job says. */
export const endingOf = (pod: Pod, job: Job): Ending | undefined => {
  const phase = phaseOf(pod);
  if (phase === 'Succeeded') return 'succeeded';
  if (phase === 'Failed') return 'failed';
  if (!isDeleting(pod)) return undefined;
  return replacesFailedOnly(job) && !isStopped(pod) ? undefined : 'failed';
};

/** When its last container ended; else when it was deleted or changed its readiness last. */
export const endedAt = (pod: Pod): Instant => {
  const ends = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].map(
    ({ state }) => fromTimestamp(state?.terminated?.finishedAt) ?? 0,
  );
  const last = Math.max(0, ...ends);
  if (last > 0) return last;
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  return fromTimestamp(pod.metadata.deletionTimestamp) ?? fromTimestamp(ready) ?? 0;
};

export type PolicyAction = 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';

export interface Verdict {
  readonly action: PolicyAction;
  /** For the Job's condition, in Kubernetes' words. */
  readonly message: string;
}

const matchedExit = (pod: Pod, { onExitCodes }: PodFailurePolicyRule): string | undefined => {
  if (onExitCodes === undefined) return undefined;
  const { containerName, operator, values } = onExitCodes;
  for (const { name, state } of [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
  ]) {
    const code = state?.terminated?.exitCode;
    if (code === undefined || code === 0 || (containerName ?? name) !== name) continue;
    if (values.includes(code) === (operator === 'In'))
      return `Container ${name} for pod ${String(pod.metadata.namespace)}/${pod.metadata.name} failed with exit code ${String(code)}`;
  }
  return undefined;
};

const matchedCondition = (pod: Pod, { onPodConditions }: PodFailurePolicyRule): string | undefined => {
  for (const { type, status } of onPodConditions ?? [])
    if (pod.status?.conditions?.some((condition) => condition.type === type && condition.status === status))
      return `Pod ${String(pod.metadata.namespace)}/${pod.metadata.name} has condition ${type}`;
  return undefined;
};

/** The first rule that matches a failed pod decides; without one the failure counts. */
export const verdictOn = (pod: Pod, { spec }: Job): Verdict => {
  const rules = phaseOf(pod) === 'Failed' ? (spec.podFailurePolicy?.rules ?? []) : [];
  for (const [index, rule] of rules.entries()) {
    const matched = matchedExit(pod, rule) ?? matchedCondition(pod, rule);
    if (matched === undefined) continue;
    const action = rule.action as PolicyAction;
    return { action, message: `${matched} matching ${action} rule at index ${String(index)}` };
  }
  return { action: 'Count', message: '' };
};
