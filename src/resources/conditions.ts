// Conditions in `status.conditions`: reading one, and setting one without touching its transition time for nothing.
import type { Instant } from '../base/clock.js';
import { toTimestamp } from '../base/clock.js';

/** What all condition types of Kubernetes share. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly lastTransitionTime?: string | undefined;
}

type Conditions<C extends Condition> = readonly C[] | undefined;

export const conditionOf = <C extends Condition>(conditions: Conditions<C>, type: string): C | undefined =>
  conditions?.find((condition) => condition.type === type);

export const isConditionTrue = (conditions: Conditions<Condition>, type: string): boolean =>
  conditionOf(conditions, type)?.status === 'True';

/**
 * Replaces or appends the condition of that type. `lastTransitionTime` moves only when the status changes; the same
 * list comes back when nothing changed at all. Other fields (such as `lastUpdateTime`) are kept unless given.
 */
export const withCondition = <C extends Condition>(
  conditions: Conditions<C>,
  condition: NoInfer<C>,
  now: Instant,
): readonly C[] => {
  const list = conditions ?? [];
  const index = list.findIndex(({ type }) => type === condition.type);
  const previous = list[index];
  const lastTransitionTime =
    previous?.status === condition.status && previous.lastTransitionTime !== undefined
      ? previous.lastTransitionTime
      : (condition.lastTransitionTime ?? toTimestamp(now));
  const next: C = { ...previous, ...condition, lastTransitionTime };
  if (previous === undefined) return [...list, next];
  if (sameCondition(previous, next)) return list;
  return list.with(index, next);
};

const sameCondition = <C extends Condition>(a: C, b: C): boolean =>
  (Object.keys({ ...a, ...b }) as (keyof C)[]).every((key) => a[key] === b[key]);

export const withoutCondition = <C extends Condition>(
  conditions: Conditions<C>,
  type: string,
): readonly C[] => (conditions ?? []).filter((condition) => condition.type !== type);
