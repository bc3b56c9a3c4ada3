// Each metric of an autoscaler: how many pods it asks for, and where it stands.
import type { Pod } from '../../resources/generated/types.js';
import type { MetricSpec, MetricStatus, MetricTarget } from '../../resources/generated/types.js';
import { formatQuantity, milliValue } from '../../resources/quantity.js';
import type { MetricFacts, Sample, TargetFacts } from './facts.js';
import {
  byAverage,
  byShare,
  byUtilization,
  byValue,
  type PodFigure,
  type Recommendation,
  type ReplicasOptions,
} from './replicas.js';

export interface MetricOutcome {
  readonly name: string;
  readonly recommendation: Recommendation;
  /** Undefined while nothing is known. */
  readonly status: MetricStatus | undefined;
}

/** CPU in millicores, everything else in whole units: as consumption is measured. */
const scaleOf = (resource: string): number => (resource === 'cpu' ? 1000 : 1);

/** An amount in thousandths, as quantities are written. */
const quantity = (value: number, scale: number): string =>
  formatQuantity({ nanos: BigInt(Math.round((1000 * value) / scale)) * 1_000_000n, format: 'DecimalSI' });

const consumed = (
  pods: readonly Pod[],
  { consumption }: MetricFacts,
  resource: string,
  container: string | undefined,
): ReadonlyMap<string, PodFigure> => {
  const figures = new Map<string, PodFigure>();
  for (const { metadata } of pods) {
    const known = consumption.get(metadata.uid);
    if (known === undefined) continue;
    const all = container === undefined ? [...known.containers.values()] : [known.containers.get(container)];
    const values = all.map((amounts) => amounts?.[resource]);
    if (values.length === 0 || values.some((value) => value === undefined)) continue;
    const value = values.reduce<number>((sum, one) => sum + (one ?? 0), 0);
    figures.set(metadata.uid, { value, at: known.at, windowMs: known.windowMs });
  }
  return figures;
};

interface ResourceQuestion {
  readonly name: string;
  readonly container?: string | undefined;
  readonly target: MetricTarget;
}

const resourceOutcome = (
  { name, container, target }: ResourceQuestion,
  { pods }: TargetFacts,
  facts: MetricFacts,
  options: ReplicasOptions,
): { readonly recommendation: Recommendation; readonly current: MetricStatus['resource'] } => {
  const figures = consumed(pods, facts, name, container);
  const scale = scaleOf(name);
  const { averageUtilization, averageValue } = target;
  const recommendation =
    averageUtilization === undefined
      ? byAverage(
          pods,
          figures,
          { average: (milliValue(averageValue ?? '0') * scale) / 1000, isCpu: name === 'cpu' },
          options,
        )
      : byUtilization(pods, figures, { resource: name, container, percent: averageUtilization }, options);
  if ('problem' in recommendation) return { recommendation, current: undefined };
  return {
    recommendation,
    current: {
      name,
      current: {
        averageValue: quantity(recommendation.average, scale),
        ...(averageUtilization === undefined ? {} : { averageUtilization: recommendation.current }),
      },
    },
  };
};

const samplesOf = ({ figures }: MetricFacts, name: string): readonly Sample[] | string => {
  const figure = figures.get(name);
  if (figure === undefined) return `nobody says what ${name} is`;
  if ('problem' in figure) return figure.problem;
  return figure.value.length === 0 ? `no series answers for ${name}` : figure.value;
};

const total = (samples: readonly Sample[]): number => samples.reduce((sum, { value }) => sum + value, 0);

/** Series of single pods carry the pod's name in the label `pod`. */
const perPod = (
  pods: readonly Pod[],
  samples: readonly Sample[],
  { now }: ReplicasOptions,
): ReadonlyMap<string, PodFigure> => {
  const byName = new Map(samples.map(({ labels, value }) => [labels['pod'], value]));
  return new Map(
    pods.flatMap(({ metadata }): readonly [string, PodFigure][] => {
      const value = byName.get(metadata.name);
      return value === undefined ? [] : [[metadata.uid, { value, at: now, windowMs: 0 }]];
    }),
  );
};

const figureOutcome = (
  target: MetricTarget,
  samples: readonly Sample[],
  { pods }: TargetFacts,
  options: ReplicasOptions,
): Recommendation => {
  const value = total(samples);
  return target.averageValue === undefined
    ? byValue(pods, { value, target: milliValue(target.value ?? '0') / 1000 }, options)
    : byShare({ value, target: milliValue(target.averageValue) / 1000 }, options);
};

const currentOf = (target: MetricTarget, recommendation: Recommendation) => {
  if ('problem' in recommendation) return undefined;
  const text = quantity(recommendation.current, 1);
  return target.averageValue === undefined ? { value: text } : { averageValue: text };
};

const nothing = (name: string, problem: string): MetricOutcome => ({
  name,
  recommendation: { problem },
  status: undefined,
});

export const judge = (
  spec: MetricSpec,
  target: TargetFacts,
  facts: MetricFacts,
  options: ReplicasOptions,
): MetricOutcome => {
  const { type, resource, containerResource, pods, object, external } = spec;
  if (resource !== undefined || containerResource !== undefined) {
    const question = containerResource ?? resource ?? { name: '', target: { type: '' } };
    const { recommendation, current } = resourceOutcome(question, target, facts, options);
    const name = `${question.name} resource`;
    if (current === undefined) return { name, recommendation, status: undefined };
    return {
      name,
      recommendation,
      status:
        containerResource === undefined
          ? { type, resource: current }
          : { type, containerResource: { ...current, container: containerResource.container } },
    };
  }
  const named = pods ?? object ?? external;
  if (named === undefined) return nothing(type, `a metric of type ${type} says nothing`);
  const { name } = named.metric;
  const samples = samplesOf(facts, name);
  if (typeof samples === 'string') return nothing(name, samples);
  const recommendation =
    pods === undefined
      ? figureOutcome(named.target, samples, target, options)
      : byAverage(
          target.pods,
          perPod(target.pods, samples, options),
          { average: milliValue(named.target.averageValue ?? '0') / 1000, isCpu: false },
          options,
        );
  const current = currentOf(named.target, recommendation);
  if (current === undefined) return { name, recommendation, status: undefined };
  const { metric } = named;
  if (pods !== undefined) return { name, recommendation, status: { type, pods: { metric, current } } };
  if (object !== undefined) {
    const { describedObject } = object;
    return { name, recommendation, status: { type, object: { metric, describedObject, current } } };
  }
  return { name, recommendation, status: { type, external: { metric, current } } };
};
