// From what is known to how many pods there shall be, and what the autoscaler says of itself.
import { toTimestamp, type Instant } from '../../base/clock.js';
import { withCondition } from '../../resources/conditions.js';
import type {
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  V2HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerStatus,
} from '../../resources/generated/types.js';
import { milliValue } from '../../resources/quantity.js';
import { limit, remembered, type History } from './behavior.js';
import type { MetricFacts, TargetFacts } from './facts.js';
import { judge, type MetricOutcome } from './metrics.js';
import type { Tolerance } from './replicas.js';

export interface AutoscalerObserved {
  readonly autoscaler: V2HorizontalPodAutoscaler;
  /** Or why the target cannot be scaled. */
  readonly target: TargetFacts | { readonly problem: string };
  readonly facts: MetricFacts;
  readonly history: History;
}

export interface AutoscalerDecision {
  readonly status: V2HorizontalPodAutoscalerStatus;
  /** Undefined when the number stays. */
  readonly replicas: number | undefined;
  /** The metric that asks for the most. */
  readonly reason: string;
  readonly because: string;
  /** A warning for people, with its reason. */
  readonly problem: { readonly reason: string; readonly message: string } | undefined;
  readonly history: History;
}

type Condition = Pick<HorizontalPodAutoscalerCondition, 'type' | 'status' | 'reason' | 'message'>;

const defaultTolerance = '100m';

