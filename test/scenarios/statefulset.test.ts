// StatefulSets in a whole simulated cluster: order, promises, and one pod for each ordinal whatever crashes.
import { describe, expect, it } from 'vitest';
import type { Pod, StatefulSet } from '../../src/resources/generated/types.js';
import { controllerrevisions } from '../../src/resources/kinds/controllerrevisions.js';
import { pods } from '../../src/resources/kinds/pods.js';
import { replicationcontrollers } from '../../src/resources/kinds/replicationcontrollers.js';
import { statefulsets } from '../../src/resources/kinds/statefulsets.js';
import { isPodReady } from '../../src/resources/pod-status.js';
import type { Draft } from '../../src/resources/resource.js';
import { seeds } from '../contract/random.js';
import { missingImage } from './simulated-node.js';
import type { Simulation } from './simulation.js';
import { simulate } from './simulation.js';
import { podsOf, watchCreated, watchExtremes } from './workloads.js';

const name = { name: 'db', namespace: 'default' };

const db = (spec: object = {}): Draft<StatefulSet> => ({
  metadata: name,
  spec: {
    replicas: 3,
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template: {
      metadata: { labels: { app: 'db' } },
      spec: { containers: [{ name: 'db', image: 'db:1' }] },
    },
    ...spec,
  },
});

const found = ({ truth }: Simulation): StatefulSet | undefined => truth.view.get(statefulsets, name);

/** What `kubectl rollout status` waits for. */
const rolledOut = (simulation: Simulation): boolean => {
  const set = found(simulation);
  if (set?.status === undefined) return false;
  const { spec, status, metadata } = set;
  const wanted = spec.replicas ?? 1;
  return (
    status.observedGeneration === metadata.generation &&
    status.replicas === wanted &&
    status.readyReplicas === wanted &&
    status.updateRevision === status.currentRevision
  );
};

const setSpec = async ({ cluster }: Simulation, spec: object): Promise<void> => {
  await cluster.patch(statefulsets, name, { type: 'merge', patch: { spec } });
};

const setImage = (simulation: Simulation, image: string): Promise<void> =>
  setSpec(simulation, { template: { spec: { containers: [{ name: 'db', image }] } } });

