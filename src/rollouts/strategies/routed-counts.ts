// How many pods each version of a canary is to have where the service proxy carries the weight. Follows argo-rollouts
// `utils/replicaset/canary.go` and `rollout/trafficrouting.go`.
import type { RolloutCanary } from '../../resources/generated/types.js';
import { fullWeight } from '../../resources/rollouts/strategy-of.js';
import type { Counts } from './canary-counts.js';
import { wantedWeight } from './canary-progress.js';
import { isUpdating } from './strategy.js';
import type { Observed, Progress } from './strategy.js';

/** The setCanaryScale that is in force: the last one before or at the index, unless it follows the weight again. */
const scaleAt = (
  { steps = [] }: RolloutCanary,
  index: number,
): { readonly replicas?: number | undefined; readonly weight?: number | undefined } | undefined => {
  for (let at = Math.min(index, steps.length - 1); at >= 0; at -= 1) {
    const scale = steps[at]?.setCanaryScale;
    if (scale !== undefined) return scale.matchTrafficWeight === true ? undefined : scale;
  }
  return undefined;
};

const atLeast = (
  { minPodsPerReplicaSet: least = 0 }: RolloutCanary,
  count: number,
  replicas: number,
): number => (count === 0 ? 0 : Math.max(count, Math.min(least, replicas)));

const canaryCount = (canary: RolloutCanary, progress: Progress, replicas: number): number => {
  const full = fullWeight(canary);
  const parts = (weight: number): number => Math.ceil((weight * replicas) / full);
  const steps = canary.steps ?? [];
  const isStepping = !progress.promoteFull && progress.index < steps.length;
  // After an abort a set size stays only where the aborted version is kept for good.
  const mayScale = progress.aborted ? canary.abortScaleDownDelaySeconds === 0 : isStepping;
  const scale = mayScale ? scaleAt(canary, progress.index) : undefined;
  if (scale?.replicas !== undefined) return scale.replicas;
  if (scale?.weight !== undefined) return parts(scale.weight);
  return atLeast(canary, parts(wantedWeight(canary, progress)), replicas);
};

/** Sizes that the progress wants, whatever is there. */
export const routedCounts = ({ spec, replicas, versions }: Observed, progress: Progress): Counts => {
  const canary = spec.strategy?.canary ?? {};
  if (progress.stable === '') return { canary: replicas, stable: 0 };
  if (!isUpdating(progress)) return { canary: 0, stable: replicas };
  const count = canaryCount(canary, progress, replicas);
  if (canary.dynamicStableScale !== true) return { canary: count, stable: replicas };
  const full = fullWeight(canary);
  const parts = (weight: number): number => Math.ceil((weight * replicas) / full);
  // What a version gets of the traffic now it needs pods for, whatever it is to get.
  const stable = Math.max(parts(full - wantedWeight(canary, progress)), parts(full - progress.weight));
  const kept = progress.aborted ? Math.max(count, parts(progress.weight)) : count;
  return { canary: kept, stable: versions.stable === undefined ? 0 : atLeast(canary, stable, replicas) };
};

/** With a stable version that shrank, an abort walks back step by step as the stable version grows again. */
const abortedWeight = ({ spec, replicas, versions }: Observed, progress: Progress): number => {
  const canary = spec.strategy?.canary ?? {};
  if (canary.dynamicStableScale !== true) return 0;
  const full = fullWeight(canary);
  const ready = versions.stable?.available ?? 0;
  if (ready >= replicas) return 0;
  // Only as much leaves the canary as the stable version can carry.
  const carried = Math.floor((ready * full) / Math.max(1, replicas));
  return Math.min(progress.weight, full - carried);
};

/**
 * The weight that the traffic may have now: not more than the canary's available pods were made for, and never one that
 * the stable version has no pods for.
 */
export const reachableWeight = (
  observed: Observed,
  progress: Progress,
  { isScaled, previous }: { readonly isScaled: boolean; readonly previous: number },
): number => {
  const { spec, replicas, versions } = observed;
  const canary = spec.strategy?.canary ?? {};
  const full = fullWeight(canary);
  if (progress.stable === '' || !isUpdating(progress)) return 0;
  if (progress.aborted) return abortedWeight(observed, progress);
  const ready = versions.current?.available ?? 0;
  if (ready === 0) return 0;
  if (progress.promoteFull)
    return Math.max(progress.weight, Math.min(full, Math.floor((ready * full) / Math.max(1, replicas))));
  const wanted = isScaled ? wantedWeight(canary, progress) : previous;
  if (wanted >= progress.weight) return wanted;
  // Traffic goes back to the stable version only when that can carry it.
  const needed = Math.ceil(((full - wanted) * replicas) / full);
  return (versions.stable?.available ?? 0) >= needed ? wanted : progress.weight;
};
