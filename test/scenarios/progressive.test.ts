import { describe, expect, it } from 'vitest';
import { configmaps } from '../../src/resources/kinds/configmaps.js';
import { rollouts } from '../../src/resources/kinds/rollouts.js';
import { isPodActive } from '../../src/resources/pod-status.js';
import { seeds } from '../contract/random.js';
import {
  images,
  makeServices,
  name,
  patchStatus,
  phase,
  reaches,
  rollout,
  setImage,
  shares,
  start,
} from './progressive.js';
import { missingImage } from './simulated-node.js';
import { simulate } from './simulation.js';
import { podsOf, watchExtremes } from './workloads.js';

const slow = (random: () => number): number => 200 + random() * 4000;

describe.each(seeds([1]))('a canary by numbers of pods (seed %i)', (seed) => {
  const canary = {
    canary: {
      maxSurge: 1,
      maxUnavailable: 0,
      steps: [{ setWeight: 20 }, { pause: {} }, { setWeight: 60 }, { pause: { duration: 10 } }],
    },
  };

  it('waits at a pause, goes on when promoted, and keeps its bounds at every moment', async () => {
    await simulate({ seed, startMs: slow }, async (simulation) => {
      await start(simulation, canary);
      const extremes = watchExtremes(simulation);
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Paused');
      expect(images(simulation)).toEqual({ 'web:1': 4, 'web:2': 1 });
      expect(rollout(simulation).status).toMatchObject({
        currentStepIndex: 1,
        pauseConditions: [{ reason: 'CanaryPauseStep' }],
      });
      await patchStatus(simulation, { pauseConditions: null });
      await reaches(simulation, 'Healthy');
      expect(images(simulation)).toEqual({ 'web:2': 5 });
      expect(extremes.ready).toBeGreaterThanOrEqual(5);
      expect(extremes.active).toBeLessThanOrEqual(6);
      expect(rollout(simulation).status?.currentStepIndex).toBe(4);
    });
  });

  it('goes back when aborted, stays Degraded, and tries again when asked to', async () => {
    await simulate({ seed, startMs: slow }, async (simulation) => {
      await start(simulation, canary);
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Paused');
      await patchStatus(simulation, { abort: true });
      await reaches(simulation, 'Degraded');
      await simulation.until(
        'the old version is whole',
        () => images(simulation)['web:1'] === 5 && images(simulation)['web:2'] === undefined,
      );
      expect(rollout(simulation).status?.message).toMatch(
        /^RolloutAborted: Rollout aborted update to revision 2/,
      );
      await patchStatus(simulation, { abort: false });
      await reaches(simulation, 'Paused');
      expect(images(simulation)).toEqual({ 'web:1': 4, 'web:2': 1 });
      await patchStatus(simulation, { promoteFull: true });
      await reaches(simulation, 'Healthy');
      expect(images(simulation)).toEqual({ 'web:2': 5 });
    });
  });

  it('is settled at once when the template is taken back', async () => {
    await simulate({ seed, startMs: slow }, async (simulation) => {
      await start(simulation, canary);
      await setImage(simulation, missingImage);
      await simulation.advance(10_000);
      expect(images(simulation)).toEqual({ 'web:1': 5 });
      await setImage(simulation, 'web:1');
      await reaches(simulation, 'Healthy');
      expect(rollout(simulation).status).toMatchObject({ currentStepIndex: 4, replicas: 5 });
    });
  });

  it('ends wherever the master is killed on the way', async () => {
    await simulate({ seed, startMs: slow }, async (simulation) => {
      const steps = [
        { setWeight: 20 },
        { pause: { duration: 5 } },
        { setWeight: 60 },
        { pause: { duration: 5 } },
      ];
      await start(simulation, { canary: { maxSurge: 1, maxUnavailable: 0, steps } });
      const extremes = watchExtremes(simulation);
      await setImage(simulation, 'web:2');
      for (let kill = 0; kill < 8; kill += 1) {
        await simulation.advance(simulation.random() * 4000);
        await simulation.stopMaster();
        await simulation.advance(simulation.random() * 2000);
        simulation.startMaster();
      }
      await reaches(simulation, 'Healthy');
      expect(images(simulation)).toEqual({ 'web:2': 5 });
      expect(extremes.ready).toBeGreaterThanOrEqual(5);
      expect(extremes.active).toBeLessThanOrEqual(6);
    });
  });
});