const imagesByName = (simulation: Simulation): Record<string, string | undefined> =>
  Object.fromEntries(
    podsOf(simulation, 'db')
      .map(({ metadata, spec }): [string, string | undefined] => [metadata.name, spec.containers[0]?.image])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** Containers of the ordinal that run anywhere, as the engines say: what a database would see. */
const runningOf = ({ nodes }: Simulation, pod: string): number =>
  nodes
    .flatMap(({ machine }) => machine.engine.containers)
    .filter(
      ({ fact }) =>
        fact.state === 'running' &&
        fact.labels['dev.capstan.kind'] === 'container' &&
        fact.labels['dev.capstan.pod-name'] === pod,
    ).length;

/** From now on, the most containers of one ordinal that ran at the same time. */
const watchTwins = (simulation: Simulation): { most: number } => {
  const twins = { most: 0 };
  simulation.truth.subscribe(pods, () => {
    for (const ordinal of [0, 1, 2, 3, 4])
      twins.most = Math.max(twins.most, runningOf(simulation, `db-${ordinal}`));
  });
  return twins;
};

const slow = (random: () => number): number => 200 + random() * 3000;

describe('a StatefulSet', () => {
  it('starts its pods one after the other, each when the one before is ready, with names of their own', async () => {
    await simulate({ seed: 1, startMs: slow }, async (simulation) => {
      const order: string[] = [];
      simulation.truth.subscribe(pods, ({ type, object, previous }) => {
        if (type === 'added') order.push(`${object.metadata.name} made`);
        if (type === 'modified' && isPodReady(object) && previous !== undefined && !isPodReady(previous))
          order.push(`${object.metadata.name} ready`);
      });
      await simulation.cluster.create(statefulsets, db());
      await simulation.until('it is complete', () => rolledOut(simulation));
      expect(order).toEqual([0, 1, 2].flatMap((at) => [`db-${at} made`, `db-${at} ready`]));
      const pod = podsOf(simulation, 'db').find(({ metadata }) => metadata.name === 'db-1') as Pod;
      expect(pod.spec).toMatchObject({ hostname: 'db-1', subdomain: 'db' });
      expect(pod.metadata.labels).toMatchObject({
        'statefulset.kubernetes.io/pod-name': 'db-1',
        'apps.kubernetes.io/pod-index': '1',
        'controller-revision-hash': found(simulation)?.status?.updateRevision,
      });
    });
  });

  it('that may start in parallel does', async () => {
    await simulate({ seed: 2, startMs: () => 5000 }, async (simulation) => {
      await simulation.cluster.create(statefulsets, db({ podManagementPolicy: 'Parallel', replicas: 5 }));
      const took = await simulation.until('it is complete', () => rolledOut(simulation));
      expect(took).toBeLessThan(15_000);
    });
  });

  it('counts from where it is told to, and is scaled down from the highest ordinal', async () => {
    await simulate({ seed: 3 }, async (simulation) => {
      await simulation.cluster.create(statefulsets, db({ ordinals: { start: 2 } }));
      await simulation.until('it is complete', () => rolledOut(simulation));
      expect(Object.keys(imagesByName(simulation))).toEqual(['db-2', 'db-3', 'db-4']);
      const gone: string[] = [];
      simulation.truth.subscribe(pods, ({ type, object }) => {
        if (type === 'deleted') gone.push(object.metadata.name);
      });
      await setSpec(simulation, { replicas: 1 });
      await simulation.until('it is smaller', () => rolledOut(simulation));
      expect(gone).toEqual(['db-4', 'db-3']);
    });
  });

  it('keeps pods below the partition, and leaves pods alone whose update waits for their deletion', async () => {
    await simulate({ seed: 4 }, async (simulation) => {
      await simulation.cluster.create(statefulsets, db());
      await simulation.until('it is complete', () => rolledOut(simulation));
      await setSpec(simulation, { updateStrategy: { rollingUpdate: { partition: 2 } } });
      await setImage(simulation, 'db:2');
      await simulation.until('the last pod is updated', () => imagesByName(simulation)['db-2'] === 'db:2');
      await simulation.advance(20_000);
      expect(imagesByName(simulation)).toEqual({ 'db-0': 'db:1', 'db-1': 'db:1', 'db-2': 'db:2' });
      await simulation.cluster.delete(pods, { name: 'db-0', namespace: 'default' });
      await simulation.advance(20_000);
      expect(imagesByName(simulation)['db-0']).toBe('db:1');
      await setSpec(simulation, { updateStrategy: { type: 'OnDelete', rollingUpdate: null } });
      await simulation.advance(20_000);
      expect(imagesByName(simulation)['db-1']).toBe('db:1');
      await simulation.cluster.delete(pods, { name: 'db-1', namespace: 'default' });
      await simulation.until('the deleted pod is updated', () => imagesByName(simulation)['db-1'] === 'db:2');
    });
  });

  it('recovers by a mended template from one that never became ready', async () => {
    await simulate({ seed: 5 }, async (simulation) => {
      await simulation.cluster.create(statefulsets, db());
      await simulation.until('it is complete', () => rolledOut(simulation));
      await setImage(simulation, missingImage);
      await simulation.advance(15_000);
      expect(imagesByName(simulation)).toEqual({ 'db-0': 'db:1', 'db-1': 'db:1', 'db-2': missingImage });
      await setImage(simulation, 'db:1');
      await simulation.until('it is complete again', () => rolledOut(simulation));
      expect(Object.values(imagesByName(simulation))).toEqual(['db:1', 'db:1', 'db:1']);
      const revisions = simulation.truth.view.list(controllerrevisions, 'default');
      expect(revisions).toHaveLength(2);
    });
  });

  it('never has two pods of one ordinal, not even while a node is cut off and forgotten', async () => {
    await simulate({ seed: 6, nodes: 3 }, async (simulation) => {
      await simulation.cluster.create(statefulsets, db());
      await simulation.until('it is complete', () => rolledOut(simulation));
      const twins = watchTwins(simulation);
      const victim = podsOf(simulation, 'db').find(({ metadata }) => metadata.name === 'db-1') as Pod;
      const node = simulation.nodes.find((each) => each.name === victim.spec.nodeName)!;
      node.connection.cut = true;
      await simulation.advance(60_000);
      // Its node cannot say that it has ended: the name stays taken.
      const still = podsOf(simulation, 'db').filter(({ metadata }) => metadata.name === 'db-1');
      expect(still.map(({ metadata }) => metadata.uid)).toEqual([victim.metadata.uid]);
      expect(runningOf(simulation, 'db-1')).toBe(1);
      node.connection.cut = false;
      await simulation.until('it is complete again', () => rolledOut(simulation));
      expect(twins.most).toBe(1);
    });
  });

  it('says how many are available only when they have been ready long enough', async () => {
    await simulate({ seed: 7 }, async (simulation) => {
      await simulation.cluster.create(statefulsets, db({ replicas: 2, minReadySeconds: 10 }));
      const took = await simulation.until(
        'it is complete',
        () => found(simulation)?.status?.availableReplicas === 2,
      );
      expect(took).toBeGreaterThanOrEqual(20_000);
    });
  });
});

describe.each(seeds([1, 2, 3]))('a StatefulSet under an update (seed %i)', (seed) => {
  it.each([
    [undefined, 'OrderedReady', 1],
    [2, 'Parallel', 2],
  ])(
    'with maxUnavailable %s and %s never has fewer pods than promised',
    async (maxUnavailable, policy, away) => {
      const faults = { breakWatch: 0.05, lagMs: 300, failWrite: 0.05, loseAnswer: 0.05 };
      await simulate({ seed, startMs: slow, faults }, async (simulation) => {
        const updateStrategy = {
          type: 'RollingUpdate',
          rollingUpdate: { partition: 0, ...(maxUnavailable === undefined ? {} : { maxUnavailable }) },
        };
        await simulation.cluster.create(
          statefulsets,
          db({ replicas: 5, updateStrategy, podManagementPolicy: policy }),
        );
        await simulation.until('it is complete', () => rolledOut(simulation));
        const extremes = watchExtremes(simulation, 'db');
        const twins = watchTwins(simulation);
        await setImage(simulation, 'db:2');
        for (let kill = 0; kill < 4; kill += 1) {
          await simulation.advance(simulation.random() * 4000);
          await simulation.stopMaster();
          await simulation.advance(simulation.random() * 1000);
          simulation.startMaster();
        }
        await simulation.until('the update is complete', () => rolledOut(simulation), 240_000);
        expect(Object.values(imagesByName(simulation))).toEqual(Array(5).fill('db:2'));
        expect(extremes.ready).toBeGreaterThanOrEqual(5 - away);
        expect(extremes.active).toBeLessThanOrEqual(5);
        expect(twins.most).toBe(1);
      });
    },
  );
});

describe('a ReplicationController', () => {
  it('keeps as many pods as it is told to', async () => {
    await simulate({ seed: 8 }, async (simulation) => {
      const created = watchCreated(simulation, 'old');
      await simulation.cluster.create(replicationcontrollers, {
        metadata: { name: 'old', namespace: 'default' },
        spec: {
          replicas: 3,
          selector: { app: 'old' },
          template: {
            metadata: { labels: { app: 'old' } },
            spec: { containers: [{ name: 'web', image: 'web:1' }] },
          },
        },
      });
      const status = () =>
        simulation.truth.view.get(replicationcontrollers, { name: 'old', namespace: 'default' })?.status;
      await simulation.until('three are ready', () => status()?.readyReplicas === 3);
      const [first] = podsOf(simulation, 'old');
      await simulation.cluster.delete(pods, { name: first!.metadata.name, namespace: 'default' });
      await simulation.until(
        'another one was made',
        () => created.length === 4 && status()?.readyReplicas === 3,
      );
      await simulation.cluster.patch(
        replicationcontrollers,
        { name: 'old', namespace: 'default' },
        { type: 'merge', patch: { spec: { replicas: 1 } } },
      );
      await simulation.until('one is left', () => podsOf(simulation, 'old').length === 1);
      expect(first?.metadata.ownerReferences?.[0]).toMatchObject({
        kind: 'ReplicationController',
        name: 'old',
      });
    });
  });
});
