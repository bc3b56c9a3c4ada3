// How fast the number of pods may follow what the metrics ask for: windows and policies of `spec.behavior`.
// Follows `pkg/controller/podautoscaler/horizontal.go`.
import type { Instant } from '../../base/clock.js';
import type {
  HorizontalPodAutoscalerBehavior,
  HPAScalingPolicy,
  HPAScalingRules,
} from '../../resources/generated/types.js';

export interface Recommended {
  readonly at: Instant;
  readonly replicas: number;
}

/** How many pods were added (or taken away) then. */
export interface ScaleEvent {
  readonly at: Instant;
  readonly change: number;
}

export interface History {
  readonly recommendations: readonly Recommended[];
  readonly ups: readonly ScaleEvent[];
  readonly downs: readonly ScaleEvent[];
}

export const noHistory: History = { recommendations: [], ups: [], downs: [] };

/** Calm before shrinking unless the rules say otherwise. */
const defaultDownWindowMs = 300_000;
/** Nothing older than this is ever asked for: the greatest window and period that a rule may have. */
const rememberMs = 3_600_000;

const defaultUp: HPAScalingRules = {
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const defaultDown: HPAScalingRules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export interface Limited {
  readonly replicas: number;
  readonly reason: string;
  readonly message: string;
  /** The metrics asked for something else. */
  readonly limited: boolean;
  readonly stabilized: boolean;
}

const changedWithin = (events: readonly ScaleEvent[], periodSeconds: number, now: Instant): number =>
  events.reduce((sum, { at, change }) => (now - at < periodSeconds * 1000 ? sum + change : sum), 0);

const choose = (values: readonly number[], rules: HPAScalingRules, least: boolean): number => {
  const wantsMin = rules.selectPolicy === 'Min';
  return (wantsMin ? !least : least) ? Math.min(...values) : Math.max(...values);
};

/** The number of pods at the start of the period, as far as it was changed since. */
const startOf = (current: number, { ups, downs }: History, periodSeconds: number, now: Instant): number =>
  current - changedWithin(ups, periodSeconds, now) + changedWithin(downs, periodSeconds, now);

interface Moment {
  readonly current: number;
  readonly history: History;
  readonly now: Instant;
}

/** What each policy lets it go to; none without policies. */
const limitsOf = (
  { policies = [] }: HPAScalingRules,
  { current, history, now }: Moment,
  policyLimit: (policy: HPAScalingPolicy, start: number) => number,
): readonly number[] =>
  policies.map((policy) => policyLimit(policy, startOf(current, history, policy.periodSeconds, now)));

/** The greatest number that the policies let it grow to. */
const upLimit = (rules: HPAScalingRules, moment: Moment): number => {
  if (rules.selectPolicy === 'Disabled') return moment.current;
  const limits = limitsOf(rules, moment, ({ type, value }, start) =>
    type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100)),
  );
  return limits.length === 0 ? Infinity : choose(limits, rules, false);
};

const downLimit = (rules: HPAScalingRules, moment: Moment): number => {
  if (rules.selectPolicy === 'Disabled') return moment.current;
  const limits = limitsOf(rules, moment, ({ type, value }, start) =>
    type === 'Pods' ? start - value : Math.floor(start * (1 - value / 100)),
  );
  return limits.length === 0 ? 0 : choose(limits, rules, true);
};

const windowMs = (rules: HPAScalingRules, fallback: number): number =>
  rules.stabilizationWindowSeconds === undefined ? fallback : rules.stabilizationWindowSeconds * 1000;

interface Rules {
  readonly up: HPAScalingRules;
  readonly down: HPAScalingRules;
}

const rulesOf = (behavior: HorizontalPodAutoscalerBehavior | undefined): Rules => ({
  up: { ...defaultUp, ...behavior?.scaleUp },
  down: { ...defaultDown, ...behavior?.scaleDown },
});

/** Growing waits for the least that was asked within its window, shrinking for the most. */
const stabilized = (
  desired: number,
  { current, rules, history, now }: { current: number; rules: Rules; history: History; now: Instant },
): number => {
  const since = (window: number): readonly number[] =>
    history.recommendations.filter(({ at }) => now - at <= window).map(({ replicas }) => replicas);
  const upper = Math.min(desired, ...since(windowMs(rules.up, 0)));
  const lower = Math.max(desired, ...since(windowMs(rules.down, defaultDownWindowMs)));
  if (current < upper) return upper;
  return current > lower ? lower : current;
};

/** `current` may be outside the bounds; the answer never is. */
export const limit = (
  desired: number,
  {
    current,
    bounds,
    behavior,
    history,
    now,
  }: {
    readonly current: number;
    readonly bounds: Bounds;
    readonly behavior: HorizontalPodAutoscalerBehavior | undefined;
    readonly history: History;
    readonly now: Instant;
  },
): Limited => {
  const rules = rulesOf(behavior);
  const calm = stabilized(desired, { current, rules, history, now });
  const outcome = (replicas: number, reason: string, message: string, limited = true): Limited => ({
    replicas,
    reason,
    message,
    limited,
    stabilized: calm !== desired,
  });
  const moment = { current, history, now };
  const most = Math.min(bounds.max, Math.max(current, upLimit(rules.up, moment)));
  const least = Math.max(bounds.min, Math.min(current, downLimit(rules.down, moment)));
  if (calm > most)
    return most === bounds.max
      ? outcome(most, 'TooManyReplicas', 'the desired replica count is more than the maximum replica count')
      : outcome(
          most,
          'ScaleUpLimit',
          'the desired replica count is increasing faster than the maximum scale rate',
        );
  if (calm < least)
    return least === bounds.min
      ? outcome(least, 'TooFewReplicas', 'the desired replica count is less than the minimum replica count')
      : outcome(
          least,
          'ScaleDownLimit',
          'the desired replica count is decreasing faster than the maximum scale rate',
        );
  return outcome(calm, 'DesiredWithinRange', 'the desired count is within the acceptable range', false);
};

/** What is worth remembering of it. */
export const remembered = (history: History, recommended: Recommended, change: number): History => {
  const { at } = recommended;
  const recent = <T extends { readonly at: Instant }>(entries: readonly T[]): readonly T[] =>
    entries.filter((entry) => at - entry.at <= rememberMs);
  return {
    recommendations: [...recent(history.recommendations), recommended],
    ups: change > 0 ? [...recent(history.ups), { at, change }] : recent(history.ups),
    downs: change < 0 ? [...recent(history.downs), { at, change: -change }] : recent(history.downs),
  };
};
