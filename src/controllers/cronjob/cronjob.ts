// CronJob: a Job for each time of its schedule; after an outage for the last missed time only. Follows `cronjob_controllerv2.go`.
import { fromTimestamp, toTimestamp } from '../../base/clock.js';
import type { Instant } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import type { Index, View } from '../../client/view.js';
import type { ClusterAction } from '../../reconcile/cluster-action.js';
import type { Controller, Decision, Failure, Key } from '../../reconcile/controller.js';
import { missedTimes, nextTime } from '../../resources/cron-schedule.js';
import type { CronJob, Job } from '../../resources/generated/types.js';
import { cronjobs } from '../../resources/kinds/cronjobs.js';
import { jobs } from '../../resources/kinds/jobs.js';
import { controllerOf, isDeleting, nameOf, ownedBy } from '../../resources/resource.js';
import { finishedAs } from '../job/outcome.js';
import { ownerKeys } from '../../reconcile/ownership.js';
import { event, failureEvents } from '../pod-actions.js';

const jobsByController: Index<Job> = {
  name: 'jobs by controller',
  kind: jobs,
  keys: (job) => {
    const owner = controllerOf(job);
    return owner === undefined ? [] : [owner.uid];
  },
};

export interface CronJobObserved {
  readonly cronJob: CronJob;
  readonly controlled: readonly Job[];
  isTaken(jobName: string): boolean;
}

/** Beyond so many missed times something is wrong with the clock or the deadline, as in Kubernetes. */
const suspiciouslyMany = 100;

const observe = (view: View, key: Key): CronJobObserved | undefined => {
  const cronJob = view.get(cronjobs, key);
  if (cronJob === undefined) return undefined;
  const { uid, namespace } = cronJob.metadata;
  return {
    cronJob,
    controlled: view.lookup(jobsByController, uid),
    isTaken: (name) => view.get(jobs, { name, namespace }) !== undefined,
  };
};

/** One name for each time: whoever decides twice about a time finds that its Job is there. */
export const jobName = ({ metadata }: CronJob, time: Instant): string =>
  `${metadata.name}-${String(Math.floor(time / 60_000))}`;

const deletion = ({ metadata: { name, namespace, uid } }: Job): ClusterAction => ({
  type: 'delete',
  kind: jobs,
  name: { name, namespace },
  options: { propagationPolicy: 'Background', preconditions: { uid } },
});

const creation = (cronJob: CronJob, time: Instant): ClusterAction => {
  const { metadata, spec } = cronJob.spec.jobTemplate;
  return {
    type: 'create',
    kind: jobs,
    object: {
      metadata: {
        name: jobName(cronJob, time),
        namespace: cronJob.metadata.namespace,
        labels: { ...metadata?.labels },
        annotations: {
          ...metadata?.annotations,
          'batch.kubernetes.io/cronjob-scheduled-timestamp': toTimestamp(time),
        },
        ownerReferences: [ownedBy(cronJob)],
      },
      spec,
    } as Extract<ClusterAction, { type: 'create' }>['object'],
  };
};

interface Step {
  readonly actions: readonly ClusterAction[];
  readonly because: string;
  /** A time that is dealt with. */
  readonly scheduled?: Instant;
}

const dueTime = ({ spec, status, metadata }: CronJob, now: Instant) => {
  const last = fromTimestamp(status?.lastScheduleTime) ?? fromTimestamp(metadata.creationTimestamp) ?? now;
  const { startingDeadlineSeconds: deadline } = spec;
  const after = deadline === undefined ? last : Math.max(last, now - deadline * 1000 - 1);
  return missedTimes(spec, { after, until: now, bound: suspiciouslyMany + 1 });
};

