// Which pods a Job that goes on makes and gives up: as many at once as its parallelism, later after each failure.
import type { Instant } from '../../base/clock.js';
import type { EnvVar, Job, Pod } from '../../resources/generated/types.js';
import type { Draft } from '../../resources/resource.js';
import { shortHash } from '../../reconcile/hash.js';
import { podOf } from '../pod-actions.js';
import { rankForDeletion } from '../replicaset/pod-ranking.js';
import { freeNames } from '../replicaset/pod-slots.js';
import {
  earlierFailures,
  endedAt,
  endingOf,
  failureCountAnnotation,
  indexAnnotation,
  indexOf,
  isIndexed,
  isTerminating,
  replacesFailedOnly,
  trackingFinalizer,
} from './job-pods.js';
import type { Tally } from './tally.js';

/** As Kubernetes: 10 s, doubled with each failure in a row, at most 10 minutes. */
const firstBackOffMs = 10_000;
const longestBackOffMs = 600_000;
/** At most so many pods are made in one turn. */
const burst = 500;

export interface WorkInput {
  readonly job: Job;
  /** All that it manages. */
  readonly pods: readonly Pod[];
  readonly active: readonly Pod[];
  readonly tally: Tally;
  readonly now: Instant;
  isTaken(podName: string): boolean;
}

export interface Work {
  readonly create: readonly Draft<Pod>[];
  /** Active pods that are too many. */
  readonly remove: readonly Pod[];
  /** When pods may be made again after failures. */
  readonly wakeAt?: Instant | undefined;
}

const backOff = (failures: number): number =>
  failures === 0 ? 0 : Math.min(longestBackOffMs, firstBackOffMs * 2 ** Math.min(failures - 1, 10));

/** Counted from the last failure, over the failures since the last success. */
const resumesAt = (job: Job, pods: readonly Pod[]): Instant => {
  const ended = pods
    .filter((pod) => endingOf(pod, job) !== undefined)
    .sort((a, b) => endedAt(a) - endedAt(b));
  const since = ended.slice(ended.findLastIndex((pod) => endingOf(pod, job) === 'succeeded') + 1);
  const last = since.at(-1);
  return last === undefined ? 0 : endedAt(last) + backOff(since.length);
};

const plainPod = (job: Job, name: string): Draft<Pod> =>
  podOf(job, job.spec.template, { name, finalizers: [trackingFinalizer] });

const indexVariable: EnvVar = {
  name: 'JOB_COMPLETION_INDEX',
  valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } },
};

const indexedPod = (
  job: Job,
  index: number,
  { name, failures }: { name: string; failures: number },
): Draft<Pod> => {
  const { spec } = job.spec.template;
  const withIndex = <C extends { readonly env?: readonly EnvVar[] | undefined }>(container: C): C =>
    container.env?.some((variable) => variable.name === indexVariable.name) === true
      ? container
      : { ...container, env: [...(container.env ?? []), indexVariable] };
  return podOf(job, job.spec.template, {
    name,
    labels: { [indexAnnotation]: String(index) },
    annotations: {
      [indexAnnotation]: String(index),
      ...(job.spec.backoffLimitPerIndex === undefined ? {} : { [failureCountAnnotation]: String(failures) }),
    },
    finalizers: [trackingFinalizer],
    spec: {
      hostname: `${job.metadata.name}-${String(index)}`,
      containers: (spec?.containers ?? []).map(withIndex),
      ...(spec?.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withIndex) }),
    },
  });
};

/** Each index has names of its own for ever; the first that is free is taken. */
const indexedName = ({ job, isTaken }: WorkInput, index: number): string => {
  const { name, uid } = job.metadata;
  const base = `${name}-${String(index)}`.slice(0, 57);
  for (let attempt = 0; ; attempt += 1) {
    const candidate = `${base}-${shortHash(5, uid, index, attempt)}`;
    if (!isTaken(candidate)) return candidate;
  }
};

