// One step of a rolling update: the new ReplicaSet up within the surge, the old ones down within what may be
// unavailable. Sizes in, sizes out. Follows kubernetes `pkg/controller/deployment/rolling.go`.
import type { ReplicaSet } from '../../resources/generated/types.js';
import { actual, available, specified, sum } from '../../reconcile/replica-sets.js';
import type { Bounds } from './bounds.js';
import type { Sets } from './revisions.js';

/** New sizes by name, of those ReplicaSets whose size changes. */
export type Resizes = ReadonlyMap<string, number>;

const none: Resizes = new Map();

/** Size of the new ReplicaSet: as large as the surge allows beside all others. */
export const newSize = (
  bounds: Bounds,
  current: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): number => {
  const size = current === undefined ? 0 : specified(current);
  if (size >= bounds.wanted) return bounds.wanted;
  // An old pod that is to go but is still there counts: Kubernetes would exceed the surge for that moment.
  const present = sum(old, (set) => Math.max(specified(set), actual(set)));
  const room = bounds.wanted + bounds.surge - size - present;
  return size + Math.max(0, Math.min(room, bounds.wanted - size));
};

interface Shrinking {
  readonly set: ReplicaSet;
  size: number;
}

/** Pods that are not available are no loss: they go first. */
const dropUnavailable = (old: readonly Shrinking[], most: number): number => {
  let dropped = 0;
  for (const entry of old) {
    const unhealthy = entry.size - available(entry.set);
    if (dropped >= most) break;
    if (entry.size === 0 || unhealthy <= 0) continue;
    const drop = Math.min(most - dropped, unhealthy);
    entry.size -= drop;
    dropped += drop;
  }
  return dropped;
};

const dropAvailable = (old: readonly Shrinking[], most: number): void => {
  let left = most;
  for (const entry of old) {
    if (left <= 0) return;
    const drop = Math.min(left, entry.size);
    entry.size -= drop;
    left -= drop;
  }
};

const shrinkOld = (bounds: Bounds, current: ReplicaSet, old: readonly ReplicaSet[]): Resizes => {
  const least = bounds.wanted - bounds.unavailable;
  const all = [...old, current];
  const notYet = Math.max(0, specified(current) - available(current));
  const most = sum(all, specified) - least - notYet;
  if (most <= 0) return none;
  const shrinking = old.map((set): Shrinking => ({ set, size: specified(set) }));
  const dropped = dropUnavailable(shrinking, most);
  // What was dropped was not available, so the available ones are as many as before.
  const spare = sum(all, available) - least;
  dropAvailable(shrinking, Math.min(spare, most - dropped));
  return new Map(
    shrinking
      .filter(({ set, size }) => size !== specified(set))
      .map(({ set, size }) => [set.metadata.name, size]),
  );
};

/** Either the new ReplicaSet changes its size or the old ones do, never both on one observation. */
export const rollingStep = (bounds: Bounds, { current, old }: Sets): Resizes => {
  if (current === undefined) return none;
  const size = newSize(bounds, current, old);
  if (size !== specified(current)) return new Map([[current.metadata.name, size]]);
  return sum(old, specified) === 0 ? none : shrinkOld(bounds, current, old);
};