const decide = ({ cronJob, isTaken }: CronJobObserved, active: readonly Job[], now: Instant): Step => {
  if (isDeleting(cronJob)) return { actions: [], because: 'it is being deleted' };
  if (cronJob.spec.suspend === true) return { actions: [], because: 'is suspended' };
  const due = dueTime(cronJob, now);
  if (due === undefined) return { actions: [], because: 'waits for the next time of its schedule' };
  const warnings =
    due.count > suspiciouslyMany
      ? [
          event(cronJob, {
            type: 'Warning',
            reason: 'TooManyMissedTimes',
            message: `too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew`,
          }),
        ]
      : [];
  const scheduled = due.latest;
  const name = jobName(cronJob, scheduled);
  if (isTaken(name)) return { actions: warnings, because: `${name} is there`, scheduled };
  if (cronJob.spec.concurrencyPolicy === 'Forbid' && active.length > 0)
    return {
      actions: [
        ...warnings,
        event(cronJob, {
          reason: 'JobAlreadyActive',
          message: 'Not starting job because prior execution is running and concurrency policy is Forbid',
        }),
      ],
      because: 'a Job still runs, and no second one may',
    };
  const replaced = cronJob.spec.concurrencyPolicy === 'Replace' ? active : [];
  return {
    actions: [
      ...warnings,
      ...replaced.map(deletion),
      ...replaced.map((job) =>
        event(cronJob, { reason: 'SuccessfulDelete', message: `Deleted job ${job.metadata.name}` }),
      ),
      creation(cronJob, scheduled),
      event(cronJob, { reason: 'SuccessfulCreate', message: `Created job ${name}` }),
    ],
    because: `creates ${name} for ${toTimestamp(scheduled)}`,
    scheduled,
  };
};

const startOf = ({ status, metadata }: Job): Instant =>
  fromTimestamp(status?.startTime) ?? fromTimestamp(metadata.creationTimestamp) ?? 0;

/** Jobs that ended, beyond the limits of the history, the oldest first. */
const cleanup = ({ cronJob, controlled }: CronJobObserved): readonly ClusterAction[] => {
  const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cronJob.spec;
  const surplus = (type: 'Complete' | 'Failed', limit: number): readonly Job[] => {
    const ended = controlled.filter((job) => !isDeleting(job) && finishedAs(job)?.type === type);
    return [...ended].sort((a, b) => startOf(a) - startOf(b)).slice(0, Math.max(0, ended.length - limit));
  };
  return [
    ...surplus('Complete', successfulJobsHistoryLimit),
    ...surplus('Failed', failedJobsHistoryLimit),
  ].map(deletion);
};

const statusOf = (
  { cronJob, controlled }: CronJobObserved,
  active: readonly Job[],
  scheduled: Instant | undefined,
): NonNullable<CronJob['status']> => {
  const ends = controlled.flatMap(({ status }) => fromTimestamp(status?.completionTime) ?? []);
  const successes = [...ends, ...[fromTimestamp(cronJob.status?.lastSuccessfulTime) ?? []].flat()];
  const last = scheduled === undefined ? cronJob.status?.lastScheduleTime : toTimestamp(scheduled);
  const references = [...active]
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map(({ apiVersion, kind, metadata: { name, namespace, uid } }) => ({
      apiVersion,
      kind,
      name,
      namespace,
      uid,
    }));
  return {
    ...(references.length === 0 ? {} : { active: references }),
    ...(last === undefined ? {} : { lastScheduleTime: last }),
    ...(successes.length === 0 ? {} : { lastSuccessfulTime: toTimestamp(Math.max(...successes)) }),
  };
};

const reconcile = (observed: CronJobObserved, now: Instant, failure?: Failure): Decision<ClusterAction> => {
  const { cronJob, controlled } = observed;
  const active = controlled.filter((job) => !isDeleting(job) && finishedAs(job) === undefined);
  const step = decide(observed, active, now);
  const status = statusOf(observed, active, step.scheduled);
  const object: CronJob = { ...cronJob, status };
  const waits = cronJob.spec.suspend !== true && !isDeleting(cronJob);
  return {
    actions: [
      ...failureEvents(cronJob, failure),
      // The time counts as dealt with only once its Job is there.
      ...step.actions,
      ...(equal(cronJob.status ?? {}, status)
        ? []
        : [{ type: 'updateStatus', kind: cronjobs, object } as const]),
      ...cleanup(observed),
    ],
    because: failure === undefined ? step.because : `${step.because}; last attempt: ${failure.message}`,
    wakeAt: waits ? nextTime(cronJob.spec, now) : undefined,
  };
};

export const cronJobController: Controller<CronJobObserved, ClusterAction> = {
  name: 'cronjob',
  watches: [
    { kind: cronjobs, keys: ({ object }) => [nameOf(object)] },
    { kind: jobs, keys: (change) => ownerKeys(cronjobs, change) },
  ],
  indexes: [jobsByController],
  observe,
  reconcile,
};