/** The highest number of failures that a pod of the index has seen, itself included; with when it ended. */
const indexFailures = (input: WorkInput): ReadonlyMap<number, { failures: number; at: Instant }> => {
  const all = new Map<number, { failures: number; at: Instant }>();
  for (const pod of input.pods) {
    const index = indexOf(pod);
    if (index === undefined || endingOf(pod, input.job) !== 'failed') continue;
    const failures = earlierFailures(pod) + 1;
    if (failures > (all.get(index)?.failures ?? 0)) all.set(index, { failures, at: endedAt(pod) });
  }
  return all;
};

const indexedWork = (input: WorkInput, room: number, busy: readonly Pod[]): Work => {
  const { job, tally, now } = input;
  const { completions = 0, backoffLimitPerIndex } = job.spec;
  const taken = new Set(busy.map(indexOf));
  const failures = backoffLimitPerIndex === undefined ? new Map<number, never>() : indexFailures(input);
  const create: Draft<Pod>[] = [];
  let wakeAt: Instant | undefined;
  for (let index = 0; index < completions && create.length < Math.min(room, burst); index += 1) {
    if (taken.has(index) || tally.completedIndexes.has(index) || tally.failedIndexes.has(index)) continue;
    const earlier = failures.get(index);
    const at = earlier === undefined ? 0 : earlier.at + backOff(earlier.failures);
    if (at > now) wakeAt = Math.min(at, wakeAt ?? Infinity);
    else
      create.push(
        indexedPod(job, index, { name: indexedName(input, index), failures: earlier?.failures ?? 0 }),
      );
  }
  return { create, remove: [], wakeAt };
};

/** Pods of an index that is done, failed, gone, or has an older pod. */
const uselessPods = ({ job, active, tally }: WorkInput): readonly Pod[] => {
  if (!isIndexed(job)) return [];
  const seen = new Set<number>();
  const createdAt = ({ metadata }: Pod): string => `${metadata.creationTimestamp} ${metadata.name}`;
  return [...active]
    .sort((a, b) => (createdAt(a) < createdAt(b) ? -1 : 1))
    .filter((pod) => {
      const index = indexOf(pod);
      const useful =
        index !== undefined &&
        index < (job.spec.completions ?? 0) &&
        !seen.has(index) &&
        !tally.completedIndexes.has(index) &&
        !tally.failedIndexes.has(index);
      if (index !== undefined) seen.add(index);
      return !useful;
    });
};

const wantedPods = ({ job, active, tally }: WorkInput): number => {
  const { parallelism = 1, completions } = job.spec;
  if (completions === undefined)
    return tally.succeeded > 0 ? Math.min(active.length, parallelism) : parallelism;
  return Math.min(parallelism, Math.max(0, completions - tally.succeeded));
};

export const workOf = (input: WorkInput): Work => {
  const { job, active, pods, now } = input;
  const useless = uselessPods(input);
  const useful = active.filter((pod) => !useless.includes(pod));
  const wanted = wantedPods(input);
  if (useful.length > wanted || useless.length > 0) {
    const surplus = rankForDeletion(useful, new Map()).slice(0, Math.max(0, useful.length - wanted));
    return { create: [], remove: [...useless, ...surplus] };
  }
  const ending = replacesFailedOnly(job) ? pods.filter(isTerminating) : [];
  const room = wanted - useful.length - ending.length;
  if (room <= 0) return { create: [], remove: [] };
  if (isIndexed(job) && job.spec.backoffLimitPerIndex !== undefined)
    return indexedWork(input, room, [...useful, ...ending]);
  const at = resumesAt(job, pods);
  if (at > now) return { create: [], remove: [], wakeAt: at };
  if (isIndexed(job)) return indexedWork(input, room, [...useful, ...ending]);
  const names = freeNames(job.metadata, Math.min(room, burst), input.isTaken);
  return { create: names.map((name) => plainPod(job, name)), remove: [] };
};
