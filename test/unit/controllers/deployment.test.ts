import { describe, expect, it } from 'vitest';
import { deploymentController } from '../../../src/controllers/deployment/deployment.js';
import type { DeploymentObserved } from '../../../src/controllers/deployment/deployment.js';
import { currentName } from '../../../src/controllers/deployment/revisions.js';
import type { ClusterAction } from '../../../src/reconcile/cluster-action.js';
import type { Failure } from '../../../src/reconcile/controller.js';
import type { Deployment, DeploymentStatus, ReplicaSet } from '../../../src/resources/generated/types.js';
import type { Draft } from '../../../src/resources/resource.js';
import { at, deployment, now, replicaSet } from './objects.js';

const observed = (
  subject: Deployment,
  controlled: readonly ReplicaSet[],
  extra: Partial<DeploymentObserved> = {},
) => ({
  deployment: subject,
  controlled,
  orphans: [],
  withPods: new Set<string>(),
  namesake: undefined,
  ...extra,
});

const decide = (
  subject: Deployment,
  controlled: readonly ReplicaSet[],
  extra: Partial<DeploymentObserved> = {},
  failure?: Failure,
) => deploymentController.reconcile(observed(subject, controlled, extra), now, failure);

const of = <Type extends ClusterAction['type']>(
  actions: readonly ClusterAction[],
  type: Type,
  kind?: string,
) =>
  actions.filter(
    (action): action is Extract<ClusterAction, { type: Type }> =>
      action.type === type && (kind === undefined || ('kind' in action && action.kind.kind === kind)),
  );

const statusOf = (actions: readonly ClusterAction[]): DeploymentStatus | undefined =>
  (of(actions, 'updateStatus')[0]?.object as Deployment | undefined)?.status;

const condition = (actions: readonly ClusterAction[], type: string) =>
  statusOf(actions)?.conditions?.find((entry) => entry.type === type);

