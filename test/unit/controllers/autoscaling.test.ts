import { describe, expect, it } from 'vitest';
import { limit, noHistory, type History } from '../../../src/controllers/autoscaling/behavior.js';
import { decide } from '../../../src/controllers/autoscaling/decide.js';
import type { MetricFacts, PodConsumption } from '../../../src/controllers/autoscaling/facts.js';
import type { Pod, V2HorizontalPodAutoscaler } from '../../../src/resources/generated/types.js';
import { createRandom, seeds } from '../../contract/random.js';
import { at, now } from './objects.js';

const autoscaler = (spec: object = {}, status?: object): V2HorizontalPodAutoscaler =>
  ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'h',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: at(-60),
    },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
        },
      ],
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  }) as V2HorizontalPodAutoscaler;

interface PodState {
  readonly ready?: boolean;
  readonly startedAgo?: number;
  readonly phase?: string;
  readonly cpu?: string;
}

const pod = (
  name: string,
  { ready = true, startedAgo = 3600, phase = 'Running', cpu = '100m' }: PodState = {},
) =>
  ({
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: at(-startedAgo),
    },
    spec: { containers: [{ name: 'main', image: 'i', resources: { requests: { cpu } } }] },
    status: {
      phase,
      startTime: at(-startedAgo),
      conditions: [
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: at(-startedAgo + 5) },
      ],
    },
  }) as unknown as Pod;

const using = (millicores: Readonly<Record<string, number>>): MetricFacts => ({
  consumption: new Map(
    Object.entries(millicores).map(([uid, cpu]): [string, PodConsumption] => [
      uid,
      { at: now, windowMs: 15_000, containers: new Map([['main', { cpu, memory: 1024 }]]) },
    ]),
  ),
  figures: new Map(),
});

const scaled = (
  pods: readonly Pod[],
  facts: MetricFacts,
  {
    hpa = autoscaler(),
    current = pods.length,
    history = noHistory,
  }: { hpa?: V2HorizontalPodAutoscaler; current?: number; history?: History } = {},
) => decide({ autoscaler: hpa, target: { pods, currentReplicas: current }, facts, history }, now);

const three = ['a', 'b', 'c'].map((name) => pod(name));

describe('an autoscaler', () => {
  it('adds pods in proportion to what they use of what they request', () => {
    const decision = scaled(three, using({ a: 90, b: 80, c: 70 }));
    expect(decision.replicas).toBe(5);
    expect(decision.because).toBe('cpu resource above target: from 3 to 5 pods');
    expect(decision.status).toMatchObject({
      currentReplicas: 3,
      desiredReplicas: 5,
      currentMetrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', current: { averageUtilization: 80, averageValue: '80m' } },
        },
      ],
    });
  });

  it('leaves things as they are within its tolerance', () => {
    expect(scaled(three, using({ a: 54, b: 54, c: 54 })).replicas).toBeUndefined();
    expect(scaled(three, using({ a: 46, b: 46, c: 46 })).replicas).toBeUndefined();
    const tight = autoscaler({ behavior: { scaleUp: { tolerance: '0' } } });
    expect(scaled(three, using({ a: 54, b: 54, c: 54 }), { hpa: tight }).replicas).toBe(4);
  });

  it('does not count what a pod burns while it starts', () => {
    const pods = [pod('a'), pod('b', { ready: false, startedAgo: 20 })];
    expect(scaled(pods, using({ a: 50, b: 1000 })).replicas).toBeUndefined();
  });

  it('takes pods of which nothing is known for idle when it grows and for busy when it shrinks', () => {
    expect(scaled(three, using({ a: 90, b: 90 })).replicas).toBe(4);
    expect(scaled(three, using({ a: 10, b: 10 })).replicas).toBeUndefined();
  });

  it('says what it lacks, and scales nothing', () => {
    const decision = scaled([pod('a', { cpu: '0' })], using({ a: 10 }));
    expect(decision.replicas).toBeUndefined();
    expect(decision.problem).toMatchObject({ reason: 'FailedComputeMetricsReplicas' });
    expect(decision.status.conditions).toContainEqual(
      expect.objectContaining({
        type: 'ScalingActive',
        status: 'False',
        message:
          'the HPA was unable to compute the replica count: failed to get cpu resource: missing request for cpu in pod a',
      }),
    );
  });

  it('follows the metric that asks for the most, and does not shrink while one says nothing', () => {
    const metrics = [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
      },
      {
        type: 'External',
        external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } },
      },
    ];
    const hpa = autoscaler({ metrics });
    const facts = (samples: readonly number[]): MetricFacts => ({
      ...using({ a: 50, b: 50, c: 50 }),
      figures: new Map([['queue', { value: samples.map((value) => ({ labels: {}, value })) }]]),
    });
    expect(scaled(three, facts([40, 20]), { hpa }).replicas).toBe(6);
    const silent = { ...using({ a: 5, b: 5, c: 5 }), figures: new Map([['queue', { problem: 'down' }]]) };
    expect(scaled(three, silent, { hpa }).replicas).toBeUndefined();
  });

  it('counts series of single pods by the name of the pod', () => {
    const metrics = [
      {
        type: 'Pods',
        pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '100' } },
      },
    ];
    const samples = three.map(({ metadata }) => ({ labels: { pod: metadata.name }, value: 200 }));
    const facts = { consumption: new Map(), figures: new Map([['rps', { value: samples }]]) };
    expect(scaled(three, facts, { hpa: autoscaler({ metrics }) }).replicas).toBe(6);
  });

  it('goes to nothing and back on figures that exist without pods', () => {
    const metrics = [
      {
        type: 'External',
        external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } },
      },
    ];
    const behavior = { scaleDown: { stabilizationWindowSeconds: 0 } };
    const hpa = autoscaler({ minReplicas: 0, metrics, behavior });
    const queue = (value: number): MetricFacts => ({
      consumption: new Map(),
      figures: new Map([['queue', { value: [{ labels: {}, value }] }]]),
    });
    expect(scaled([pod('a')], queue(0), { hpa }).replicas).toBe(0);
    expect(scaled([], queue(25), { hpa }).replicas).toBe(3);
  });

  it('leaves a target alone that was scaled to zero by hand, and brings one back into its bounds', () => {
    expect(scaled([], using({})).because).toBe('its target is scaled to zero by hand');
    expect(scaled(three, using({ a: 50 }), { current: 20 }).replicas).toBe(10);
    expect(scaled(three, using({}), { hpa: autoscaler({ minReplicas: 5 }) }).replicas).toBe(5);
  });
});

