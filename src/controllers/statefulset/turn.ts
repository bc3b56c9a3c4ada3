// One turn of a StatefulSet: which ordinals get a pod, which pods go, and why not more. Follows stateful_set_control.go.
import type { Instant } from '../../base/clock.js';
import type { Pod, StatefulSet } from '../../resources/generated/types.js';
import { isPodTerminated, isPodReady, phaseOf, podAvailableAt } from '../../resources/pod-status.js';
import { isDeleting } from '../../resources/resource.js';
import { podName, rangeOf, revisionOf, wantedRevision } from './ordinals.js';
import type { Revisions } from './ordinals.js';

export interface TurnInput {
  readonly set: StatefulSet;
  readonly pods: ReadonlyMap<number, Pod>;
  readonly revisions: Revisions;
  readonly now: Instant;
  /** Why a pod of the ordinal cannot be made yet. */
  obstacle(ordinal: number): string | undefined;
}

export interface Turn {
  readonly create: readonly number[];
  readonly remove: readonly Pod[];
  readonly because: string;
  readonly wakeAt?: Instant | undefined;
}

const isHealthy = (pod: Pod): boolean => phaseOf(pod) === 'Running' && isPodReady(pod) && !isDeleting(pod);

const availableAt = ({ spec }: StatefulSet, pod: Pod): Instant =>
  isHealthy(pod) ? (podAvailableAt(pod, spec.minReadySeconds) ?? Infinity) : Infinity;

const isRolling = ({ spec }: StatefulSet): boolean =>
  (spec.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate';

/** Not of the newest template, and to be replaced for it: below the partition, pods stay as they are. */
const isOutdated = ({ set, revisions }: TurnInput, ordinal: number, pod: Pod): boolean =>
  isRolling(set) &&
  !isDeleting(pod) &&
  revisionOf(pod) !== revisions.update &&
  wantedRevision(set, ordinal, revisions) === revisions.update;

const ordinalsOf = (set: StatefulSet): readonly number[] => {
  const { start, end } = rangeOf(set);
  return Array.from({ length: end - start }, (_, index) => start + index);
};

/** What one ordinal needs, and whether those behind it have to wait for it. */
interface Need {
  readonly create?: number;
  readonly remove?: Pod;
  readonly waits?: string;
  readonly wakeAt?: Instant;
}

const missing = ({ set, obstacle }: TurnInput, ordinal: number): Need => {
  const why = obstacle(ordinal);
  const name = podName(set, ordinal);
  return why === undefined
    ? { create: ordinal, waits: `creates ${name}` }
    : { waits: `${name} waits: ${why}` };
};

const needOf = (input: TurnInput, ordinal: number): Need => {
  const { set, pods, now } = input;
  const pod = pods.get(ordinal);
  const name = podName(set, ordinal);
  if (pod === undefined) return missing(input, ordinal);
  if (isDeleting(pod)) return { waits: `waits until ${name} has ended` };
  if (isPodTerminated(pod)) return { remove: pod, waits: `replaces ${name}, which has ended` };
  const at = availableAt(set, pod);
  if (at <= now) return {};
  // A pod that was never of use stands in nobody's way: a template that was mended, or taken back, takes its place.
  if (!isHealthy(pod) && isOutdated(input, ordinal, pod))
    return { remove: pod, waits: `replaces ${name}, which is not ready and has an older template` };
  if (at === Infinity) return { waits: `waits until ${name} is running and ready` };
  return {
    waits: `waits until ${name} has been ready for ${String(set.spec.minReadySeconds)} s`,
    wakeAt: at,
  };
};

/** Every ordinal needs its pod before anything else happens; one at a time, or all at once. */
const filled = (input: TurnInput, ordered: boolean): Turn | undefined => {
  const create: number[] = [];
  const remove: Pod[] = [];
  const reasons: string[] = [];
  const wakes: Instant[] = [];
  for (const ordinal of ordinalsOf(input.set)) {
    const need = needOf(input, ordinal);
    if (need.create !== undefined) create.push(need.create);
    if (need.remove !== undefined) remove.push(need.remove);
    if (need.waits !== undefined) reasons.push(need.waits);
    if (need.wakeAt !== undefined) wakes.push(need.wakeAt);
    if (ordered && need.waits !== undefined) break;
  }
  if (reasons.length === 0) return undefined;
  const wakeAt = wakes.length === 0 ? undefined : Math.min(...wakes);
  // Side by side, pods that are not ready yet hold nothing up.
  if (!ordered && create.length + remove.length === 0) return undefined;
  const more = reasons.length > 1 ? `, and ${reasons.length - 1} more` : '';
  return { create, remove, because: `${reasons[0] ?? ''}${more}`, wakeAt };
};

/** Beyond the wanted replicas, the highest ordinal first. */
const scaledDown = ({ set, pods }: TurnInput, ordered: boolean): Turn | undefined => {
  const { start, end } = rangeOf(set);
  const surplus = [...pods]
    .filter(([ordinal]) => ordinal < start || ordinal >= end)
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod);
  if (surplus.length === 0) return undefined;
  const going = surplus.filter(isDeleting);
  const staying = surplus.filter((pod) => !isDeleting(pod));
  const remove = ordered ? (going.length > 0 ? [] : staying.slice(0, 1)) : staying;
  const [first] = remove;
  return {
    create: [],
    remove,
    because:
      first === undefined
        ? `waits until ${going[0]?.metadata.name ?? 'a pod'} has ended`
        : `deletes ${first.metadata.name}: ${String(end - start)} replicas are wanted`,
  };
};