describe.each(seeds([1]))('a canary by weights of the proxy (seed %i)', (seed) => {
  const canary = (fields: object = {}): object => ({
    canary: {
      canaryService: 'canary',
      stableService: 'stable',
      steps: [{ setWeight: 10 }, { pause: {} }, { setWeight: 50 }, { pause: {} }],
      ...fields,
    },
  });

  it('has exactly the weight of each step, and the whole traffic at the end', async () => {
    await simulate({ seed, startMs: slow }, async (simulation) => {
      await makeServices(simulation, 'canary', 'stable');
      await start(simulation, canary());
      expect(shares(simulation, 'stable')).toEqual({ 'web:1': 100 });
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Paused');
      expect(images(simulation)).toEqual({ 'web:1': 5, 'web:2': 1 });
      expect(shares(simulation, 'stable')).toEqual({ 'web:1': 90, 'web:2': 10 });
      expect(shares(simulation, 'canary')).toEqual({ 'web:2': 100 });
      await patchStatus(simulation, { pauseConditions: null });
      await simulation.until('weight 50', () => rollout(simulation).status?.currentStepIndex === 3);
      await simulation.advance(1000);
      expect(images(simulation)).toEqual({ 'web:1': 5, 'web:2': 3 });
      expect(shares(simulation, 'stable')).toEqual({ 'web:1': 50, 'web:2': 50 });
      await patchStatus(simulation, { pauseConditions: null });
      await reaches(simulation, 'Healthy');
      expect(shares(simulation, 'stable')).toEqual({ 'web:2': 100 });
      expect(images(simulation)).toEqual({ 'web:1': 5, 'web:2': 5 });
      await simulation.advance(35_000);
      expect(images(simulation)).toEqual({ 'web:2': 5 });
    });
  });

  it('takes all traffic back at once when aborted, and the pods after their delay', async () => {
    await simulate({ seed, startMs: slow }, async (simulation) => {
      await makeServices(simulation, 'canary', 'stable');
      await start(simulation, canary());
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Paused');
      await patchStatus(simulation, { abort: true });
      await simulation.advance(500);
      expect(shares(simulation, 'stable')).toEqual({ 'web:1': 100 });
      expect(images(simulation)).toEqual({ 'web:1': 5, 'web:2': 1 });
      await simulation.advance(35_000);
      expect(images(simulation)).toEqual({ 'web:1': 5 });
      expect(phase(simulation)).toBe('Degraded');
    });
  });

  it('with a dynamic stable scale always has pods for the traffic that it sends', async () => {
    await simulate({ seed, startMs: slow }, async (simulation) => {
      await makeServices(simulation, 'canary', 'stable');
      await start(simulation, canary({ dynamicStableScale: true }));
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Paused');
      await patchStatus(simulation, { pauseConditions: null });
      await simulation.until('weight 50', () => rollout(simulation).status?.currentStepIndex === 3);
      await simulation.advance(5000);
      expect(images(simulation)).toEqual({ 'web:1': 3, 'web:2': 3 });
      await patchStatus(simulation, { abort: true });
      await simulation.until('all is back', () => images(simulation)['web:2'] === undefined);
      expect(images(simulation)).toEqual({ 'web:1': 5 });
      expect(shares(simulation, 'stable')).toEqual({ 'web:1': 100 });
    });
  });
});

