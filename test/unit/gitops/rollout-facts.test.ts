import { describe, expect, it } from 'vitest';
import type { View } from '../../../src/client/view.js';
import { rolloutHealth } from '../../../src/gitops/health/rollout.js';
import {
  rolloutFacts,
  rolloutFiles,
  rolloutTable,
  rolloutTrailers,
} from '../../../src/gitops/rollout-facts.js';
import type { AnalysisRun, Rollout, RolloutStatus } from '../../../src/resources/generated/types.js';
import { rollouts } from '../../../src/resources/kinds/rollouts.js';

const rollout = (status: RolloutStatus): Rollout => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Rollout',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'u',
    resourceVersion: '1',
    generation: 2,
    creationTimestamp: '2025-01-01T00:00:00Z',
    labels: { 'capstan.dev/application': 'shop' },
  },
  spec: {
    replicas: 4,
    strategy: { canary: { steps: [{ setWeight: 25 }, { analysis: { templates: [] } }, { pause: {} }] } },
  },
  status: { observedGeneration: '2', stableRS: 'old', currentPodHash: 'new', ...status },
});

const run = {
  metadata: {
    name: 'web-new-2-1',
    namespace: 'shop',
    labels: { 'step-index': '1', 'rollouts-pod-template-hash': 'new' },
  },
  status: {
    phase: 'Failed',
    message: 'Metric "rate" assessed Failed',
    metricResults: [
      {
        name: 'rate',
        phase: 'Failed',
        measurements: [
          { phase: 'Failed', value: '[0.5]' },
          { phase: 'Failed', value: '[0.4]' },
        ],
      },
    ],
  },
} as unknown as AnalysisRun;

const viewOf = (object: Rollout): View =>
  ({
    list: () => [object],
    get: (kind: unknown) => (kind === rollouts ? object : run),
    lookup: () => [run],
  }) as unknown as View;

const abortedRollout = rollout({
  phase: 'Degraded',
  message: 'RolloutAborted: Rollout aborted update to revision 2',
  abort: true,
  currentStepIndex: 0,
  canary: { currentStepAnalysisRunStatus: { name: 'web-new-2-1' } },
});

describe('a rollout, as Git sees it,', () => {
  it.each<[string, Rollout, object]>([
    [
      'is on its way while it pauses',
      rollout({ phase: 'Paused', because: 'step 3 of 3 (pause)' }),
      { status: 'Progressing', message: 'pauses: step 3 of 3 (pause)' },
    ],
    ['has failed for good when it was aborted', abortedRollout, { status: 'Degraded', failed: true }],
    ['is healthy when its controller says so', rollout({ phase: 'Healthy' }), { status: 'Healthy' }],
    [
      'waits for its controller',
      rollout({ phase: 'Healthy', observedGeneration: '1' }),
      { status: 'Progressing' },
    ],
  ])('%s', (_, object, expected) => {
    expect(rolloutHealth.judge(object, viewOf(object))).toMatchObject(expected);
  });

  it('is named in the commit that takes it back, with the step, the metric and what was measured', () => {
    expect(rolloutTrailers(viewOf(abortedRollout), 'shop')).toEqual([
      'Capstan-Rollout: shop/web',
      'Capstan-Step: 2 of 3',
      'Capstan-Metric: rate',
      'Capstan-Measured: [0.5], [0.4]',
    ]);
    expect(rolloutTrailers(viewOf(abortedRollout), 'other')).toEqual([]);
  });

  it('is named so also when its status names no run any more, as after an abort', () => {
    const forgotten = (message: string): Rollout =>
      rollout({ ...abortedRollout.status, message, canary: {} });
    const failed = 'RolloutAborted: Rollout aborted update to revision 2: Metric "rate" assessed Failed';
    expect(rolloutTrailers(viewOf(forgotten(failed)), 'shop')).toContain('Capstan-Metric: rate');
    const byHand = 'RolloutAborted: Rollout aborted update to revision 2';
    expect(rolloutTrailers(viewOf(forgotten(byHand)), 'shop')).toEqual(['Capstan-Rollout: shop/web']);
  });

  it('stands in the status with its step, its weight and a bar', () => {
    const object = rollout({
      phase: 'Paused',
      message: 'CanaryPauseStep',
      currentStepIndex: 2,
      updatedReplicas: 1,
      replicas: 5,
      canary: { weights: { canary: { weight: 25 } } },
    });
    const facts = rolloutFacts(viewOf(object));
    expect(rolloutTable(facts).at(-1)).toBe(
      '| shop/web | Paused | 2/3 pause | ███░░░░░░░ 25 | 1/5 | CanaryPauseStep |',
    );
    const [[path, content] = ['', '']] = rolloutFiles(facts);
    expect(path).toBe('status/rollouts/shop.web.yaml');
    expect(content).toContain('phase: Paused\n');
    expect(content).toContain('weight: 25\n');
  });
});
