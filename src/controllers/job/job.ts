// Job: pods until so many have succeeded, or too many have failed. See tally.ts for how each is counted once.
import { toTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import { podsByController } from '../../client/indexes.js';
import type { View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Failure, Key } from '../../reconcile/controller.js';
import { conditionOf, withCondition } from '../../resources/conditions.js';
import type { Job, JobCondition, JobStatus, Pod } from '../../resources/generated/types.js';
import { jobs } from '../../resources/kinds/jobs.js';
import { pods } from '../../resources/kinds/pods.js';
import { isPodActive, isPodReady } from '../../resources/pod-status.js';
import { isDeleting, nameOf } from '../../resources/resource.js';
import { ownerKeys } from '../../reconcile/ownership.js';
import { event, failureEvents, podCreations, podDeletions } from '../pod-actions.js';
import { isTerminating, isTracked } from './job-pods.js';
import { announcementOf, deadlineOf, finishedAs, finishedAt, outcomeOf } from './outcome.js';
import type { Outcome } from './outcome.js';
import { tallied, tallyOf } from './tally.js';
import type { Tally } from './tally.js';
import { released } from './tracked-pods.js';
import { workOf } from './work.js';

export interface JobObserved {
  readonly job: Job;
  /** All pods that it manages. */
  readonly pods: readonly Pod[];
  isTaken(podName: string): boolean;
}

const ourselves = 'kubernetes.io/job-controller';

const observe = (view: View, key: Key): JobObserved | undefined => {
  const job = view.get(jobs, key);
  if (job === undefined || (job.spec.managedBy ?? ourselves) !== ourselves) return undefined;
  const { uid, namespace } = job.metadata;
  return {
    job,
    pods: view.lookup(podsByController, uid),
    isTaken: (name) => view.get(pods, { name, namespace }) !== undefined,
  };
};

type Conditions = readonly JobCondition[];

interface Step {
  readonly actions: readonly ClusterAction[];
  readonly because: string;
  readonly conditions: Conditions;
  /** The status gets a completion time. */
  readonly completes?: boolean;
  readonly wakeAt?: Instant | undefined;
}

interface Turn {
  readonly observed: JobObserved;
  readonly active: readonly Pod[];
  readonly tally: Tally;
  readonly conditions: Conditions;
  readonly now: Instant;
}

/** What is given up without having failed is not counted: its finalizer goes first. */
const abandonments = (job: Job, doomed: readonly Pod[]): readonly ClusterAction[] => [
  ...doomed.filter(isTracked).map(released),
  ...podDeletions(
    job,
    // The revision that was seen is over once the finalizer is gone.
    doomed,
  ).map((action) =>
    action.type === 'delete'
      ? { ...action, options: { preconditions: { uid: action.options.preconditions?.uid } } }
      : action,
  ),
];

const finishing = ({ observed, active, tally, conditions, now }: Turn, outcome: Outcome): Step => {
  const { job, pods: all } = observed;
  const condition = (type: string) => ({
    type,
    status: 'True',
    reason: outcome.reason,
    message: outcome.message,
    lastProbeTime: toTimestamp(now),
  });
  const announcement = announcementOf(outcome);
  const known = conditionOf(conditions, announcement)?.status === 'True';
  const said = known ? conditions : withCondition(conditions, condition(announcement), now);
  const noted = tally.uncounted.failed.length + tally.uncounted.succeeded.length;
  if (active.length > 0 || noted > 0 || all.some((pod) => isTerminating(pod) || isTracked(pod)))
    return {
      actions: podDeletions(job, active),
      because: `is to end as ${outcome.type} (${outcome.reason}): waits for its pods`,
      conditions: said,
    };
  const completed = outcome.type === 'Complete';
  return {
    actions: [
      event(job, {
        type: completed ? 'Normal' : 'Warning',
        reason: completed ? 'Completed' : outcome.reason,
        message: completed ? 'Job completed' : outcome.message,
      }),
    ],
    because: `ended as ${outcome.type}: ${outcome.message}`,
    conditions: withCondition(said, condition(outcome.type), now),
    completes: completed,
  };
};

const suspending = ({ observed: { job }, active, conditions, now }: Turn): Step => {
  const known = conditionOf(conditions, 'Suspended')?.status === 'True';
  return {
    actions: [
      ...abandonments(job, active),
      ...(known ? [] : [event(job, { reason: 'Suspended', message: 'Job suspended' })]),
    ],
    because: 'is suspended',
    conditions: withCondition(
      conditions,
      { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' },
      now,
    ),
  };
};

const working = (turn: Turn): Step => {
  const { observed, active, tally, conditions, now } = turn;
  const { job } = observed;
  const wasSuspended = conditionOf(conditions, 'Suspended')?.status === 'True';
  const work = workOf({ ...observed, active, tally, now });
  const wanted = job.spec.completions === undefined ? 'one or more' : String(job.spec.completions);
  const state = `${String(tally.succeeded)} of ${wanted} succeeded, ${String(active.length)} active`;
  return {
    actions: [
      ...(wasSuspended ? [event(job, { reason: 'Resumed', message: 'Job resumed' })] : []),
      ...abandonments(job, work.remove),
      ...podCreations(job, work.create),
    ],
    because:
      work.create.length > 0
        ? `creates ${String(work.create.length)} pods: ${state}`
        : work.remove.length > 0
          ? `gives up ${String(work.remove.length)} pods: ${state}`
          : work.wakeAt !== undefined
            ? `waits after ${String(tally.failed)} failures: ${state}`
            : state,
    conditions: wasSuspended
      ? withCondition(
          conditions,
          { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' },
          now,
        )
      : conditions,
    wakeAt: work.wakeAt,
  };
};

const decide = (turn: Turn): Step => {
  const { observed, active, tally, now } = turn;
  const outcome = outcomeOf(observed.job, { tally, active, now });
  if (outcome !== undefined) return finishing(turn, outcome);
  return observed.job.spec.suspend === true ? suspending(turn) : working(turn);
};

/** The time from which the deadline counts begins anew when a suspended Job is resumed. */
const startOf = ({ status, spec }: Job, now: Instant): string | undefined => {
  if (spec.suspend === true) return status?.startTime;
  const suspended = conditionOf(status?.conditions, 'Suspended')?.status === 'True';
  return status?.startTime === undefined || suspended ? toTimestamp(now) : status.startTime;
};

const statusOf = ({ observed, active, tally, now }: Turn, step: Step): JobStatus => {
  const { job, pods: all } = observed;
  const start = startOf(job, now);
  const ready = active.filter(isPodReady).length;
  const terminating = all.filter(isTerminating).length;
  return {
    ...(job.status?.completionTime === undefined ? {} : { completionTime: job.status.completionTime }),
    ...(step.completes === true ? { completionTime: toTimestamp(now) } : {}),
    ...(start === undefined ? {} : { startTime: start }),
    ...(step.conditions.length === 0 ? {} : { conditions: step.conditions }),
    ...(active.length === 0 ? {} : { active: active.length }),
    ready,
    terminating,
    ...tallied(job, tally),
  };
};

/** A Job that is over is deleted, with its pods, when its time to live is. */
const over = (job: Job, outcome: Outcome, now: Instant): Decision<ClusterAction> => {
  const seconds = job.spec.ttlSecondsAfterFinished;
  const end = seconds === undefined ? undefined : (finishedAt(job) ?? now) + seconds * 1000;
  if (end === undefined || end > now)
    return { actions: [], because: `ended as ${outcome.type}: ${outcome.message}`, wakeAt: end };
  const { uid, resourceVersion } = job.metadata;
  return {
    actions: [
      {
        type: 'delete',
        kind: jobs,
        name: nameOf(job),
        options: { propagationPolicy: 'Foreground', preconditions: { uid, resourceVersion } },
      },
    ],
    because: `ended more than ${String(seconds)} s ago`,
  };
};

const reconcile = (observed: JobObserved, now: Instant, failure?: Failure): Decision<ClusterAction> => {
  const { job } = observed;
  if (isDeleting(job)) return { actions: [], because: 'it is being deleted' };
  const ended = finishedAs(job);
  if (ended !== undefined) return over(job, ended, now);
  const turn: Turn = {
    observed,
    active: observed.pods.filter(isPodActive),
    tally: tallyOf(job, observed.pods),
    conditions: job.status?.conditions ?? [],
    now,
  };
  const step = decide(turn);
  const status = statusOf(turn, step);
  const object: Job = { ...job, status };
  const started = { ...job, status: { ...status } };
  const wakes = [step.wakeAt, deadlineOf(started)].filter((at) => at !== undefined && at > now);
  return {
    actions: [
      ...(equal(job.status, status) ? [] : [{ type: 'updateStatus', kind: jobs, object } as const]),
      ...failureEvents(job, failure),
      ...step.actions,
    ],
    because: failure === undefined ? step.because : `${step.because}; last attempt: ${failure.message}`,
    wakeAt: wakes.length === 0 ? undefined : Math.min(...(wakes as Instant[])),
  };
};

export const jobController: Controller<JobObserved, ClusterAction> = {
  name: 'job',
  watches: [
    { kind: jobs, keys: ({ object }) => [nameOf(object)] },
    { kind: pods, keys: (change) => ownerKeys(jobs, change) },
  ],
  indexes: [podsByController],
  observe,
  reconcile,
};