describe.each(seeds([1]))('blue and green (seed %i)', (seed) => {
  const blueGreen = (fields: object = {}): object => ({
    blueGreen: { activeService: 'active', previewService: 'preview', autoPromotionEnabled: false, ...fields },
  });

  it('shows the new version behind the preview, and switches all traffic when promoted', async () => {
    await simulate({ seed, startMs: slow }, async (simulation) => {
      await makeServices(simulation, 'active', 'preview');
      await start(simulation, blueGreen({ previewReplicaCount: 1 }));
      await setImage(simulation, 'web:2');
      await reaches(simulation, 'Paused');
      expect(images(simulation)).toEqual({ 'web:1': 5, 'web:2': 1 });
      expect(shares(simulation, 'active')).toEqual({ 'web:1': 100 });
      expect(shares(simulation, 'preview')).toEqual({ 'web:2': 100 });
      await patchStatus(simulation, { pauseConditions: null });
      await reaches(simulation, 'Healthy');
      expect(shares(simulation, 'active')).toEqual({ 'web:2': 100 });
      expect(images(simulation)).toEqual({ 'web:1': 5, 'web:2': 5 });
      await simulation.advance(35_000);
      expect(images(simulation)).toEqual({ 'web:2': 5 });
    });
  });

  it('goes back without a pause while the old version is still there', async () => {
    await simulate({ seed, startMs: slow }, async (simulation) => {
      await makeServices(simulation, 'active', 'preview');
      await start(simulation, blueGreen({ autoPromotionEnabled: true, scaleDownDelaySeconds: 300 }));
      await setImage(simulation, 'web:2');
      await simulation.until(
        'the new version is active',
        () => shares(simulation, 'active')['web:2'] === 100,
      );
      await reaches(simulation, 'Healthy');
      await simulation.cluster.patch(rollouts, name, {
        type: 'merge',
        patch: { spec: { strategy: blueGreen({ scaleDownDelaySeconds: 300 }) } },
      });
      await setImage(simulation, 'web:1');
      await simulation.until(
        'the old version is active',
        () => shares(simulation, 'active')['web:1'] === 100,
        3000,
      );
      await reaches(simulation, 'Healthy');
    });
  });
});

it('versions the config with the pods, and going back brings the old content back', async () => {
  await simulate({ seed: 1 }, async (simulation) => {
    const { cluster } = simulation;
    const settings = { name: 'settings', namespace: 'default' };
    await cluster.create(configmaps, { metadata: settings, data: { colour: 'blue' } });
    const container = { name: 'web', image: 'web:1', envFrom: [{ configMapRef: { name: 'settings' } }] };
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } };
    await start(simulation, { canary: {} }, { template, replicas: 1 });
    const colours = (): readonly (string | undefined)[] =>
      podsOf(simulation)
        .filter(isPodActive)
        .map(({ spec }) => {
          const named = spec.containers[0]?.envFrom?.[0]?.configMapRef?.name ?? '';
          return simulation.truth.view.get(configmaps, { name: named, namespace: 'default' })?.data?.[
            'colour'
          ];
        });
    expect(colours()).toEqual(['blue']);
    const [blue] = podsOf(simulation).map(({ spec }) => spec.containers[0]?.envFrom?.[0]?.configMapRef?.name);
    expect(blue).not.toBe('settings');
    await cluster.patch(configmaps, settings, { type: 'merge', patch: { data: { colour: 'green' } } });
    await simulation.until(
      'the new config runs',
      () => colours().join() === 'green' && phase(simulation) === 'Healthy',
    );
    await cluster.patch(configmaps, settings, { type: 'merge', patch: { data: { colour: 'blue' } } });
    await simulation.until(
      'the old config runs again',
      () => colours().join() === 'blue' && phase(simulation) === 'Healthy',
    );
    expect(
      podsOf(simulation)
        .filter(isPodActive)
        .map(({ spec }) => spec.containers[0]?.envFrom?.[0]?.configMapRef?.name),
    ).toEqual([blue]);
  });
});
