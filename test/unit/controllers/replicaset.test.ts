import { describe, expect, it } from 'vitest';
import { rankForDeletion } from '../../../src/controllers/replicaset/pod-ranking.js';
import { freeNames } from '../../../src/controllers/replicaset/pod-slots.js';
import { replicaSetController } from '../../../src/controllers/replicaset/replicaset.js';
import type { ReplicaSetObserved } from '../../../src/controllers/replicaset/replicaset.js';
import type { ClusterAction } from '../../../src/reconcile/cluster-action.js';
import type { Pod, ReplicaSet } from '../../../src/resources/generated/types.js';
import { deployment, now, pod, replicaSet } from './objects.js';

const owner = deployment();

const observed = (set: ReplicaSet, controlled: readonly Pod[], extra: Partial<ReplicaSetObserved> = {}) => ({
  replicaSet: set,
  controlled,
  orphans: [],
  names: [],
  podsOnNode: new Map<string, number>(),
  ...extra,
});

const updated = (action: ClusterAction | undefined): ReplicaSet => {
  if (action?.type !== 'updateStatus') throw new Error('expected an update of the status');
  return action.object as ReplicaSet;
};

describe('the order in which pods are given up', () => {
  const ranked = (pods: readonly Pod[], podsOnNode: ReadonlyMap<string, number> = new Map()) =>
    rankForDeletion(pods, podsOnNode).map(({ metadata }) => metadata.name);

  it.each<[string, Pod, Pod]>([
    ['unassigned before assigned', pod('first', { node: '' }), pod('second')],
    ['pending before running', pod('first', { phase: 'Pending' }), pod('second')],
    ['unknown before running', pod('first', { phase: 'Unknown' }), pod('second')],
    ['not ready before ready', pod('first', { ready: false }), pod('second')],
    [
      'cheaper ones before dearer ones',
      pod('first', { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-5' } }),
      pod('second'),
    ],
    ['ready for a shorter time first', pod('first', { readySince: 5 }), pod('second', { readySince: 50 })],
    ['more restarts first', pod('first', { restarts: 3 }), pod('second')],
    ['newer ones first', pod('first', { age: 10 }), pod('second', { age: 100 })],
  ])('%s', (_, first, second) => {
    expect(ranked([second, first])).toEqual(['first', 'second']);
    expect(ranked([first, second])).toEqual(['first', 'second']);
  });

  it('doubled-up pods go before others that are as ready', () => {
    const pods = [
      pod('alone', { node: 'n1', readySince: 5 }),
      pod('crowded', { node: 'n2', readySince: 50 }),
    ];
    expect(
      ranked(
        pods,
        new Map([
          ['n1', 1],
          ['n2', 2],
        ]),
      ),
    ).toEqual(['crowded', 'alone']);
  });
});

describe('names of pods', () => {
  it('are the same for the same slots, and skip those that are taken', () => {
    const set = { name: 'web-abc', uid: 'u1' };
    const names = freeNames(set, 5, () => false);
    expect(new Set(names).size).toBe(5);
    expect(freeNames(set, 5, () => false)).toEqual(names);
    expect(freeNames(set, 2, (name) => names.slice(0, 3).includes(name))).toEqual(names.slice(3));
    expect(freeNames({ ...set, uid: 'u2' }, 1, () => false)).not.toEqual(names.slice(0, 1));
    expect(names[0]).toMatch(/^web-abc-[a-z0-9]{5}$/);
  });
});

describe('a ReplicaSet', () => {
  it('creates what is missing under the names it was given', () => {
    const set = replicaSet(owner, 'web-a', { replicas: 3 });
    const { actions, because } = replicaSetController.reconcile(
      observed(set, [pod('web-a-1', { owner: set })], { names: ['web-a-2', 'web-a-3'] }),
      now,
    );
    const created = actions.filter((action) => action.type === 'create');
    expect(created.map(({ object }) => object.metadata.name)).toEqual(['web-a-2', 'web-a-3']);
    expect(created[0]?.object.metadata.ownerReferences?.[0]).toMatchObject({
      uid: set.metadata.uid,
      controller: true,
    });
    expect(because).toBe('creates 2 pods: 1 of 3 are there');
  });

  it('deletes the least useful pods, at the revision it saw', () => {
    const set = replicaSet(owner, 'web-a', { replicas: 1 });
    const good = pod('good', { owner: set });
    const bad = pod('bad', { owner: set, ready: false });
    const { actions } = replicaSetController.reconcile(observed(set, [good, bad]), now);
    expect(actions[0]).toMatchObject({
      type: 'delete',
      name: { name: 'bad' },
      options: { preconditions: { uid: bad.metadata.uid, resourceVersion: '1' } },
    });
  });

  it('counts pods as available when they have been ready for long enough, and wakes for the next', () => {
    const base = replicaSet(owner, 'web-a', { replicas: 2, available: 0 });
    const set = { ...base, spec: { ...base.spec, minReadySeconds: 30 } };
    const pods = [pod('a', { owner: set, readySince: 40 }), pod('b', { owner: set, readySince: 10 })];
    const { actions, wakeAt } = replicaSetController.reconcile(observed(set, pods), now);
    expect(actions[0]).toMatchObject({
      type: 'updateStatus',
      object: { status: { replicas: 2, readyReplicas: 2, availableReplicas: 1, fullyLabeledReplicas: 2 } },
    });
    expect(wakeAt).toBe(now + 20_000);
  });

  it('says why pods cannot be created, and takes it back when they can', () => {
    const set = replicaSet(owner, 'web-a', { replicas: 1, pods: 0, available: 0 });
    const failure = { code: 'Forbidden', message: 'exceeded quota', attempts: 2 } as const;
    const told = replicaSetController.reconcile(observed(set, [], { names: ['x'] }), now, failure);
    expect(told.actions.map(({ type }) => type)).toEqual(['updateStatus', 'event', 'create', 'event']);
    const failed = updated(told.actions[0]);
    expect(failed.status?.conditions).toMatchObject([
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' },
    ]);
    const again = replicaSetController.reconcile(observed(failed, [], { names: ['x'] }), now, failure);
    expect(again.actions.map(({ type }) => type)).toEqual(['create', 'event']);
    const healed = replicaSetController.reconcile(observed(failed, [pod('x', { owner: set })]), now);
    expect(updated(healed.actions[0]).status?.conditions).toBeUndefined();
  });

  it('releases a pod whose label was taken away and replaces it', () => {
    const set = replicaSet(owner, 'web-a', { replicas: 1 });
    const stray = pod('stray', { owner: set, labels: { app: 'debug' } });
    const { actions } = replicaSetController.reconcile(observed(set, [stray], { names: ['web-a-2'] }), now);
    expect(actions.map(({ type }) => type)).toEqual(['patch', 'create', 'event']);
  });

  it('that is being deleted neither creates nor adopts', () => {
    const set = replicaSet(owner, 'web-a', {
      replicas: 2,
      metadata: { deletionTimestamp: '2026-01-01T12:00:00Z' },
    });
    const { actions } = replicaSetController.reconcile(
      observed(set, [], { orphans: [pod('o')], names: ['a', 'b'] }),
      now,
    );
    expect(actions.filter(({ type }) => type !== 'updateStatus')).toEqual([]);
  });
});
