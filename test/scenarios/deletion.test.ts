import { describe, expect, it } from 'vitest';
import { configmaps } from '../../src/resources/kinds/configmaps.js';
import { deployments } from '../../src/resources/kinds/deployments.js';
import { kinds } from '../../src/resources/kinds.js';
import { namespaces } from '../../src/resources/kinds/namespaces.js';
import { pods } from '../../src/resources/kinds/pods.js';
import { replicasets } from '../../src/resources/kinds/replicasets.js';
import { serviceaccounts } from '../../src/resources/kinds/serviceaccounts.js';
import { services } from '../../src/resources/kinds/services.js';
import { seeds } from '../contract/random.js';
import type { Simulation } from './simulation.js';
import { simulate } from './simulation.js';
import { podsOf, rolledOut, web } from './workloads.js';

const left = ({ truth }: Simulation, namespace: string): readonly string[] =>
  kinds
    .filter((kind) => kind.namespaced)
    .flatMap((kind) =>
      truth.view.list(kind, namespace).map(({ metadata }) => `${kind.plural}/${metadata.name}`),
    );

describe.each(seeds([1, 2]))('a namespace that is deleted (seed %i)', (seed) => {
  it('leaves nothing behind, also when the network is bad', async () => {
    const faults = { breakWatch: 0.05, lagMs: 200, failWrite: 0.05, loseAnswer: 0.05 };
    await simulate({ seed, faults }, async (simulation) => {
      const { cluster, truth } = simulation;
      await cluster.create(namespaces, { metadata: { name: 'shop' } });
      await simulation.until(
        'it has its service account',
        () => truth.view.get(serviceaccounts, { name: 'default', namespace: 'shop' }) !== undefined,
      );
      await cluster.create(configmaps, {
        metadata: { name: 'settings', namespace: 'shop' },
        data: { a: 'b' },
      });
      await cluster.create(services, {
        metadata: { name: 'web', namespace: 'shop' },
        spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
      });
      await cluster.create(deployments, web({ namespace: 'shop', replicas: 4 }));
      await simulation.until('four pods run', () => podsOf(simulation, 'web', 'shop').length === 4);
      await simulation.advance(simulation.random() * 3000);
      await cluster.delete(namespaces, { name: 'shop' });
      await simulation.until('it is gone', () => truth.view.get(namespaces, { name: 'shop' }) === undefined);
      await simulation.advance(5000);
      expect(left(simulation, 'shop')).toEqual([]);
    });
  });
});

describe('what is owned', () => {
  const start = async (simulation: Simulation): Promise<void> => {
    await simulation.cluster.create(deployments, web({ replicas: 3 }));
    await simulation.until('the deployment is complete', () => rolledOut(simulation));
  };
  const name = { name: 'web', namespace: 'default' };

  it('goes after its owner by default', async () => {
    await simulate({ seed: 3 }, async (simulation) => {
      await start(simulation);
      await simulation.cluster.delete(deployments, name);
      await simulation.until(
        'ReplicaSets and pods are gone',
        () => simulation.truth.view.list(replicasets, 'default').length + podsOf(simulation).length === 0,
      );
    });
  });

  it('goes before its owner when it is deleted in the foreground', async () => {
    await simulate({ seed: 4 }, async (simulation) => {
      await start(simulation);
      const { cluster, truth } = simulation;
      let last = true;
      truth.subscribe(deployments, ({ type }) => {
        if (type === 'deleted')
          last = truth.view.list(replicasets, 'default').length === 0 && podsOf(simulation).length === 0;
      });
      await cluster.delete(deployments, name, { propagationPolicy: 'Foreground' });
      await simulation.until('the deployment is gone', () => truth.view.get(deployments, name) === undefined);
      expect(last).toBe(true);
    });
  });

  it('stays when it is orphaned, and is adopted again', async () => {
    await simulate({ seed: 5 }, async (simulation) => {
      await start(simulation);
      const { cluster, truth } = simulation;
      const uids = podsOf(simulation)
        .map(({ metadata }) => metadata.uid)
        .sort();
      await cluster.delete(deployments, name, { propagationPolicy: 'Orphan' });
      await simulation.until('the deployment is gone', () => truth.view.get(deployments, name) === undefined);
      await simulation.advance(5000);
      const [orphan] = truth.view.list(replicasets, 'default');
      expect(orphan?.metadata.ownerReferences ?? []).toEqual([]);
      await cluster.create(deployments, web({ replicas: 3 }));
      await simulation.until('it is adopted', () => rolledOut(simulation));
      expect(
        podsOf(simulation)
          .map(({ metadata }) => metadata.uid)
          .sort(),
      ).toEqual(uids);
      expect(truth.view.list(replicasets, 'default')).toHaveLength(1);
    });
  });

  it('goes when its owner never existed', async () => {
    await simulate({ seed: 6 }, async (simulation) => {
      const { cluster, truth } = simulation;
      const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'ghost', uid: 'no-such-uid' };
      await cluster.create(configmaps, {
        metadata: { name: 'lost', namespace: 'default', ownerReferences: [owner] },
      });
      await simulation.until(
        'it is gone',
        () => truth.view.get(configmaps, { name: 'lost', namespace: 'default' }) === undefined,
      );
      await cluster.create(pods, {
        metadata: { name: 'alone', namespace: 'default' },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      });
      await simulation.advance(5000);
      expect(truth.view.get(pods, { name: 'alone', namespace: 'default' })).toBeDefined();
    });
  });
});
