// CronJobs: Jobs that are made when a schedule says so.
import type { FieldError } from '../../base/errors.js';
import { equal } from '../../base/json.js';
import {
  ageColumn,
  containerImages,
  containerNames,
  integer,
  nameColumn,
  orNone,
  text,
  wide,
} from '../columns.js';
import { isTimeZone, scheduleProblem } from '../cron-schedule.js';
import { withChanges, withDefaults } from '../defaults.js';
import { ageOf } from '../duration.js';
import type { CronJob } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { formatLabelSelector } from '../label-selector.js';
import { jobSpecErrors } from '../pod-template/validate-job.js';
import { forbidden, invalid, nonNegative, oneOf, required } from '../validation/field-errors.js';
import { nameErrors } from '../validation/metadata.js';
import { dnsSubdomainErrors } from '../validation/names.js';
import { defaultedJobSpec } from './jobs.js';

/** A Job's name has room for the minutes of its time. */
const longestName = 52;

const columns: readonly Column<CronJob>[] = [
  nameColumn,
  text('Schedule', 'The schedule in Cron format.', ({ spec }) => spec.schedule),
  text('Timezone', 'The time zone of the schedule.', ({ spec }) => orNone(spec.timeZone)),
  text('Suspend', 'Whether further runs are held back.', ({ spec }) =>
    spec.suspend === true ? 'True' : 'False',
  ),
  integer('Active', 'Jobs that run now.', ({ status }) => status?.active?.length ?? 0),
  text('Last Schedule', 'Time since a Job was made last.', ({ status }, now) =>
    status?.lastScheduleTime === undefined ? '<none>' : ageOf(status.lastScheduleTime, now),
  ),
  ageColumn,
  wide('Containers', 'Names of each container in the template.', ({ spec }) =>
    containerNames(spec.jobTemplate.spec?.template.spec?.containers),
  ),
  wide('Images', 'Images referenced by each container in the template.', ({ spec }) =>
    containerImages(spec.jobTemplate.spec?.template.spec?.containers),
  ),
  wide('Selector', 'Label selector for pods.', ({ spec }) =>
    formatLabelSelector(spec.jobTemplate.spec?.selector),
  ),
];

const defaulted = (cronJob: CronJob): CronJob => {
  const filled = withDefaults(cronJob.spec, {
    concurrencyPolicy: 'Allow',
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
  });
  const { jobTemplate } = filled;
  return withChanges(cronJob, {
    spec: withChanges(filled, {
      jobTemplate: withChanges(jobTemplate, { spec: jobTemplate.spec && defaultedJobSpec(jobTemplate.spec) }),
    }),
  });
};

const scheduleErrors = ({ schedule, timeZone }: CronJob['spec']): readonly FieldError[] => {
  const problem = schedule.trim() === '' ? undefined : scheduleProblem(schedule);
  return [
    ...(schedule.trim() === '' ? [required('spec.schedule')] : []),
    ...(problem === undefined ? [] : [invalid('spec.schedule', schedule, problem)]),
    ...(timeZone !== undefined && !isTimeZone(timeZone)
      ? [invalid('spec.timeZone', timeZone, `unknown time zone ${timeZone}`)]
      : []),
  ];
};

const validate = ({ metadata, spec }: CronJob, old: CronJob | undefined): readonly FieldError[] => {
  if (old !== undefined && equal(spec, old.spec)) return [];
  const template = spec.jobTemplate.spec;
  const at = 'spec.jobTemplate.spec';
  return [
    ...nameErrors(metadata, (name) => [
      ...dnsSubdomainErrors(name),
      ...(name.length > longestName ? [`must be no more than ${String(longestName)} characters`] : []),
    ]),
    ...scheduleErrors(spec),
    ...nonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds),
    ...oneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']),
    ...nonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
    ...nonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
    ...(template === undefined ? [required(`${at}.template`)] : jobSpecErrors(at, template)),
    ...(template?.manualSelector === true || template?.selector !== undefined
      ? [forbidden(`${at}.selector`, 'a selector is made for each Job')]
      : []),
  ];
};

export const cronjobs = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  definition: 'io.k8s.api.batch.v1.CronJob',
  subresources: ['status'],
  generationFields: ['spec'],
  columns,
  defaulted,
  validate,
});
