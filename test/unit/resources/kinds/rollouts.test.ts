import { describe, expect, it } from 'vitest';
import { analysistemplates } from '../../../../src/resources/kinds/analysistemplates.js';
import { experiments } from '../../../../src/resources/kinds/experiments.js';
import { releases } from '../../../../src/resources/kinds/releases.js';
import { rollouts } from '../../../../src/resources/kinds/rollouts.js';
import { problems, tableRow } from '../sentences.js';

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
const selector = { matchLabels: { app: 'a' } };
const rollout = (strategy: object, spec: object = {}): object => ({
  spec: { selector, template, strategy, ...spec },
});
const canary = (fields: object): object => rollout({ canary: fields });
const routed = (fields: object): object => canary({ canaryService: 'c', stableService: 's', ...fields });
const steps = (...list: readonly object[]): object => canary({ steps: list });

describe('a rollout is accepted', () => {
  it.each<[string, object]>([
    ['with nothing but a strategy', canary({})],
    [
      'with every kind of pause',
      steps({ pause: {} }, { pause: { duration: 30 } }, { pause: { duration: '1h30m' } }),
    ],
    [
      'with a router of another system',
      routed({ trafficRouting: { istio: { virtualService: { name: 'v', routes: ['primary'] } } } }),
    ],
    [
      'with weights beyond a hundred',
      routed({
        trafficRouting: { capstan: {}, maxTrafficWeight: 1000 },
        steps: [{ setWeight: 5 }, { setWeight: 1000 }],
      }),
    ],
    [
      'with an analysis in a step',
      steps({
        analysis: {
          templates: [{ templateName: 't' }],
          args: [{ name: 'a', valueFrom: { podTemplateHashValue: 'Latest' } }],
        },
      }),
    ],
    [
      'with an experiment',
      steps({
        experiment: {
          duration: '5m',
          templates: [
            { name: 'base', specRef: 'stable' },
            { name: 'new', specRef: 'canary' },
          ],
        },
      }),
    ],
    [
      'of blue and green',
      rollout({ blueGreen: { activeService: 'a', previewService: 'p', autoPromotionEnabled: false } }),
    ],
    [
      'with the template of a deployment',
      {
        spec: {
          workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
          strategy: { canary: {} },
        },
      },
    ],
  ])('%s', (_, object) => {
    expect(problems(rollouts, object)).toEqual([]);
  });
});

describe('a rollout is refused for', () => {
  it.each<[string, object, readonly string[]]>([
    [
      'no strategy',
      rollout({}),
      [
        "spec.strategy: Required value: Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'",
      ],
    ],
    [
      'two strategies',
      rollout({ canary: {}, blueGreen: { activeService: 'a' } }),
      ['spec.strategy: Invalid value: "canary, blueGreen": Multiple Strategies can not be listed'],
    ],
    [
      'a weight beyond all traffic',
      steps({ setWeight: 101 }),
      ['spec.strategy.canary.steps[0].setWeight: Invalid value: 101: must be between 0 and 100'],
    ],
    [
      'a step of two kinds',
      steps({ setWeight: 5, pause: {} }),
      [
        'spec.strategy.canary.steps[0]: Invalid value: "setWeight, pause": must have exactly one of setWeight, pause, setCanaryScale, analysis, experiment',
      ],
    ],
    [
      'a step of none',
      steps({}),
      [
        'spec.strategy.canary.steps[0]: Invalid value: "": must have exactly one of setWeight, pause, setCanaryScale, analysis, experiment',
      ],
    ],
    [
      'a pause that is no duration',
      steps({ pause: { duration: 'soon' } }),
      [
        'spec.strategy.canary.steps[0].pause.duration: Invalid value: "soon": must be a count of seconds or a duration such as 30s, 5m or 1h',
      ],
    ],
    [
      'a canary scale without weights of the proxy',
      steps({ setCanaryScale: { replicas: 1 } }),
      [
        'spec.strategy.canary.steps[0].setCanaryScale: Invalid value: {"replicas":1}: requires trafficRouting to be set',
      ],
    ],
    [
      'a route by headers',
      routed({ steps: [{ setHeaderRoute: { name: 'h' } }] }),
      [
        'spec.strategy.canary.steps[0].setHeaderRoute: Forbidden: a route by headers needs a router that reads HTTP; the service proxy splits connections by weight: use setWeight',
      ],
    ],
    [
      'neither surge nor unavailability',
      canary({ maxSurge: 0, maxUnavailable: '0%' }),
      [
        'spec.strategy.canary.maxUnavailable: Invalid value: "0%": maxSurge and maxUnavailable both can not be zero',
      ],
    ],
    [
      'one service for both versions',
      canary({ canaryService: 'a', stableService: 'a' }),
      [
        'spec.strategy.canary.stableService: Invalid value: "a": This rollout uses the same service for the stable and canary services, but two different services are required.',
      ],
    ],
    [
      'traffic without services',
      canary({ trafficRouting: { capstan: {} } }),
      [
        'spec.strategy.canary.canaryService: Required value: trafficRouting needs it',
        'spec.strategy.canary.stableService: Required value: trafficRouting needs it',
      ],
    ],
    [
      'a dynamic stable scale without weights',
      canary({ dynamicStableScale: true }),
      ['spec.strategy.canary.dynamicStableScale: Invalid value: true: can only be used with traffic routing'],
    ],
    [
      'blue and green without an active service',
      rollout({ blueGreen: {} }),
      ['spec.strategy.blueGreen.activeService: Required value'],
    ],
    [
      'both kinds of anti-affinity',
      canary({
        antiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {},
          preferredDuringSchedulingIgnoredDuringExecution: { weight: 1 },
        },
      }),
      [expect.stringContaining('must have exactly one of requiredDuring')],
    ],
    ['no template', { spec: { selector, strategy: { canary: {} } } }, ['spec.template: Required value']],
    [
      'a deadline before pods are available',
      rollout({ canary: {} }, { minReadySeconds: 600 }),
      ['spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds'],
    ],
  ])('%s', (_, object, expected) => {
    expect(problems(rollouts, object)).toEqual(expected);
  });

  it('another selector than before', () => {
    const other = rollout(
      { canary: {} },
      {
        selector: { matchLabels: { app: 'a', tier: 'b' } },
        template: { ...template, metadata: { labels: { app: 'a', tier: 'b' } } },
      },
    );
    expect(problems(rollouts, other, canary({}))).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"app":"a","tier":"b"}}: field is immutable',
    ]);
  });
});

