import { describe, expect, it } from 'vitest';
import { createLocalCluster } from '../../../src/apiserver/local-cluster.js';
import { createRegistry } from '../../../src/apiserver/store-registry.js';
import { silent } from '../../../src/base/log.js';
import { ManualClock } from '../../../src/base/manual-clock.js';
import { namespaces } from '../../../src/resources/kinds/namespaces.js';
import { poddisruptionbudgets } from '../../../src/resources/kinds/poddisruptionbudgets.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import { MvccStore } from '../../../src/store/mvcc-store.js';

const setUp = async (spec: object, ready = true) => {
  let uids = 0;
  const registry = createRegistry({
    store: new MvccStore(new MemoryEngine()),
    clock: new ManualClock(),
    ids: { uid: () => `uid-${String((uids += 1))}`, random: () => 0.5 },
    admission: [],
    log: silent,
  });
  const cluster = createLocalCluster(registry, { user: 'test', groups: ['system:masters'] });
  await cluster.create(namespaces, { metadata: { name: 'shop' } });
  for (const name of ['a', 'b']) {
    const made = await cluster.create(pods, {
      metadata: { name, namespace: 'shop', labels: { app: 'web' } },
      spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'web:1' }] },
    });
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
    await cluster.updateStatus(pods, { ...made, status: { phase: 'Running', conditions } });
  }
  const budget = await cluster.create(poddisruptionbudgets, {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { selector: { matchLabels: { app: 'web' } }, minAvailable: 1, ...spec },
  });
  const allow = (disruptionsAllowed: number, currentHealthy = 2) =>
    cluster.updateStatus(poddisruptionbudgets, {
      ...budget,
      status: {
        disruptionsAllowed,
        currentHealthy,
        desiredHealthy: 1,
        expectedPods: 2,
        observedGeneration: budget.metadata.generation,
      },
    });
  const evict = (name: string) => cluster.evict({ name, namespace: 'shop' });
  const isGoing = async (name: string) =>
    (await cluster.get(pods, { name, namespace: 'shop' })).metadata.deletionTimestamp !== undefined;
  return { evict, allow, isGoing };
};

describe('an eviction', () => {
  it('takes from the budget, so that a second one has to wait', async () => {
    const { evict, allow, isGoing } = await setUp({});
    await allow(1);
    const outcomes = await Promise.allSettled([evict('a'), evict('b')]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: {
        code: 'TooManyRequests',
        message:
          "Cannot evict pod as it would violate the pod's disruption budget. The disruption budget web needs 1 healthy pods and has 2 currently",
      },
    });
    expect([await isGoing('a'), await isGoing('b')].filter(Boolean)).toHaveLength(1);
  });

  it('waits while nobody has looked at the budget yet', async () => {
    const { evict } = await setUp({});
    await expect(evict('a')).rejects.toThrow('is still being processed by the server');
  });

  it('of a pod that is not ready goes ahead when the others are enough, or when the policy says so', async () => {
    const enough = await setUp({}, false);
    await enough.allow(0, 1);
    await enough.evict('a');
    expect(await enough.isGoing('a')).toBe(true);
    const few = await setUp({}, false);
    await few.allow(0, 0);
    await expect(few.evict('a')).rejects.toMatchObject({ code: 'TooManyRequests' });
    const always = await setUp({ unhealthyPodEvictionPolicy: 'AlwaysAllow' }, false);
    await always.allow(0, 0);
    await always.evict('a');
    expect(await always.isGoing('a')).toBe(true);
  });
});
