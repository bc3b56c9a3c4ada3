import { describe, expect, it } from 'vitest';
import { deployments } from '../../../../src/resources/kinds/deployments.js';
import { replicasets } from '../../../../src/resources/kinds/replicasets.js';
import { problems } from '../sentences.js';

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
const selector = { matchLabels: { app: 'a' } };
const deployment = (spec: object = {}): object => ({ spec: { selector, template, ...spec } });
const templateWith = (spec: object): object => ({ ...template, spec: { ...template.spec, ...spec } });
const rolling = (rollingUpdate: object): object =>
  deployment({ strategy: { type: 'RollingUpdate', rollingUpdate } });
const percent =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

describe('a deployment is refused for', () => {
  it.each<[string, object, readonly string[]]>([
    [
      'a template that the selector does not match',
      deployment({ selector: { matchLabels: { app: 'b' } } }),
      [
        'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
      ],
    ],
    [
      'a template without labels',
      deployment({ template: { spec: template.spec } }),
      ['spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`'],
    ],
    [
      'an empty selector',
      deployment({ selector: {} }),
      ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    [
      'a selector that makes no sense',
      deployment({
        selector: {
          matchExpressions: [
            { key: 'a', operator: 'In' },
            { key: 'b', operator: 'Exists', values: ['x'] },
          ],
        },
      }),
      [
        "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      ],
    ],
    [
      'a template without a spec',
      deployment({ template: { metadata: template.metadata } }),
      ['spec.template.spec.containers: Required value'],
    ],
    [
      'pods that end',
      deployment({ template: templateWith({ restartPolicy: 'Never', activeDeadlineSeconds: 5 }) }),
      [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in Deployment is not Supported',
      ],
    ],
    [
      'containers without an image',
      deployment({ template: templateWith({ containers: [{ name: 'c' }] }) }),
      ['spec.template.spec.containers[0].image: Required value'],
    ],
    [
      'negative numbers',
      deployment({
        replicas: -1,
        minReadySeconds: -2,
        revisionHistoryLimit: -3,
        progressDeadlineSeconds: -4,
      }),
      [
        'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
        'spec.minReadySeconds: Invalid value: -2: must be greater than or equal to 0',
        'spec.revisionHistoryLimit: Invalid value: -3: must be greater than or equal to 0',
        'spec.progressDeadlineSeconds: Invalid value: -4: must be greater than or equal to 0',
        'spec.progressDeadlineSeconds: Invalid value: -4: must be greater than minReadySeconds',
      ],
    ],
    [
      'a deadline before pods can be available',
      deployment({ minReadySeconds: 60, progressDeadlineSeconds: 60 }),
      ['spec.progressDeadlineSeconds: Invalid value: 60: must be greater than minReadySeconds'],
    ],
    [
      'a strategy',
      deployment({ strategy: { type: 'Canary' } }),
      ['spec.strategy.type: Unsupported value: "Canary": supported values: "Recreate", "RollingUpdate"'],
    ],
    [
      'a rolling Recreate',
      deployment({ strategy: { type: 'Recreate', rollingUpdate: {} } }),
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      'a rollout that cannot move',
      rolling({ maxSurge: '0%', maxUnavailable: 0 }),
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
    ],
    [
      'more than all',
      rolling({ maxUnavailable: '101%' }),
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
    ],
    [
      'counts that are none',
      rolling({ maxSurge: -1, maxUnavailable: 'half' }),
      [
        `spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "half": ${percent}`,
        'spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
  ])('%s', (_, parts, expected) => {
    expect(problems(deployments, parts)).toEqual(expected);
  });

  it.each<[string, object, string]>([
    [
      'labels of its template',
      { ...template, metadata: { labels: { app: 'a', 'b c': 'd' } } },
      'spec.template.metadata.labels: Invalid value: "b c": name part must consist of',
    ],
    [
      'label values',
      { ...template, metadata: { labels: { app: 'a', b: '-' } } },
      'spec.template.metadata.labels: Invalid value: "-": a valid label must be an empty string or consist of',
    ],
    [
      'annotations of its template',
      { ...template, metadata: { labels: { app: 'a' }, annotations: { 'b/': '' } } },
      'spec.template.metadata.annotations: Invalid value: "b/": name part must be non-empty',
    ],
    [
      'too many annotations',
      { ...template, metadata: { labels: { app: 'a' }, annotations: { b: 'x'.repeat(262144) } } },
      'spec.template.metadata.annotations: Too long: may not be more than 262144 bytes',
    ],
  ])('%s', (_, given, expected) => {
    const [problem = ''] = problems(deployments, deployment({ template: given }));
    expect(problem.startsWith(expected), problem).toBe(true);
  });

  it('another selector than before, though not for another template', () => {
    const moved = { matchLabels: { app: 'b' } };
    const relabelled = { ...template, metadata: { labels: { app: 'b' } } };
    expect(
      problems(deployments, deployment({ selector: moved, template: relabelled }), deployment()),
    ).toEqual(['spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable']);
    expect(
      problems(deployments, deployment({ template: templateWith({ hostname: 'h' }) }), deployment()),
    ).toEqual([]);
  });
});

describe('a replica set is refused for', () => {
  it.each<[string, object, readonly string[]]>([
    [
      'an empty selector',
      deployment({ selector: {} }),
      ['spec.selector: Invalid value: {}: empty selector is invalid for replicaset'],
    ],
    [
      'negative replicas',
      deployment({ replicas: -1 }),
      ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'no template',
      { spec: { selector } },
      [
        'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`',
        'spec.template.spec.containers: Required value',
      ],
    ],
  ])('%s', (_, parts, expected) => {
    expect(problems(replicasets, parts)).toEqual(expected);
  });

  it('another selector than before', () => {
    const wider = { matchExpressions: [{ key: 'app', operator: 'Exists' }] };
    expect(problems(replicasets, deployment({ selector: wider }), deployment())).toEqual([
      'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Exists"}]}: field is immutable',
    ]);
  });
});
