// Counts the pods of a Job that ended, each exactly once. A pod's uid is written into the status while a finalizer still
// holds the pod; only when the finalizer is seen to be gone does the uid become a number.
import type { Job, Pod } from '../../resources/generated/types.js';
import { formatIndexes, parseIndexes } from './index-set.js';
import { earlierFailures, endingOf, indexOf, isIndexed, isTracked, verdictOn } from './job-pods.js';
import type { Ending } from './job-pods.js';

export interface Tally {
  /** What the status is to say: counted, and noted but not counted yet. */
  readonly counted: Readonly<Record<Ending, number>>;
  readonly uncounted: Readonly<Record<Ending, readonly string[]>>;
  /** Pods that succeeded, noted ones included; of an indexed Job, indexes. */
  readonly succeeded: number;
  readonly failed: number;
  readonly completedIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
  /** Why the failure policy ends the Job. */
  readonly fatal: string | undefined;
}

const notedIn = ({ status }: Job): Readonly<Record<Ending, readonly string[]>> => ({
  succeeded: status?.uncountedTerminatedPods?.succeeded ?? [],
  failed: status?.uncountedTerminatedPods?.failed ?? [],
});

/** More indexes fail than come back: an index fails for good when it failed more often than its limit, or by policy. */
const failsIndex = (pod: Pod, job: Job, action: string): boolean => {
  const limit = job.spec.backoffLimitPerIndex;
  if (limit === undefined) return false;
  return action === 'FailIndex' || (action === 'Count' && earlierFailures(pod) >= limit);
};

/** Whether the persisted status of the Job has taken note of how the pod ended, so that the pod may go. */
export const isNoted = (pod: Pod, job: Job): boolean => {
  const ending = endingOf(pod, job);
  if (ending === undefined) return false;
  const noted = notedIn(job);
  const { uid } = pod.metadata;
  if (noted.succeeded.includes(uid) || noted.failed.includes(uid)) return true;
  if (ending === 'failed') return verdictOn(pod, job).action === 'Ignore';
  const index = indexOf(pod);
  if (!isIndexed(job)) return false;
  const { completions = 0 } = job.spec;
  return (
    index === undefined ||
    index >= completions ||
    parseIndexes(job.status?.completedIndexes, completions).has(index)
  );
};

interface Draft {
  readonly noted: Record<Ending, string[]>;
  readonly completed: Set<number>;
  readonly failedIndexes: Set<number>;
  fatal: string | undefined;
}

const note = (draft: Draft, pod: Pod, job: Job): void => {
  const ending = endingOf(pod, job);
  const { uid } = pod.metadata;
  const { completions = 0 } = job.spec;
  if (ending === undefined) return;
  const index = indexOf(pod);
  if (ending === 'succeeded') {
    if (!isIndexed(job)) draft.noted.succeeded.push(uid);
    else if (index !== undefined && index < completions) draft.completed.add(index);
    return;
  }
  const { action, message } = verdictOn(pod, job);
  if (action === 'FailJob') draft.fatal ??= message;
  if (action === 'Ignore') return;
  draft.noted.failed.push(uid);
  if (index !== undefined && index < completions && failsIndex(pod, job, action))
    draft.failedIndexes.add(index);
};

/** `pods`: all that the Job manages. */
export const tallyOf = (job: Job, pods: readonly Pod[]): Tally => {
  const before = notedIn(job);
  const { completions = 0 } = job.spec;
  const tracked = new Map(pods.filter(isTracked).map((pod) => [pod.metadata.uid, pod]));
  const held = (uid: string): boolean => tracked.has(uid);
  const draft: Draft = {
    noted: { succeeded: before.succeeded.filter(held), failed: before.failed.filter(held) },
    completed: new Set(parseIndexes(job.status?.completedIndexes, completions)),
    failedIndexes: new Set(parseIndexes(job.status?.failedIndexes, completions)),
    fatal: undefined,
  };
  const known = new Set([...before.succeeded, ...before.failed]);
  for (const [uid, pod] of tracked) if (!known.has(uid)) note(draft, pod, job);
  for (const index of draft.completed) draft.failedIndexes.delete(index);
  const letGo = (ending: Ending): number => before[ending].filter((uid) => !held(uid)).length;
  const counted = {
    succeeded: isIndexed(job) ? draft.completed.size : (job.status?.succeeded ?? 0) + letGo('succeeded'),
    failed: (job.status?.failed ?? 0) + letGo('failed'),
  };
  return {
    counted,
    uncounted: draft.noted,
    succeeded: counted.succeeded + draft.noted.succeeded.length,
    failed: counted.failed + draft.noted.failed.length,
    completedIndexes: draft.completed,
    failedIndexes: draft.failedIndexes,
    fatal: draft.fatal,
  };
};

/** The members of the status that a tally fills in. */
export const tallied = (job: Job, tally: Tally): Partial<NonNullable<Job['status']>> => {
  const { succeeded, failed } = tally.uncounted;
  return {
    ...(tally.counted.succeeded === 0 ? {} : { succeeded: tally.counted.succeeded }),
    ...(tally.counted.failed === 0 ? {} : { failed: tally.counted.failed }),
    uncountedTerminatedPods: {
      ...(succeeded.length === 0 ? {} : { succeeded }),
      ...(failed.length === 0 ? {} : { failed }),
    },
    ...(isIndexed(job) && tally.completedIndexes.size > 0
      ? { completedIndexes: formatIndexes(tally.completedIndexes) }
      : {}),
    ...(job.spec.backoffLimitPerIndex === undefined
      ? {}
      : { failedIndexes: formatIndexes(tally.failedIndexes) }),
  };
};
