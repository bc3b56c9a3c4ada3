// Whether a Job is to end now, and how. Reasons and sentences are Kubernetes'. Follows `job_controller.go`.
import { fromTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { conditionOf } from '../../resources/conditions.js';
import type { Job, Pod } from '../../resources/generated/types.js';
import { podRestarts } from '../../resources/pod-status.js';
import { parseIndexes } from './index-set.js';
import { isIndexed } from './job-pods.js';
import type { Tally } from './tally.js';

export interface Outcome {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

/** True conditions that announce the end while pods still stop. */
const announced: Readonly<Record<Outcome['type'], string>> = {
  Complete: 'SuccessCriteriaMet',
  Failed: 'FailureTarget',
};

export const announcementOf = ({ type }: Outcome): string => announced[type];

const told = (job: Job, condition: string, type: Outcome['type']): Outcome | undefined => {
  const found = conditionOf(job.status?.conditions, condition);
  return found?.status === 'True'
    ? { type, reason: found.reason ?? '', message: found.message ?? '' }
    : undefined;
};

/** Complete or Failed for good. */
export const finishedAs = (job: Job): Outcome | undefined =>
  told(job, 'Complete', 'Complete') ?? told(job, 'Failed', 'Failed');

/** When it finished. */
export const finishedAt = (job: Job): Instant | undefined => {
  const condition = (['Complete', 'Failed'] as const)
    .map((type) => conditionOf(job.status?.conditions, type))
    .find((found) => found?.status === 'True');
  return fromTimestamp(condition?.lastTransitionTime);
};

const failed = (reason: string, message: string): Outcome => ({ type: 'Failed', reason, message });

/** A suspended Job has none; when it is resumed, its start is set anew. */
export const deadlineOf = ({ spec, status }: Job): Instant | undefined => {
  const start = fromTimestamp(status?.startTime);
  const suspended = spec.suspend === true || conditionOf(status?.conditions, 'Suspended')?.status === 'True';
  return spec.activeDeadlineSeconds === undefined || start === undefined || suspended
    ? undefined
    : start + spec.activeDeadlineSeconds * 1000;
};

/** Containers that are restarted in place count as failures too. */
const restartsTooOften = ({ spec }: Job, active: readonly Pod[]): boolean => {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return false;
  const restarts = active.reduce((sum, pod) => sum + podRestarts(pod), 0);
  const { backoffLimit = 6 } = spec;
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
};

const failureOf = (job: Job, tally: Tally, active: readonly Pod[]): Outcome | undefined => {
  const { backoffLimit = 6, completions = 0, maxFailedIndexes, backoffLimitPerIndex } = job.spec;
  if (tally.fatal !== undefined) return failed('PodFailurePolicy', tally.fatal);
  if (tally.failed > backoffLimit || restartsTooOften(job, active))
    return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  if (backoffLimitPerIndex === undefined) return undefined;
  if (maxFailedIndexes !== undefined && tally.failedIndexes.size > maxFailedIndexes)
    return failed(
      'MaxFailedIndexesExceeded',
      'Job has exceeded the specified maximal number of failed indexes',
    );
  return tally.failedIndexes.size > 0 && tally.failedIndexes.size + tally.completedIndexes.size >= completions
    ? failed('FailedIndexes', 'Job has failed indexes')
    : undefined;
};

const successRule = (job: Job, tally: Tally): number => {
  const { completions = 0, successPolicy } = job.spec;
  return (successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    const wanted = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, completions);
    const reached = [...tally.completedIndexes].filter((index) => wanted?.has(index) ?? true).length;
    return reached >= (succeededCount ?? wanted?.size ?? completions);
  });
};

const successOf = (job: Job, tally: Tally, active: readonly Pod[]): Outcome | undefined => {
  const { completions } = job.spec;
  const rule = isIndexed(job) ? successRule(job, tally) : -1;
  if (rule >= 0)
    return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${String(rule)}` };
  // Without a number of completions, one success says that the work is done, and the others are waited for.
  const reached =
    completions === undefined ? tally.succeeded > 0 && active.length === 0 : tally.succeeded >= completions;
  return reached
    ? {
        type: 'Complete',
        reason: 'CompletionsReached',
        message: 'Reached expected number of succeeded pods',
      }
    : undefined;
};

/** What was announced stays. */
export const outcomeOf = (
  job: Job,
  { tally, active, now }: { readonly tally: Tally; readonly active: readonly Pod[]; readonly now: Instant },
): Outcome | undefined => {
  const before = told(job, announced.Failed, 'Failed') ?? told(job, announced.Complete, 'Complete');
  if (before !== undefined) return before;
  const failure = failureOf(job, tally, active);
  if (failure !== undefined) return failure;
  const success = successOf(job, tally, active);
  if (success !== undefined) return success;
  const deadline = deadlineOf(job);
  return deadline !== undefined && deadline <= now
    ? failed('DeadlineExceeded', 'Job was active longer than specified deadline')
    : undefined;
};
