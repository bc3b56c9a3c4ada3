// How many pods one metric asks for. Follows `pkg/controller/podautoscaler/replica_calculator.go`.
import { fromTimestamp, type Instant } from '../../base/clock.js';
import { conditionOf } from '../../resources/conditions.js';
import type { Pod } from '../../resources/generated/types.js';
import { amountsOf } from '../../resources/pod-resources.js';
import { isPodReady, phaseOf } from '../../resources/pod-status.js';
import { isDeleting } from '../../resources/resource.js';

export interface Tolerance {
  /** Share of the target by which usage may be above it without more pods. */
  readonly up: number;
  readonly down: number;
}

export interface ReplicasOptions {
  readonly currentReplicas: number;
  readonly tolerance: Tolerance;
  readonly now: Instant;
}

/** `current` is what is compared with the target: a percentage for utilization, an amount otherwise. */
export type Recommendation =
  | { readonly replicas: number; readonly current: number; readonly average: number }
  | { readonly problem: string };

/** The CPU of a pod that has just started says nothing about its load. */
const cpuInitializationMs = 5 * 60_000;
const initialReadinessMs = 30_000;

export interface PodFigure {
  readonly value: number;
  readonly at: Instant;
  readonly windowMs: number;
}

interface Groups {
  readonly ready: ReadonlyMap<string, number>;
  readonly unready: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
}

const isUnready = (pod: Pod, figure: PodFigure | undefined, isCpu: boolean, now: Instant): boolean => {
  if (phaseOf(pod) === 'Pending') return true;
  if (!isCpu) return false;
  const condition = conditionOf(pod.status?.conditions, 'Ready');
  const started = fromTimestamp(pod.status?.startTime);
  const changed = fromTimestamp(condition?.lastTransitionTime);
  if (condition === undefined || started === undefined || changed === undefined) return true;
  if (started + cpuInitializationMs > now)
    return condition.status === 'False' || (figure !== undefined && figure.at < changed + figure.windowMs);
  return condition.status === 'False' && started + initialReadinessMs > changed;
};

const group = (
  pods: readonly Pod[],
  figures: ReadonlyMap<string, PodFigure>,
  { isCpu, now }: { readonly isCpu: boolean; readonly now: Instant },
): Groups => {
  const ready = new Map<string, number>();
  const unready = new Set<string>();
  const missing = new Set<string>();
  for (const pod of pods) {
    const { uid } = pod.metadata;
    if (isDeleting(pod) || phaseOf(pod) === 'Failed' || phaseOf(pod) === 'Succeeded') continue;
    const figure = figures.get(uid);
    if (isUnready(pod, figure, isCpu, now)) unready.add(uid);
    else if (figure === undefined) missing.add(uid);
    else ready.set(uid, figure.value);
  }
  return { ready, unready, missing };
};

const within = (ratio: number, { up, down }: Tolerance): boolean => ratio <= 1 + up && ratio >= 1 - down;

const sumOf = (values: Iterable<number>): number => {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
};

interface Question {
  readonly pods: readonly Pod[];
  readonly figures: ReadonlyMap<string, PodFigure>;
  readonly isCpu: boolean;
  /** Ratio of what these pods use to what they should, 1 meaning just right. */
  ratio(used: ReadonlyMap<string, number>): number;
  /** What a pod that says nothing is taken to use when the others use too little. */
  assumed(uid: string): number;
}

/** Pods of which nothing is known count for staying: as if they used it all when shrinking, nothing when growing. */
const byPods = (
  question: Question,
  { currentReplicas, tolerance, now }: ReplicasOptions,
): number | undefined => {
  const { ready, unready, missing } = group(question.pods, question.figures, { isCpu: question.isCpu, now });
  if (ready.size === 0) return undefined;
  const ratio = question.ratio(ready);
  const growsWithUnready = unready.size > 0 && ratio > 1;
  if (!growsWithUnready && missing.size === 0)
    return within(ratio, tolerance) ? currentReplicas : Math.ceil(round(ratio * ready.size));
  const assumed = new Map(ready);
  for (const uid of missing) if (ratio !== 1) assumed.set(uid, ratio < 1 ? question.assumed(uid) : 0);
  if (growsWithUnready) for (const uid of unready) assumed.set(uid, 0);
  const corrected = question.ratio(assumed);
  if (within(corrected, tolerance) || ratio < 1 !== corrected < 1) return currentReplicas;
  const replicas = Math.ceil(round(corrected * assumed.size));
  return (corrected < 1 && replicas > currentReplicas) || (corrected > 1 && replicas < currentReplicas)
    ? currentReplicas
    : replicas;
};

