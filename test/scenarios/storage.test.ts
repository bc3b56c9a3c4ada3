import { describe, expect, it } from 'vitest';
import { persistentvolumeclaims } from '../../src/resources/kinds/persistentvolumeclaims.js';
import { persistentvolumes } from '../../src/resources/kinds/persistentvolumes.js';
import { pods } from '../../src/resources/kinds/pods.js';
import { isPodReady } from '../../src/resources/pod-status.js';
import { seeds } from '../contract/random.js';
import type { Simulation } from './simulation.js';
import { simulate } from './simulation.js';

const claimOf = ({ truth }: Simulation, name: string) =>
  truth.view.get(persistentvolumeclaims, { name, namespace: 'default' });

const podOf = ({ truth }: Simulation, name: string) => truth.view.get(pods, { name, namespace: 'default' });

const makeClaim = ({ cluster }: Simulation, name: string) =>
  cluster.create(persistentvolumeclaims, {
    metadata: { name, namespace: 'default' },
    spec: {
      storageClassName: 'local',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  });

const makePod = ({ cluster }: Simulation, name: string, claim: string) =>
  cluster.create(pods, {
    metadata: { name, namespace: 'default' },
    spec: {
      containers: [{ name: 'main', image: 'db:1', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim } }],
    },
  });

const runs = (simulation: Simulation, name: string): boolean => {
  const pod = podOf(simulation, name);
  return pod !== undefined && isPodReady(pod);
};

describe.each(seeds([1, 2, 3]))('claims of a class that waits for its first pod (seed %i)', (seed) => {
  it('get volumes where their pods are, and pods come back to them, whatever answers are lost', async () => {
    await simulate({ seed, faults: { loseAnswer: 0.05, failWrite: 0.05 } }, async (simulation) => {
      for (let index = 0; index < 6; index += 1) {
        await makeClaim(simulation, `data-${String(index)}`);
        await makePod(simulation, `db-${String(index)}`, `data-${String(index)}`);
      }
      await simulation.until('all pods run', () =>
        [0, 1, 2, 3, 4, 5].every((index) => runs(simulation, `db-${String(index)}`)),
      );
      expect(simulation.truth.view.list(persistentvolumes)).toHaveLength(6);
      for (let index = 0; index < 6; index += 1) {
        const claim = claimOf(simulation, `data-${String(index)}`)!;
        const volume = simulation.truth.view.get(persistentvolumes, { name: claim.spec.volumeName! })!;
        expect(volume.metadata.labels?.['capstan.dev/node']).toBe(
          podOf(simulation, `db-${String(index)}`)!.spec.nodeName,
        );
      }
      const before = podOf(simulation, 'db-0')!.spec.nodeName;
      await simulation.cluster.delete(pods, { name: 'db-0', namespace: 'default' });
      await simulation.until('the pod is gone', () => podOf(simulation, 'db-0') === undefined);
      await makePod(simulation, 'db-0', 'data-0');
      await simulation.until('the pod is back', () => runs(simulation, 'db-0'));
      expect(podOf(simulation, 'db-0')!.spec.nodeName).toBe(before);
    });
  });

  it('stay while a pod uses them; then the volume goes with its claim', async () => {
    await simulate({ seed }, async (simulation) => {
      await makeClaim(simulation, 'data');
      await makePod(simulation, 'db', 'data');
      await simulation.until('the pod runs', () => runs(simulation, 'db'));
      await simulation.cluster.delete(persistentvolumeclaims, { name: 'data', namespace: 'default' });
      await simulation.advance(5000);
      expect(claimOf(simulation, 'data')?.status?.phase).toBe('Bound');
      await simulation.cluster.delete(pods, { name: 'db', namespace: 'default' });
      await simulation.until(
        'claim and volume are gone',
        () =>
          claimOf(simulation, 'data') === undefined &&
          simulation.truth.view.list(persistentvolumes).length === 0,
      );
    });
  });
});