describe('how fast an autoscaler follows', () => {
  const bounds = { min: 1, max: 100 };
  const go = (desired: number, current: number, more: { behavior?: object; history?: History } = {}) =>
    limit(desired, { current, bounds, behavior: more.behavior, history: more.history ?? noHistory, now });

  it('doubles at most, or adds four, in 15 seconds', () => {
    expect(go(50, 10)).toMatchObject({ replicas: 20, reason: 'ScaleUpLimit' });
    expect(go(50, 1)).toMatchObject({ replicas: 5 });
    const history = { ...noHistory, ups: [{ at: now - 10_000, change: 10 }] };
    expect(go(50, 20, { history })).toMatchObject({ replicas: 20 });
  });

  it('waits five minutes before it shrinks, unless it is told otherwise', () => {
    const history = { ...noHistory, recommendations: [{ at: now - 200_000, replicas: 10 }] };
    expect(go(2, 10, { history })).toMatchObject({ replicas: 10, stabilized: true });
    const behavior = { scaleDown: { stabilizationWindowSeconds: 60 } };
    expect(go(2, 10, { history, behavior })).toMatchObject({ replicas: 2 });
  });

  it('keeps to its policies', () => {
    const behavior = {
      scaleDown: {
        stabilizationWindowSeconds: 0,
        policies: [
          { type: 'Pods', value: 2, periodSeconds: 60 },
          { type: 'Percent', value: 10, periodSeconds: 60 },
        ],
      },
    };
    expect(go(1, 50, { behavior })).toMatchObject({ replicas: 45, reason: 'ScaleDownLimit' });
    const min = { scaleDown: { ...behavior.scaleDown, selectPolicy: 'Min' } };
    expect(go(1, 50, { behavior: min })).toMatchObject({ replicas: 48 });
    expect(
      go(1, 50, { behavior: { scaleDown: { selectPolicy: 'Disabled', stabilizationWindowSeconds: 0 } } }),
    ).toMatchObject({
      replicas: 50,
    });
  });
});

describe.each(seeds([1, 2, 3]))('any run of an autoscaler (seed %i)', (seed) => {
  it('stays within its bounds and its rate, and rests when the load does', () => {
    const random = createRandom(seed);
    let history = noHistory;
    let current = 3;
    let load = 200;
    let clock = now;
    for (let round = 0; round < 200; round += 1) {
      if (round < 150 && random.chance(0.2)) load = random.integer(2000);
      const pods = Array.from({ length: current }, (_, index) => pod(`p${String(index)}`));
      const facts = using(Object.fromEntries(pods.map(({ metadata }) => [metadata.uid, load / current])));
      const decision = decide(
        { autoscaler: autoscaler(), target: { pods, currentReplicas: current }, facts, history },
        clock,
      );
      history = decision.history;
      const next = decision.replicas ?? current;
      expect(next).toBeGreaterThanOrEqual(1);
      expect(next).toBeLessThanOrEqual(10);
      expect(next).toBeLessThanOrEqual(Math.max(2 * current, current + 4));
      current = next;
      clock += 15_000;
    }
    expect(Math.abs(current - Math.min(10, Math.max(1, Math.ceil(load / 50))))).toBeLessThanOrEqual(1);
  });
});
