import { describe, expect, it } from 'vitest';
import { cronJobController, jobName } from '../../../src/controllers/cronjob/cronjob.js';
import type { ClusterAction } from '../../../src/reconcile/cluster-action.js';
import { missedTimes, nextTime, scheduleProblem } from '../../../src/resources/cron-schedule.js';
import type { CronJob, Job } from '../../../src/resources/generated/types.js';
import { at, now } from './objects.js';

const cronJob = (spec: object = {}, status: object = {}): CronJob => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: {
    name: 'tidy',
    namespace: 'shop',
    uid: 'cj',
    resourceVersion: '1',
    creationTimestamp: at(-7200),
  },
  spec: { schedule: '*/10 * * * *', jobTemplate: { spec: { template: {} } }, ...spec },
  status,
});

const job = (name: string, type?: 'Complete' | 'Failed', start = 0): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: 'shop', uid: name, resourceVersion: '1', creationTimestamp: at(start) },
  spec: { template: {} },
  status: type === undefined ? {} : { conditions: [{ type, status: 'True' }] },
});

const decide = (owner: CronJob, controlled: readonly Job[] = [], time = now) =>
  cronJobController.reconcile(
    {
      cronJob: owner,
      controlled,
      isTaken: (name) => controlled.some(({ metadata }) => metadata.name === name),
    },
    time,
  );
const names = (actions: readonly ClusterAction[], type: 'create' | 'delete') =>
  actions.flatMap((action) =>
    action.type === 'create' && type === 'create'
      ? [action.object.metadata.name]
      : action.type === 'delete' && type === 'delete'
        ? [action.name.name]
        : [],
  );

describe('a schedule', () => {
  it.each([
    '',
    '* * * *',
    '0 * * * * *',
    '@every 5m',
    '0 0 L * *',
    'H * * * *',
    '60 * * * *',
    'TZ=UTC * * * * *',
    'a b c d e',
  ])('that Kubernetes does not know is refused: %j', (schedule) => {
    expect(scheduleProblem(schedule)).toBeDefined();
  });

  it.each(['*/5 * * * *', '0 9-17 * * MON-FRI', '@hourly', '15,45 0 1 jan *'])('is taken: %s', (schedule) => {
    expect(scheduleProblem(schedule)).toBeUndefined();
  });

  it('follows daylight saving in its zone', () => {
    const berlin = { schedule: '0 9 * * *', timeZone: 'Europe/Berlin' };
    expect(nextTime(berlin, Date.UTC(2026, 2, 28, 0))).toBe(Date.UTC(2026, 2, 28, 8));
    expect(nextTime(berlin, Date.UTC(2026, 2, 29, 0))).toBe(Date.UTC(2026, 2, 29, 7));
  });

  it('has missed the times since, its own second included', () => {
    const every = { schedule: '*/10 * * * *' };
    expect(missedTimes(every, { after: now - 1_800_000, until: now, bound: 101 })).toEqual({
      latest: now,
      count: 3,
    });
    expect(missedTimes(every, { after: now, until: now + 599_999, bound: 101 })).toBeUndefined();
    expect(missedTimes(every, { after: now - 864_000_000, until: now, bound: 101 })?.count).toBe(101);
  });
});

describe('a CronJob', () => {
  it('makes the Job of a time once, under the name of the time, and wakes for the next', () => {
    const owner = cronJob({}, { lastScheduleTime: at(-600) });
    const { actions, wakeAt } = decide(owner);
    expect(names(actions, 'create')).toEqual([`tidy-${String(now / 60_000)}`]);
    expect(actions.at(-1)).toMatchObject({ object: { status: { lastScheduleTime: at(0) } } });
    expect(wakeAt).toBe(now + 600_000);
    expect(names(decide(owner, [job(jobName(owner, now))]).actions, 'create')).toEqual([]);
    expect(names(decide(cronJob({}, { lastScheduleTime: at(0) })).actions, 'create')).toEqual([]);
  });

  it('makes one Job for all the times that an outage has missed, and says when they are very many', () => {
    const lately = decide(cronJob({}, { lastScheduleTime: at(-3600) }), [], now + 300_000);
    expect(names(lately.actions, 'create')).toEqual([`tidy-${String(now / 60_000)}`]);
    const many = decide(cronJob({ schedule: '* * * * *' })).actions;
    expect(names(many, 'create')).toHaveLength(1);
    expect(many[0]).toMatchObject({ event: { reason: 'TooManyMissedTimes' } });
  });

  it('starts nothing after its starting deadline', () => {
    const owner = cronJob({ startingDeadlineSeconds: 60 }, { lastScheduleTime: at(-600) });
    expect(names(decide(owner, [], now + 61_000).actions, 'create')).toEqual([]);
    expect(names(decide(owner, [], now + 60_000).actions, 'create')).toHaveLength(1);
  });

  it('keeps to its concurrency policy', () => {
    const runs = [job('before')];
    const by = (concurrencyPolicy: string) =>
      decide(cronJob({ concurrencyPolicy }, { lastScheduleTime: at(-600) }), runs).actions;
    expect(names(by('Allow'), 'create')).toHaveLength(1);
    expect(names(by('Forbid'), 'create')).toEqual([]);
    expect(names(by('Replace'), 'delete')).toEqual(['before']);
    expect(names(by('Replace'), 'create')).toHaveLength(1);
  });

  it('makes nothing while it is suspended', () => {
    const { actions, wakeAt } = decide(cronJob({ suspend: true }));
    expect(names(actions, 'create')).toEqual([]);
    expect(wakeAt).toBeUndefined();
  });

  it('forgets the oldest of the Jobs that ended', () => {
    const owner = cronJob(
      { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 },
      { lastScheduleTime: at(0) },
    );
    const ended = [
      job('new', 'Complete', -10),
      job('old', 'Complete', -20),
      job('bad', 'Failed', -5),
      job('runs'),
    ];
    expect(names(decide(owner, ended).actions, 'delete')).toEqual(['old', 'bad']);
  });
});
