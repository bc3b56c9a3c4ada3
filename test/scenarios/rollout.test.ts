import { describe, expect, it } from 'vitest';
import { isPodActive } from '../../src/resources/pod-status.js';
import { conditionOf } from '../../src/resources/conditions.js';
import { deployments } from '../../src/resources/kinds/deployments.js';
import { endpointslices } from '../../src/resources/kinds/endpointslices.js';
import { replicasets } from '../../src/resources/kinds/replicasets.js';
import { services } from '../../src/resources/kinds/services.js';
import { seeds } from '../contract/random.js';
import type { Simulation } from './simulation.js';
import { simulate } from './simulation.js';
import { missingImage } from './simulated-node.js';
import {
  deployment,
  podsOf,
  readyPods,
  rolledOut,
  setImage,
  watchCreated,
  watchExtremes,
  web,
} from './workloads.js';

const images = (simulation: Simulation): readonly (string | undefined)[] =>
  podsOf(simulation)
    .filter(isPodActive)
    .map(({ spec }) => spec.containers[0]?.image);

/** Each pod takes its own time to start, up to five seconds. */
const slow = (random: () => number): number => 200 + random() * 5000;

describe.each(seeds([1, 2]))('a rolling update (seed %i)', (seed) => {
  it.each([
    [6, 2, 0],
    [6, 0, 2],
    [5, 1, 1],
    [10, '25%', '25%'],
  ])(
    'of %i pods with surge %s and %s unavailable never breaks its promise',
    async (replicas, maxSurge, maxUnavailable) => {
      await simulate({ seed, startMs: slow }, async (simulation) => {
        await simulation.cluster.create(deployments, web({ replicas, maxSurge, maxUnavailable }));
        await simulation.until('the deployment is complete', () => rolledOut(simulation));
        const extremes = watchExtremes(simulation);
        await setImage(simulation, 'web:2');
        await simulation.until('the rollout is complete', () => rolledOut(simulation));
        expect(images(simulation)).toEqual(Array(replicas).fill('web:2'));
        const surge = typeof maxSurge === 'string' ? Math.ceil(replicas / 4) : maxSurge;
        const unavailable = typeof maxUnavailable === 'string' ? Math.floor(replicas / 4) : maxUnavailable;
        expect(extremes.ready).toBeGreaterThanOrEqual(replicas - unavailable);
        expect(extremes.active).toBeLessThanOrEqual(replicas + surge);
      });
    },
  );

  it('keeps its promise while watches break, writes fail and answers are lost', async () => {
    const faults = { breakWatch: 0.05, lagMs: 300, failWrite: 0.05, loseAnswer: 0.05 };
    await simulate({ seed, startMs: slow, faults }, async (simulation) => {
      await simulation.cluster.create(deployments, web({ replicas: 6, maxSurge: 2, maxUnavailable: 1 }));
      await simulation.until('the deployment is complete', () => rolledOut(simulation));
      const extremes = watchExtremes(simulation);
      await setImage(simulation, 'web:2');
      await simulation.until('the rollout is complete', () => rolledOut(simulation));
      expect(images(simulation)).toEqual(Array(6).fill('web:2'));
      expect(extremes.ready).toBeGreaterThanOrEqual(5);
      expect(extremes.active).toBeLessThanOrEqual(8);
    });
  });

  it('comes to an end wherever the master is killed on the way', async () => {
    await simulate({ seed, startMs: slow }, async (simulation) => {
      await simulation.cluster.create(deployments, web({ replicas: 5, maxSurge: 1, maxUnavailable: 0 }));
      await simulation.until('the deployment is complete', () => rolledOut(simulation));
      const extremes = watchExtremes(simulation);
      await setImage(simulation, 'web:2');
      for (let kill = 0; kill < 6; kill += 1) {
        await simulation.advance(simulation.random() * 3000);
        await simulation.stopMaster();
        await simulation.advance(simulation.random() * 2000);
        simulation.startMaster();
      }
      await simulation.until('the rollout is complete', () => rolledOut(simulation));
      expect(images(simulation)).toEqual(Array(5).fill('web:2'));
      expect(extremes.ready).toBeGreaterThanOrEqual(5);
      expect(extremes.active).toBeLessThanOrEqual(6);
    });
  });
});

describe('a view that is far behind', () => {
  it('does not make a pod twice', async () => {
    await simulate({ seed: 7, faults: { lagMs: 2000 } }, async (simulation) => {
      const created = watchCreated(simulation);
      await simulation.cluster.create(deployments, web({ replicas: 8 }));
      await simulation.until('the deployment is complete', () => rolledOut(simulation));
      expect(created).toHaveLength(8);
      expect(simulation.truth.view.list(replicasets, 'default')).toHaveLength(1);
    });
  });
});

