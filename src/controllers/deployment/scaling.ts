// A Deployment whose size changed in the middle of a rollout: every ReplicaSet grows or shrinks in proportion.
// Follows kubernetes `pkg/controller/deployment/sync.go` scale.
import type { Deployment, ReplicaSet } from '../../resources/generated/types.js';
import { available, specified, sum, oldestFirst } from '../../reconcile/replica-sets.js';
import { isRolling } from './bounds.js';
import type { Bounds } from './bounds.js';
import { desiredAnnotation, maxAnnotation } from './revisions.js';
import type { Sets } from './revisions.js';
import type { Resizes } from './rolling.js';

const active = (sets: readonly ReplicaSet[]): readonly ReplicaSet[] =>
  sets.filter((set) => specified(set) > 0);

const allOf = ({ current, old }: Sets): readonly ReplicaSet[] =>
  current === undefined ? old : [...old, current];

/** Some ReplicaSet was sized for another `spec.replicas` than the present one. */
export const isScaling = ({ wanted }: Bounds, sets: Sets): boolean =>
  active(allOf(sets)).some((set) => {
    const sizedFor = set.metadata.annotations?.[desiredAnnotation];
    return sizedFor !== undefined && Number(sizedFor) !== wanted;
  });

/** The only one with pods; without any, the current one or else the newest. */
const onlyActive = (sets: Sets): ReplicaSet | undefined => {
  const running = active(allOf(sets));
  if (running.length === 0) return sets.current ?? sets.old.at(-1);
  return running.length === 1 ? running[0] : undefined;
};

/** How much of the change falls to one ReplicaSet: by its share of what the Deployment could have before. */
const fraction = (set: ReplicaSet, deployment: Deployment, { wanted, surge }: Bounds): number => {
  if (wanted === 0) return -specified(set);
  const before = Number(set.metadata.annotations?.[maxAnnotation] ?? 0) || deployment.status?.replicas || 0;
  return before === 0 ? 0 : Math.round((specified(set) * (wanted + surge)) / before) - specified(set);
};

const bySize = (sets: readonly ReplicaSet[], growing: boolean): readonly ReplicaSet[] => {
  const oldest = oldestFirst(sets);
  return (growing ? [...oldest].reverse() : [...oldest]).sort((a, b) => specified(b) - specified(a));
};

const proportional = (deployment: Deployment, bounds: Bounds, sets: Sets): Resizes => {
  const running = active(allOf(sets));
  const allowed = bounds.wanted > 0 ? bounds.wanted + bounds.surge : 0;
  const toAdd = allowed - sum(running, specified);
  const ordered = bySize(running, toAdd > 0);
  const sizes = new Map<string, number>();
  let added = 0;
  for (const set of ordered) {
    const left = toAdd - added;
    const share = left === 0 ? 0 : fraction(set, deployment, bounds);
    const part = toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
    sizes.set(set.metadata.name, specified(set) + part);
    added += part;
  }
  const [largest] = ordered;
  if (largest !== undefined && toAdd !== added) {
    const size = sizes.get(largest.metadata.name) ?? 0;
    sizes.set(largest.metadata.name, Math.max(0, size + toAdd - added));
  }
  return sizes;
};

/** Sizes after the change, of all ReplicaSets that it concerns: their annotations change even where the size does not. */
export const scalingStep = (deployment: Deployment, bounds: Bounds, sets: Sets): Resizes => {
  const only = onlyActive(sets);
  if (only !== undefined)
    return specified(only) === bounds.wanted && !isScaling(bounds, sets)
      ? new Map()
      : new Map([[only.metadata.name, bounds.wanted]]);
  const { current } = sets;
  const saturated =
    current !== undefined &&
    specified(current) === bounds.wanted &&
    Number(current.metadata.annotations?.[desiredAnnotation] ?? NaN) === bounds.wanted &&
    available(current) === bounds.wanted;
  if (saturated) return new Map(active(sets.old).map(({ metadata }) => [metadata.name, 0]));
  return isRolling(deployment) ? proportional(deployment, bounds, sets) : new Map();
};