/** Quotients of floating point that mean a whole number must not be rounded up to the next. */
const round = (value: number): number => Math.round(value * 1e9) / 1e9;

const nothingKnown = 'no metrics are known of any ready pod';

/** What the pod's containers, or the one named, request of the resource; undefined when one requests nothing. */
export const requestOf = (pod: Pod, resource: string, container: string | undefined): number | undefined => {
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const all = [...pod.spec.containers, ...sidecars].filter(
    ({ name }) => container === undefined || name === container,
  );
  let sum = 0;
  for (const { resources } of all) {
    const request = amountsOf(resources?.requests)[resource];
    if (request === undefined) return undefined;
    sum += request;
  }
  return all.length === 0 ? undefined : sum;
};

export interface UtilizationTarget {
  readonly resource: string;
  readonly container?: string | undefined;
  readonly percent: number;
}

export const byUtilization = (
  pods: readonly Pod[],
  figures: ReadonlyMap<string, PodFigure>,
  target: UtilizationTarget,
  options: ReplicasOptions,
): Recommendation => {
  const requests = new Map<string, number>();
  for (const pod of pods) {
    const request = requestOf(pod, target.resource, target.container);
    if (request === undefined || request === 0)
      return { problem: `missing request for ${target.resource} in pod ${pod.metadata.name}` };
    requests.set(pod.metadata.uid, request);
  }
  const percent = (used: ReadonlyMap<string, number>): number => {
    const requested = sumOf([...used.keys()].map((uid) => requests.get(uid) ?? 0));
    return requested === 0 ? 0 : Math.floor((100 * sumOf(used.values())) / requested);
  };
  const replicas = byPods(
    {
      pods,
      figures,
      isCpu: target.resource === 'cpu',
      ratio: (used) => percent(used) / target.percent,
      // Fully used, or as much as is wanted where that is more.
      assumed: (uid) => ((requests.get(uid) ?? 0) * Math.max(100, target.percent)) / 100,
    },
    options,
  );
  if (replicas === undefined) return { problem: nothingKnown };
  const known = group(pods, figures, { isCpu: target.resource === 'cpu', now: options.now }).ready;
  return { replicas, current: percent(known), average: sumOf(known.values()) / known.size };
};

export interface AverageTarget {
  readonly average: number;
  readonly isCpu: boolean;
}

/** The average over the pods shall be this amount. */
export const byAverage = (
  pods: readonly Pod[],
  figures: ReadonlyMap<string, PodFigure>,
  { average: target, isCpu }: AverageTarget,
  options: ReplicasOptions,
): Recommendation => {
  const average = (used: ReadonlyMap<string, number>): number => sumOf(used.values()) / used.size;
  const replicas = byPods(
    { pods, figures, isCpu, ratio: (used) => average(used) / target, assumed: () => target },
    options,
  );
  if (replicas === undefined) return { problem: nothingKnown };
  const known = average(group(pods, figures, { isCpu, now: options.now }).ready);
  return { replicas, current: known, average: known };
};

/** One figure shall be this amount: pods are added in proportion to those that are ready. */
export const byValue = (
  pods: readonly Pod[],
  { value, target }: { readonly value: number; readonly target: number },
  { currentReplicas, tolerance }: ReplicasOptions,
): Recommendation => {
  const ratio = value / target;
  const answer = (replicas: number): Recommendation => ({ replicas, current: value, average: value });
  // From nothing the figure itself says how many.
  if (currentReplicas === 0) return answer(Math.ceil(round(ratio)));
  if (within(ratio, tolerance)) return answer(currentReplicas);
  return answer(Math.ceil(round(ratio * pods.filter(isPodReady).length)));
};

/** One figure, shared out over the pods, shall be this amount for each. */
export const byShare = (
  { value, target }: { readonly value: number; readonly target: number },
  { currentReplicas, tolerance }: ReplicasOptions,
): Recommendation => {
  const average = currentReplicas === 0 ? value : value / currentReplicas;
  const same = currentReplicas > 0 && within(value / (target * currentReplicas), tolerance);
  return { replicas: same ? currentReplicas : Math.ceil(round(value / target)), current: average, average };
};