describe('a deployment', () => {
  it('goes back to the revision before, on the same ReplicaSet', async () => {
    await simulate({ seed: 3 }, async (simulation) => {
      await simulation.cluster.create(deployments, web());
      await simulation.until('the first rollout is complete', () => rolledOut(simulation));
      const [first] = simulation.truth.view.list(replicasets, 'default');
      await setImage(simulation, 'web:2');
      await simulation.until('the second rollout is complete', () => rolledOut(simulation));
      await setImage(simulation, 'web:1');
      await simulation.until('the way back is complete', () => rolledOut(simulation));
      const sets = simulation.truth.view.list(replicasets, 'default');
      expect(sets).toHaveLength(2);
      const revision = 'deployment.kubernetes.io/revision';
      const back = sets.find(({ metadata }) => metadata.name === first?.metadata.name);
      expect(back?.spec.replicas).toBe(3);
      expect(back?.metadata.annotations).toMatchObject({ [revision]: '3', [`${revision}-history`]: '1' });
      expect(deployment(simulation)?.metadata.annotations?.[revision]).toBe('3');
    });
  });

  it('that never becomes ready says so when its deadline is over, and keeps the old pods', async () => {
    await simulate({ seed: 4 }, async (simulation) => {
      await simulation.cluster.create(
        deployments,
        web({ maxUnavailable: 0, maxSurge: 1, spec: { progressDeadlineSeconds: 20 } }),
      );
      await simulation.until('the first rollout is complete', () => rolledOut(simulation));
      await setImage(simulation, missingImage);
      const progressing = () => conditionOf(deployment(simulation)?.status?.conditions, 'Progressing');
      const took = await simulation.until(
        'the deadline is over',
        () => progressing()?.reason === 'ProgressDeadlineExceeded',
      );
      expect(took).toBeGreaterThanOrEqual(20_000);
      expect(took).toBeLessThan(25_000);
      expect(readyPods(simulation)).toHaveLength(3);
      await setImage(simulation, 'web:1');
      await simulation.until('the way back is complete', () => rolledOut(simulation));
    });
  });

  it('of strategy Recreate has no old pod left when the first new one starts', async () => {
    await simulate({ seed: 5, stopMs: 4000 }, async (simulation) => {
      await simulation.cluster.create(deployments, web({ spec: { strategy: { type: 'Recreate' } } }));
      await simulation.until('the first rollout is complete', () => rolledOut(simulation));
      let mixed = false;
      const look = (): void => {
        const seen = new Set(podsOf(simulation).map(({ spec }) => spec.containers[0]?.image));
        mixed ||= seen.size > 1;
      };
      await setImage(simulation, 'web:2');
      await simulation.until('the second rollout is complete', () => {
        look();
        return rolledOut(simulation);
      });
      expect(mixed).toBe(false);
      expect(images(simulation)).toEqual(Array(3).fill('web:2'));
    });
  });

  it('is scaled in the middle of a rollout and still comes to an end', async () => {
    await simulate({ seed: 6, startMs: slow }, async (simulation) => {
      await simulation.cluster.create(deployments, web({ replicas: 4 }));
      await simulation.until('the first rollout is complete', () => rolledOut(simulation));
      await setImage(simulation, 'web:2');
      await simulation.advance(1500);
      const name = { name: 'web', namespace: 'default' };
      await simulation.cluster.patch(deployments, name, { type: 'merge', patch: { spec: { replicas: 9 } } });
      await simulation.until('nine new pods run', () => rolledOut(simulation));
      expect(images(simulation)).toEqual(Array(9).fill('web:2'));
    });
  });
});

describe('a service', () => {
  it('lists exactly the ready pods, through a rollout', async () => {
    await simulate({ seed: 8 }, async (simulation) => {
      const { cluster, truth } = simulation;
      await cluster.create(services, {
        metadata: { name: 'web', namespace: 'default' },
        spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
      });
      await cluster.create(deployments, web());
      await simulation.until('the deployment is complete', () => rolledOut(simulation));
      await setImage(simulation, 'web:2');
      await simulation.until('the rollout is complete', () => rolledOut(simulation));
      await simulation.advance(2000);
      const slices = truth.view
        .list(endpointslices, 'default')
        .filter(({ metadata }) => metadata.name.startsWith('web-'));
      const addresses = slices.flatMap(({ endpoints }) =>
        endpoints.flatMap((endpoint) => endpoint.addresses),
      );
      expect([...addresses].sort()).toEqual(
        readyPods(simulation)
          .map(({ status }) => status?.podIP)
          .sort(),
      );
      expect(slices[0]?.ports).toEqual([{ name: '', port: 8080, protocol: 'TCP' }]);
    });
  });
});