describe('a deployment', () => {
  it('creates the ReplicaSet of its template, with the hash in name, labels and selector', () => {
    const subject = deployment(
      {},
      {
        annotations: {
          'kubernetes.io/change-cause': 'first',
          'kubectl.kubernetes.io/last-applied-configuration': '{}',
        },
      },
    );
    const { actions } = decide(subject, []);
    const [create] = of(actions, 'create');
    const object = create?.object as Draft<ReplicaSet>;
    const hash = object.metadata.labels?.['pod-template-hash'] ?? '';
    expect(object.metadata.name).toBe(`web-${hash}`);
    expect(object.spec?.selector.matchLabels).toEqual({ app: 'web', 'pod-template-hash': hash });
    expect(object.spec?.replicas).toBe(3);
    expect(object.metadata.annotations).toEqual({
      'kubernetes.io/change-cause': 'first',
      'deployment.kubernetes.io/revision': '1',
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
    });
    expect(condition(actions, 'Progressing')?.reason).toBe('NewReplicaSetCreated');
    expect(of(actions, 'event')[0]?.event.message).toBe(`Scaled up replica set web-${hash} from 0 to 3`);
    expect(of(actions, 'patch')[0]?.patch).toEqual({
      type: 'merge',
      patch: { metadata: { annotations: { 'deployment.kubernetes.io/revision': '1' } } },
    });
  });

  it('gives the ReplicaSet that an undo brings back the next revision, and keeps its history', () => {
    const subject = deployment({}, { annotations: { 'deployment.kubernetes.io/revision': '2' } });
    const back = replicaSet(subject, 'web-a', { image: 'web:2', revision: 1 });
    const left = replicaSet(subject, 'web-b', { image: 'web:1', revision: 2, replicas: 3 });
    const updates = of(decide(subject, [back, left]).actions, 'update');
    expect(updates).toHaveLength(1);
    expect(updates[0]?.object.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
    expect((updates[0]?.object as ReplicaSet).spec.replicas).toBe(1);
  });

  it('says that it is complete in the words that kubectl waits for', () => {
    const subject = deployment({}, { annotations: { 'deployment.kubernetes.io/revision': '1' } });
    const current = replicaSet(subject, 'web-a', { image: 'web:2', replicas: 3 });
    const { actions } = decide(subject, [current]);
    expect(statusOf(actions)).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
    });
    expect(condition(actions, 'Progressing')).toMatchObject({
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: 'ReplicaSet "web-a" has successfully progressed.',
    });
    expect(condition(actions, 'Available')?.reason).toBe('MinimumReplicasAvailable');
  });

  it('decides nothing when its status says already what is', () => {
    const subject = deployment({}, { annotations: { 'deployment.kubernetes.io/revision': '1' } });
    const current = replicaSet(subject, 'web-a', { image: 'web:2', replicas: 3 });
    const settled: Deployment = { ...subject, status: statusOf(decide(subject, [current]).actions) };
    const again = decide(settled, [current]);
    expect(again.actions).toEqual([]);
    expect(again.wakeAt).toBeUndefined();
  });

  const stuck = (progressedSecondsAgo: number): Deployment =>
    deployment(
      { progressDeadlineSeconds: 60 },
      { annotations: { 'deployment.kubernetes.io/revision': '2' } },
      {
        observedGeneration: 1,
        replicas: 4,
        updatedReplicas: 1,
        readyReplicas: 3,
        availableReplicas: 3,
        unavailableReplicas: 1,
        conditions: [
          {
            type: 'Progressing',
            status: 'True',
            reason: 'ReplicaSetUpdated',
            lastUpdateTime: at(-progressedSecondsAgo),
            lastTransitionTime: at(-progressedSecondsAgo),
          },
        ],
      },
    );
  const half = (subject: Deployment) => [
    replicaSet(subject, 'web-a', { image: 'web:1', revision: 1, replicas: 3 }),
    replicaSet(subject, 'web-b', { image: 'web:2', revision: 2, replicas: 1, available: 0 }),
  ];

  it('wakes when its progress deadline is over', () => {
    const subject = stuck(20);
    const { wakeAt } = decide(subject, half(subject));
    expect(wakeAt).toBe(now + 41_000);
  });

  it('says that it missed its progress deadline', () => {
    const subject = stuck(61);
    const { actions } = decide(subject, half(subject));
    expect(condition(actions, 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: 'ReplicaSet "web-b" has timed out progressing.',
    });
  });

  it('does not roll while it is paused, and counts no deadline', () => {
    const subject = { ...stuck(600), spec: { ...stuck(600).spec, paused: true } };
    const { actions, wakeAt } = decide(subject, half(subject));
    expect(of(actions, 'update')).toEqual([]);
    expect(condition(actions, 'Progressing')).toMatchObject({
      status: 'Unknown',
      reason: 'DeploymentPaused',
    });
    expect(wakeAt).toBeUndefined();
  });

  it('that is paused still follows its size', () => {
    const subject = deployment({ paused: true, replicas: 5 });
    const only = replicaSet(subject, 'web-a', { image: 'web:2', replicas: 3, desired: 3, max: 4 });
    const [update] = of(decide(subject, [only]).actions, 'update');
    expect((update?.object as ReplicaSet).spec.replicas).toBe(5);
  });

  it('of strategy Recreate waits until every old pod is gone', () => {
    const subject = deployment({ strategy: { type: 'Recreate' } });
    const old = replicaSet(subject, 'web-a', { image: 'web:1', replicas: 3, max: 3 });
    const down = of(decide(subject, [old]).actions, 'update');
    expect((down[0]?.object as ReplicaSet).spec.replicas).toBe(0);
    const empty = replicaSet(subject, 'web-a', { image: 'web:1', replicas: 0 });
    const waiting = decide(subject, [empty], { withPods: new Set([empty.metadata.uid]) });
    expect(of(waiting.actions, 'create')).toEqual([]);
    expect(of(decide(subject, [empty]).actions, 'create')).toHaveLength(1);
  });

  it('forgets ReplicaSets beyond its history, oldest first, but none that still has pods', () => {
    const subject = deployment({ revisionHistoryLimit: 1 });
    const sets = [
      replicaSet(subject, 'web-a', { image: 'web:a', revision: 1, replicas: 0, pods: 1 }),
      replicaSet(subject, 'web-b', { image: 'web:b', revision: 2 }),
      replicaSet(subject, 'web-c', { image: 'web:c', revision: 3 }),
      replicaSet(subject, 'web-d', { image: 'web:2', revision: 4, replicas: 3 }),
    ];
    const deleted = of(decide(subject, sets).actions, 'delete');
    expect(deleted.map(({ name }) => name.name)).toEqual(['web-b']);
  });

  it('takes the next name when another object has the one of its template', () => {
    const subject = deployment();
    const stranger = replicaSet(deployment({}, { name: 'other' }), currentName(subject), { image: 'other' });
    const { actions } = decide(subject, [], { namesake: stranger });
    expect(of(actions, 'create')).toEqual([]);
    expect(statusOf(actions)?.collisionCount).toBe(1);
    expect(currentName({ ...subject, status: { collisionCount: 1 } })).not.toBe(currentName(subject));
  });

  it('tells of a ReplicaSet that cannot be created before it tries again', () => {
    const failure = { code: 'Forbidden', message: 'exceeded quota', attempts: 1 } as const;
    const { actions } = decide(deployment(), [], {}, failure);
    expect(actions[0]?.type).toBe('updateStatus');
    expect(condition(actions, 'ReplicaFailure')).toMatchObject({ status: 'True', message: 'exceeded quota' });
    expect(of(actions, 'create')).toHaveLength(1);
  });

  it('adopts a ReplicaSet that fits its selector and releases one that does not', () => {
    const subject = deployment();
    const orphan = replicaSet(subject, 'web-a', { image: 'web:2', metadata: { ownerReferences: [] } });
    const stray = replicaSet(subject, 'web-b', { metadata: { labels: { app: 'other' } } });
    const patches = of(decide(subject, [stray], { orphans: [orphan] }).actions, 'patch', 'ReplicaSet');
    expect(patches.map(({ name }) => name.name)).toEqual(['web-a', 'web-b']);
  });

  it('that is being deleted changes nothing but its status', () => {
    const subject = deployment({}, { deletionTimestamp: at(0) });
    const { actions } = decide(subject, [replicaSet(subject, 'web-a', { replicas: 3 })]);
    expect(actions.map(({ type }) => type)).toEqual(['updateStatus']);
  });
});