const budgetOf = ({ spec }: StatefulSet): number | undefined => {
  const asked = spec.updateStrategy?.rollingUpdate?.maxUnavailable;
  if (asked === undefined) return undefined;
  const replicas = spec.replicas ?? 1;
  if (typeof asked === 'number') return asked;
  return Math.max(1, Math.ceil((replicas * Number.parseFloat(asked)) / 100));
};

/** From the highest ordinal down to the partition, never with more pods away than allowed. */
const updated = (input: TurnInput): Turn => {
  const { set, pods, now } = input;
  const idle = (because: string, wakeAt?: Instant): Turn => ({ create: [], remove: [], because, wakeAt });
  const ordinals = [...ordinalsOf(set)].reverse();
  const outdated = ordinals.filter((ordinal) => {
    const pod = pods.get(ordinal);
    return pod !== undefined && isOutdated(input, ordinal, pod);
  });
  const count = String(set.spec.replicas ?? 1);
  if (outdated.length === 0) return idle(`${count} pods are wanted and there`);
  const times = ordinals.map((ordinal) => {
    const pod = pods.get(ordinal);
    return pod === undefined ? Infinity : availableAt(set, pod);
  });
  const away = times.filter((at) => at > now).length;
  const wakes = times.filter((at) => at > now && at !== Infinity);
  let budget = (budgetOf(set) ?? 1) - away;
  const remove: Pod[] = [];
  for (const ordinal of outdated) {
    const pod = pods.get(ordinal);
    if (pod === undefined) continue;
    // What is of no use already costs nothing.
    const free = availableAt(set, pod) > now;
    if (!free && budget <= 0) break;
    if (!free) budget -= 1;
    remove.push(pod);
    if (budgetOf(set) === undefined) break;
  }
  const names = remove.map(({ metadata }) => metadata.name).join(', ');
  return remove.length > 0
    ? { create: [], remove, because: `replaces ${names}, of an older template` }
    : idle(
        `${outdated.length} pods have an older template, and none may be replaced now: ${away} are not available`,
        wakes.length === 0 ? undefined : Math.min(...wakes),
      );
};

export const takeTurn = (input: TurnInput): Turn => {
  const { set } = input;
  if (isDeleting(set)) return { create: [], remove: [], because: 'it is being deleted' };
  const ordered = set.spec.podManagementPolicy !== 'Parallel';
  const filling = filled(input, ordered);
  if (filling !== undefined && ordered) return filling;
  const shrinking = scaledDown(input, ordered);
  if (filling !== undefined || shrinking !== undefined)
    return {
      create: filling?.create ?? [],
      remove: [...(filling?.remove ?? []), ...(shrinking?.remove ?? [])],
      because: [filling?.because, shrinking?.because].filter((text) => text !== undefined).join('; '),
      wakeAt: filling?.wakeAt,
    };
  return isRolling(set)
    ? updated(input)
    : { create: [], remove: [], because: `${String(set.spec.replicas ?? 1)} pods are wanted and there` };
};