/** Used when an autoscaler names no metric: 80 % of the requested CPU, as in Kubernetes. */
const defaultMetrics: readonly MetricSpec[] = [
  { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
];

const toleranceOf = ({ spec }: V2HorizontalPodAutoscaler): Tolerance => ({
  up: milliValue(spec.behavior?.scaleUp?.tolerance ?? defaultTolerance) / 1000,
  down: milliValue(spec.behavior?.scaleDown?.tolerance ?? defaultTolerance) / 1000,
});

const condition = (type: string, status: string, reason: string, message: string): Condition => ({
  type,
  status,
  reason,
  message,
});

const withConditions = (
  present: V2HorizontalPodAutoscaler,
  conditions: readonly Condition[],
  now: Instant,
): readonly HorizontalPodAutoscalerCondition[] =>
  conditions.reduce<readonly HorizontalPodAutoscalerCondition[]>(
    (all, next) => withCondition(all, next, now),
    present.status?.conditions ?? [],
  );

interface Unchanged {
  readonly conditions: readonly Condition[];
  readonly because: string;
  readonly problem?: AutoscalerDecision['problem'];
  readonly currentReplicas?: number;
  readonly outcomes?: readonly MetricOutcome[];
}

const unchanged = (
  { autoscaler, history }: AutoscalerObserved,
  { conditions, because, problem, currentReplicas, outcomes = [] }: Unchanged,
  now: Instant,
): AutoscalerDecision => {
  const known = outcomes.flatMap(({ status }) => status ?? []);
  const current = currentReplicas ?? autoscaler.status?.currentReplicas;
  return {
    status: {
      ...autoscaler.status,
      observedGeneration: autoscaler.metadata.generation ?? 0,
      desiredReplicas: current ?? autoscaler.status?.desiredReplicas ?? 0,
      ...(current === undefined ? {} : { currentReplicas: current }),
      ...(outcomes.length === 0 ? {} : { currentMetrics: known }),
      conditions: withConditions(autoscaler, conditions, now),
    },
    replicas: undefined,
    reason: '',
    because,
    problem,
    history,
  };
};

const canScale = condition(
  'AbleToScale',
  'True',
  'SucceededGetScale',
  "the HPA controller was able to get the target's current scale",
);

const rescale = (
  observed: AutoscalerObserved & { readonly target: TargetFacts },
  outcomes: readonly MetricOutcome[],
  now: Instant,
): AutoscalerDecision => {
  const { autoscaler, target, history } = observed;
  const { spec, metadata } = autoscaler;
  const { currentReplicas: current } = target;
  let desired = -1;
  let reason = '';
  for (const { name, recommendation } of outcomes)
    if (!('problem' in recommendation) && recommendation.replicas > desired) {
      desired = recommendation.replicas;
      reason = name;
    }
  // One metric that says nothing must not let the others shrink what it would have kept.
  const silent = outcomes.find(({ recommendation }) => 'problem' in recommendation);
  const wanted = silent !== undefined && desired < current ? current : desired;
  const bounds = { min: spec.minReplicas ?? 1, max: spec.maxReplicas };
  const limited = limit(wanted, { current, bounds, behavior: spec.behavior, history, now });
  const change = limited.replicas - current;
  const because =
    change === 0
      ? `${String(current)} pods are right: ${limited.message}`
      : `${reason} ${change > 0 ? 'above' : 'below'} target: from ${String(current)} to ${String(limited.replicas)} pods`;
  const conditions = [
    limited.stabilized
      ? condition(
          'AbleToScale',
          'True',
          change > 0 ? 'ScaleUpStabilized' : 'ScaleDownStabilized',
          'recent recommendations were different from the current one, applying the one of the stabilization window',
        )
      : condition('AbleToScale', 'True', 'ReadyForNewScale', 'recommended size matches current size'),
    condition(
      'ScalingActive',
      'True',
      'ValidMetricFound',
      `the HPA was able to successfully calculate a replica count from ${reason}`,
    ),
    condition('ScalingLimited', limited.limited ? 'True' : 'False', limited.reason, limited.message),
  ];
  return {
    status: {
      observedGeneration: metadata.generation ?? 0,
      currentReplicas: current,
      desiredReplicas: limited.replicas,
      currentMetrics: outcomes.flatMap(({ status }) => status ?? []),
      conditions: withConditions(autoscaler, conditions, now),
      ...(change === 0
        ? autoscaler.status?.lastScaleTime === undefined
          ? {}
          : { lastScaleTime: autoscaler.status.lastScaleTime }
        : { lastScaleTime: toTimestamp(now) }),
    },
    replicas: change === 0 ? undefined : limited.replicas,
    reason: change > 0 ? `${reason} above target` : 'All metrics below target',
    because,
    problem: undefined,
    history: remembered(history, { at: now, replicas: wanted }, change),
  };
};

export const decide = (observed: AutoscalerObserved, now: Instant): AutoscalerDecision => {
  const { autoscaler, target, facts, history } = observed;
  if ('problem' in target)
    return unchanged(
      observed,
      {
        conditions: [condition('AbleToScale', 'False', 'FailedGetScale', target.problem)],
        because: target.problem,
        problem: { reason: 'FailedGetScale', message: target.problem },
      },
      now,
    );
  const { currentReplicas } = target;
  const { minReplicas = 1, maxReplicas, metrics = [] } = autoscaler.spec;
  if (currentReplicas === 0 && minReplicas !== 0)
    return unchanged(
      observed,
      {
        conditions: [
          canScale,
          condition(
            'ScalingActive',
            'False',
            'ScalingDisabled',
            'scaling is disabled since the replica count of the target is zero',
          ),
        ],
        because: 'its target is scaled to zero by hand',
        currentReplicas,
      },
      now,
    );
  const outside =
    currentReplicas > maxReplicas ? maxReplicas : currentReplicas < minReplicas ? minReplicas : undefined;
  if (outside !== undefined) {
    const because = `${String(currentReplicas)} pods are outside ${String(minReplicas)} to ${String(maxReplicas)}`;
    const decision = unchanged(observed, { conditions: [canScale], because, currentReplicas }, now);
    return {
      ...decision,
      status: { ...decision.status, desiredReplicas: outside, lastScaleTime: toTimestamp(now) },
      replicas: outside,
      reason:
        outside === maxReplicas
          ? 'Current number of replicas above Spec.MaxReplicas'
          : 'Current number of replicas below Spec.MinReplicas',
      history: remembered(history, { at: now, replicas: outside }, outside - currentReplicas),
    };
  }
  const options = { currentReplicas, tolerance: toleranceOf(autoscaler), now };
  const outcomes = (metrics.length === 0 ? defaultMetrics : metrics).map((metric) =>
    judge(metric, target, facts, options),
  );
  const problems = outcomes.flatMap(({ name, recommendation }) =>
    'problem' in recommendation ? [`failed to get ${name}: ${recommendation.problem}`] : [],
  );
  if (problems.length === outcomes.length) {
    const message = `the HPA was unable to compute the replica count: ${problems.join('; ')}`;
    return unchanged(
      observed,
      {
        conditions: [canScale, condition('ScalingActive', 'False', 'FailedGetResourceMetric', message)],
        because: message,
        problem: { reason: 'FailedComputeMetricsReplicas', message },
        currentReplicas,
        outcomes,
      },
      now,
    );
  }
  return rescale({ ...observed, target }, outcomes, now);
};