it('tells the step of a rollout in a table', () => {
  const object = {
    ...steps({ setWeight: 20 }, { pause: {} }),
    status: { replicas: 5, updatedReplicas: 1, availableReplicas: 5, phase: 'Paused', currentStepIndex: 1 },
  };
  expect(tableRow(rollouts, object, Date.parse('2025-01-01T01:00:00Z'))).toBe(
    'Name=a Desired=1 Current=5 Up-to-date=1 Available=5 Phase=Paused Step=1/2 Age=60m | Message= Containers=c Images=x Selector=app=a',
  );
});

const metric = (fields: object): object => ({
  spec: { metrics: [{ name: 'm', provider: { web: { url: 'http://w' } }, ...fields }] },
});

describe('an analysis template is refused for', () => {
  it.each<[string, object, readonly string[]]>([
    ['no metric', { spec: {} }, ['spec.metrics: Required value: no metrics specified']],
    [
      'a condition that cannot be read',
      metric({ successCondition: 'result[0] >' }),
      [
        'spec.metrics[0].successCondition: Invalid value: "result[0] >": the expression ends too early at position 12',
      ],
    ],
    [
      'a function that there is not',
      metric({ failureCondition: 'explode(result)' }),
      [
        'spec.metrics[0].failureCondition: Invalid value: "explode(result)": there is no function explode at position 8',
      ],
    ],
    [
      'a provider that is not measured',
      metric({ provider: { datadog: { query: 'x' } } }),
      [
        'spec.metrics[0].provider.datadog: Invalid value: "datadog": is not measured here; use one of prometheus, web, job, capstan (web reads any JSON answer)',
      ],
    ],
    [
      'two providers',
      metric({ provider: { web: { url: 'x' }, capstan: {} } }),
      ['spec.metrics[0].provider: Invalid value: "web, capstan": must name exactly one provider'],
    ],
    [
      'several measurements at once',
      metric({ count: 5 }),
      ['spec.metrics[0].interval: Required value: must be specified when count > 1'],
    ],
  ])('%s', (_, object, expected) => {
    expect(problems(analysistemplates, object)).toEqual(expected);
  });

  it('is accepted with arguments in its limits, durations and conditions', () => {
    const object = metric({
      interval: '{{args.interval}}',
      count: '{{args.count}}',
      successCondition: 'result < {{args.most}}',
    });
    expect(problems(analysistemplates, object)).toEqual([]);
  });
});

it('refuses an experiment without versions, and a version whose labels do not fit', () => {
  expect(problems(experiments, { spec: {} })).toEqual(['spec.templates: Required value']);
  const wrong = { spec: { templates: [{ name: 'v', selector: { matchLabels: { app: 'b' } }, template }] } };
  expect(problems(experiments, wrong)).toEqual([
    'spec.templates[0].template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
  ]);
});

it('refuses a release that names a rollout twice', () => {
  expect(problems(releases, { spec: { rollouts: ['a', 'a'] } })).toEqual([
    'spec.rollouts[1]: Duplicate value: "a"',
  ]);
});
