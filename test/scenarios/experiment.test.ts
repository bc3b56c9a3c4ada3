import { describe, expect, it } from 'vitest';
import { analysistemplates } from '../../src/resources/kinds/analysistemplates.js';
import { experiments } from '../../src/resources/kinds/experiments.js';
import { releases } from '../../src/resources/kinds/releases.js';
import { rollouts } from '../../src/resources/kinds/rollouts.js';
import type { Rollout } from '../../src/resources/generated/types.js';
import { isPodActive } from '../../src/resources/pod-status.js';
import type { SendMetricRequest } from '../../src/rollouts/analysis/metric-source.js';
import { images, manifest, patchStatus, reaches, rollout, setImage, start } from './progressive.js';
import { simulate } from './simulation.js';
import type { Simulation } from './simulation.js';
import { podsOf } from './workloads.js';

const answer =
  (value: number): SendMetricRequest =>
  () =>
    Promise.resolve({ status: 200, body: JSON.stringify({ value }) });

const template = async ({ cluster }: Simulation): Promise<void> => {
  const provider = { web: { url: 'http://metrics/{{args.hash}}', jsonPath: '{$.value}' } };
  await cluster.create(analysistemplates, {
    metadata: { name: 'compare', namespace: 'default' },
    spec: {
      args: [{ name: 'hash' }],
      metrics: [{ name: 'value', successCondition: 'result < 10', provider }],
    },
  });
};

const step = {
  experiment: {
    duration: '20s',
    templates: [
      { name: 'base', specRef: 'stable', replicas: 1 },
      { name: 'new', specRef: 'canary', replicas: 2 },
    ],
    analyses: [
      {
        name: 'compare',
        templateName: 'compare',
        requiredForCompletion: true,
        args: [{ name: 'hash', value: '{{templates.new.podTemplateHash}}' }],
      },
    ],
  },
};

const experiment = ({ truth }: Simulation) => truth.view.list(experiments, 'default')[0];

describe('an experiment', () => {
  it('runs both versions for its duration, and then the rollout goes on', async () => {
    await simulate({ seed: 1, metrics: answer(1) }, async (simulation) => {
      await template(simulation);
      await start(simulation, { canary: { steps: [step, { setWeight: 40 }] } });
      await setImage(simulation, 'web:2');
      await simulation.until('it runs', () => experiment(simulation)?.status?.phase === 'Running');
      expect(images(simulation)).toEqual({ 'web:1': 6, 'web:2': 2 });
      await reaches(simulation, 'Healthy');
      expect(experiment(simulation)?.status).toMatchObject({
        phase: 'Successful',
        analysisRuns: [{ name: 'compare', phase: 'Successful' }],
      });
      await simulation.advance(40_000);
      expect(images(simulation)).toEqual({ 'web:2': 5 });
    });
  });

  it('that fails gives the new version up and takes its pods away', async () => {
    await simulate({ seed: 1, metrics: answer(50) }, async (simulation) => {
      await template(simulation);
      await start(simulation, { canary: { steps: [step, { setWeight: 40 }] } });
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Degraded');
      expect(rollout(simulation).status?.abortMessage).toMatch(
        /^Experiment phase error\/failed: Analysis 'compare' is Failed/,
      );
      await simulation.advance(60_000);
      expect(images(simulation)).toEqual({ 'web:1': 5 });
    });
  });
});

describe('a release of three rollouts', () => {
  const names = ['a', 'b', 'c'];
  const strategy = {
    canary: { steps: [{ setWeight: 50 }, { pause: { duration: 5 } }, { setWeight: 75 }, { pause: {} }] },
  };
  const member = ({ truth }: Simulation, one: string): Rollout =>
    truth.view.get(rollouts, { name: one, namespace: 'default' })!;

  const begin = async (simulation: Simulation): Promise<void> => {
    const { cluster } = simulation;
    for (const one of names) {
      const labels = { app: one };
      const made = manifest(strategy, {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
      });
      await cluster.create(rollouts, { ...made, metadata: { name: one, namespace: 'default' } });
    }
    await cluster.create(releases, {
      metadata: { name: 'all', namespace: 'default' },
      spec: { rollouts: names },
    });
    await simulation.until('all run', () =>
      names.every(
        (one) =>
          simulation.truth.view.get(rollouts, { name: one, namespace: 'default' })?.status?.phase ===
          'Healthy',
      ),
    );
    for (const one of names) {
      const operations = [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'web:2' }];
      await cluster.patch(rollouts, { name: one, namespace: 'default' }, { type: 'json', operations });
    }
    await simulation.until('all pause at the end', () =>
      names.every(
        (one) =>
          member(simulation, one).status?.currentStepIndex === 3 &&
          member(simulation, one).status?.phase === 'Paused',
      ),
    );
  };

  const patch = async ({ cluster }: Simulation, one: string, status: object): Promise<void> => {
    await cluster.patch(
      rollouts,
      { name: one, namespace: 'default' },
      { type: 'merge', patch: { status } },
      { subresource: 'status' },
    );
  };

  it('is promoted only when every member has done its steps', async () => {
    await simulate({ seed: 1 }, async (simulation) => {
      await begin(simulation);
      await patch(simulation, 'a', { pauseConditions: null });
      await simulation.advance(20_000);
      expect(member(simulation, 'a').status?.phase).toBe('Progressing');
      expect(member(simulation, 'a').status?.stableRS).not.toBe(
        member(simulation, 'a').status?.currentPodHash,
      );
      await patch(simulation, 'b', { pauseConditions: null });
      await patch(simulation, 'c', { pauseConditions: null });
      await simulation.until(
        'the release is healthy',
        () =>
          simulation.truth.view.get(releases, { name: 'all', namespace: 'default' })?.status?.phase ===
          'Healthy',
      );
    });
  });

  it('is taken back as a whole when one member fails', async () => {
    await simulate({ seed: 1 }, async (simulation) => {
      await begin(simulation);
      await patch(simulation, 'b', { abort: true });
      await simulation.until('all are aborted', () =>
        names.every((one) => member(simulation, one).status?.abort === true),
      );
      await simulation.advance(30_000);
      for (const one of names)
        expect(
          podsOf(simulation, one)
            .filter(isPodActive)
            .map(({ spec }) => spec.containers[0]?.image),
        ).toEqual(['web:1', 'web:1']);
      expect(member(simulation, 'a').status?.abortMessage).toMatch(
        /^Rollout b of the same release was aborted/,
      );
    });
  });
});

it('a step that a person holds goes on only when let go', async () => {
  await simulate({ seed: 1 }, async (simulation) => {
    await start(simulation, { canary: { steps: [{ setWeight: 20 }, { pause: { duration: 10 } }] } });
    await setImage(simulation, 'web:2');
    await simulation.until('it pauses', () => rollout(simulation).status?.currentStepIndex === 1);
    await patchStatus(simulation, { held: true });
    await simulation.advance(30_000);
    expect(rollout(simulation).status).toMatchObject({ phase: 'Paused', currentStepIndex: 1 });
    await patchStatus(simulation, { held: null });
    await reaches(simulation, 'Healthy');
  });
});
