// Jobs: pods that run to an end, so many times as are asked for.
import type { FieldError } from '../../base/errors.js';
import { fromTimestamp } from '../../base/clock.js';
import { equal } from '../../base/json.js';
import { ageColumn, containerImages, containerNames, nameColumn, text, wide } from '../columns.js';
import { isConditionTrue } from '../conditions.js';
import { mapped, withChanges, withDefaults } from '../defaults.js';
import { humanDuration } from '../duration.js';
import type { Job, JobSpec } from '../generated/types.js';
import type { Column } from '../kind.js';
import { defineKind } from '../kind.js';
import { formatLabelSelector } from '../label-selector.js';
import { defaultedTemplate } from '../pod-template/default-pod-spec.js';
import { jobSpecErrors, jobUpdateErrors } from '../pod-template/validate-job.js';
import { isDeleting } from '../resource.js';
import { dnsSubdomainErrors } from '../validation/names.js';
import { nameErrors } from '../validation/metadata.js';

const statusOf = (job: Job): string => {
  const has = (type: string): boolean => isConditionTrue(job.status?.conditions, type);
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (isDeleting(job)) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running';
};

const completionsOf = ({ spec, status }: Job): string => {
  const succeeded = String(status?.succeeded ?? 0);
  if (spec.completions !== undefined) return `${succeeded}/${String(spec.completions)}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${String(parallelism)}` : `${succeeded}/1`;
};

const durationOf = ({ status }: Job, now: number): string => {
  const start = fromTimestamp(status?.startTime);
  return start === undefined ? '' : humanDuration((fromTimestamp(status?.completionTime) ?? now) - start);
};

const columns: readonly Column<Job>[] = [
  nameColumn,
  text('Status', 'Status of the job.', statusOf),
  text('Completions', 'Number of pods that succeeded, of those that are wanted.', completionsOf),
  text('Duration', 'Time required to complete the job.', durationOf),
  ageColumn,
  wide('Containers', 'Names of each container in the template.', ({ spec }) =>
    containerNames(spec.template.spec?.containers),
  ),
  wide('Images', 'Images referenced by each container in the template.', ({ spec }) =>
    containerImages(spec.template.spec?.containers),
  ),
  wide('Selector', 'Label selector for pods.', ({ spec }) => formatLabelSelector(spec.selector)),
];

/** As many failures as an `int32` holds: only the limit of each index counts. */
const noLimit = 2_147_483_647;

const defaultedPolicy = (policy: JobSpec['podFailurePolicy']): JobSpec['podFailurePolicy'] =>
  policy &&
  withChanges(policy, {
    rules: mapped(policy.rules, (rule) =>
      withChanges(rule, {
        onPodConditions: mapped(rule.onPodConditions, (pattern) => withDefaults(pattern, { status: 'True' })),
      }),
    ),
  });

/** Shared with the templates of CronJobs. */
export const defaultedJobSpec = (spec: JobSpec): JobSpec => {
  const filled = withDefaults(spec, {
    ...(spec.completions === undefined && spec.parallelism === undefined ? { completions: 1 } : {}),
    parallelism: 1,
    backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : noLimit,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed',
  });
  return withChanges(filled, {
    podFailurePolicy: defaultedPolicy(filled.podFailurePolicy),
    template: defaultedTemplate(filled.template),
  });
};

/** A Job selects its pods by its own uid, unless the user takes that upon himself. */
const withSelector = (job: Job): Job => {
  const { uid, name } = job.metadata as Partial<Job['metadata']>;
  if (uid === undefined || uid === '' || job.spec.manualSelector === true) return job;
  if (job.spec.selector !== undefined) return job;
  const { template } = job.spec;
  const owner = name === undefined ? {} : { 'batch.kubernetes.io/job-name': name, 'job-name': name };
  const labels = {
    ...template.metadata?.labels,
    'batch.kubernetes.io/controller-uid': uid,
    'controller-uid': uid,
    ...owner,
  };
  return withChanges(job, {
    spec: withChanges(job.spec, {
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    }),
  });
};

const generated: ReadonlySet<string> = new Set([
  'batch.kubernetes.io/controller-uid',
  'batch.kubernetes.io/job-name',
  'controller-uid',
  'job-name',
]);

/** A Job without labels has those that the user gave its pods. */
const withLabels = (job: Job): Job => {
  if (Object.keys(job.metadata.labels ?? {}).length > 0) return job;
  const given = Object.entries(job.spec.template.metadata?.labels ?? {}).filter(
    ([name]) => !generated.has(name),
  );
  return given.length === 0
    ? job
    : withChanges(job, { metadata: { ...job.metadata, labels: Object.fromEntries(given) } });
};

const defaulted = (job: Job): Job =>
  withSelector(withChanges(withLabels(job), { spec: defaultedJobSpec(job.spec) }));

const validate = ({ metadata, spec }: Job, old: Job | undefined): readonly FieldError[] => {
  if (old !== undefined && equal(spec, old.spec)) return [];
  const indexed = spec.completionMode === 'Indexed';
  return [
    // The name becomes a label of the pods, and with an index their host name.
    ...nameErrors(metadata, (name) => [
      ...dnsSubdomainErrors(name),
      ...(name.length > 63 - (indexed ? String((spec.completions ?? 1) - 1).length + 1 : 0)
        ? ['must be no more than 63 bytes, with the index of its pods']
        : []),
    ]),
    ...jobSpecErrors('spec', spec),
    ...(old === undefined ? [] : jobUpdateErrors('spec', spec, old)),
  ];
};

export const jobs = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  namespaced: true,
  definition: 'io.k8s.api.batch.v1.Job',
  subresources: ['status'],
  generationFields: ['spec'],
  columns,
  defaulted,
  validate,
  selectableFields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
});
