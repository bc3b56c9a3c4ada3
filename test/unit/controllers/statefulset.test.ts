// Claims, names and order of a StatefulSet: single decisions.
import { describe, expect, it } from 'vitest';
import { ordinalOf, podDraft } from '../../../src/controllers/statefulset/ordinals.js';
import { statefulSetController } from '../../../src/controllers/statefulset/statefulset.js';
import type { StatefulSetObserved } from '../../../src/controllers/statefulset/statefulset.js';
import { takeTurn } from '../../../src/controllers/statefulset/turn.js';
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../../src/resources/generated/types.js';
import { ownedBy } from '../../../src/resources/resource.js';
import { at, now, pod } from './objects.js';

const set = (spec: object = {}): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: {
    name: 'db',
    namespace: 'shop',
    uid: 'set-1',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: at(-3600),
  },
  spec: {
    replicas: 3,
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    podManagementPolicy: 'OrderedReady',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'db', image: 'db:2' }] } },
    ...spec,
  },
});

const withClaims = (policy: object = {}): StatefulSet =>
  set({
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain', ...policy },
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }],
  });

const claim = (name: string, metadata: object = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    resourceVersion: '1',
    creationTimestamp: at(-3600),
    ...metadata,
  },
  spec: {},
});

const member = (owner: StatefulSet, ordinal: number, revision = 'db-new', options: object = {}): Pod =>
  pod(`db-${ordinal}`, { owner, labels: { app: 'db', 'controller-revision-hash': revision }, ...options });

const revisions = { current: 'db-old', currentTemplate: set().spec.template, update: 'db-new' };

const turn = (
  of: StatefulSet,
  pods: readonly Pod[],
  obstacle: () => string | undefined = () => undefined,
) => {
  const byOrdinal = new Map(pods.map((each) => [ordinalOf(of, each.metadata.name) ?? -1, each]));
  const { create, remove, because, wakeAt } = takeTurn({
    set: of,
    pods: byOrdinal,
    revisions,
    now,
    obstacle,
  });
  return { create, remove: remove.map(({ metadata }) => metadata.name), because, wakeAt };
};

const decide = (observed: Partial<StatefulSetObserved> & { set: StatefulSet }) =>
  statefulSetController.reconcile(
    { controlled: [], orphans: [], revisions: [], namesake: undefined, claims: new Map(), ...observed },
    now,
  );

describe('names of a StatefulSet', () => {
  it.each([
    ['db-0', 0],
    ['db-12', 12],
    ['db-01', undefined],
    ['db-x', undefined],
    ['other-0', undefined],
    ['db-a-1', undefined],
  ])('%s is ordinal %s', (name, ordinal) => {
    expect(ordinalOf(set(), name)).toBe(ordinal);
  });
});

describe('the order of a StatefulSet', () => {
  it('waits for what is not ready before it goes on', () => {
    const owner = set();
    expect(turn(owner, []).create).toEqual([0]);
    const { create, because } = turn(owner, [member(owner, 0, 'db-new', { ready: false })]);
    expect(create).toEqual([]);
    expect(because).toBe('waits until db-0 is running and ready');
    expect(turn(owner, [member(owner, 0)]).create).toEqual([1]);
  });
  it('makes everything at once where order does not matter', () => {
    expect(turn(set({ podManagementPolicy: 'Parallel' }), []).create).toEqual([0, 1, 2]);
  });
  it('replaces the highest pod of an older template first, and only when the others are there', () => {
    const owner = set();
    const old = [0, 1, 2].map((ordinal) => member(owner, ordinal, 'db-old'));
    expect(turn(owner, old).remove).toEqual(['db-2']);
    const mixed = [
      member(owner, 0, 'db-old'),
      member(owner, 1, 'db-old'),
      member(owner, 2, 'db-new', { ready: false }),
    ];
    expect(turn(owner, mixed).remove).toEqual([]);
  });
  it('replaces at most as many as may be away', () => {
    const owner = set({
      replicas: 5,
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1, maxUnavailable: 2 } },
    });
    const old = [0, 1, 2, 3, 4].map((ordinal) => member(owner, ordinal, 'db-old'));
    expect(turn(owner, old).remove).toEqual(['db-4', 'db-3']);
    const away = old.map((each, ordinal) =>
      ordinal === 0 ? member(owner, 0, 'db-old', { ready: false }) : each,
    );
    expect(turn(owner, away).remove).toEqual(['db-4']);
  });
  it('says why no pod is made while a claim of an earlier one goes', () => {
    expect(turn(set(), [], () => 'its claim is going').because).toBe('db-0 waits: its claim is going');
  });
  it('does nothing for a set that is being deleted', () => {
    const owner = set();
    const going = { ...owner, metadata: { ...owner.metadata, deletionTimestamp: at(0) } };
    expect(turn(going, []).create).toEqual([]);
  });
});

describe('claims of a StatefulSet', () => {
  it('are made before their pod, which mounts them', () => {
    const owner = withClaims();
    const { actions } = decide({ set: owner });
    const made = actions.flatMap((action) =>
      action.type === 'create' ? [`${action.kind.kind} ${String(action.object.metadata.name)}`] : [],
    );
    expect(made.slice(1)).toEqual(['PersistentVolumeClaim data-db-0', 'Pod db-0']);
    expect(podDraft(owner, 0, revisions).spec?.volumes).toEqual([
      { name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } },
    ]);
  });

  const patched = (policy: object, options: { replicas?: number; references?: readonly object[] } = {}) => {
    const owner = withClaims(policy);
    const scaled: StatefulSet = { ...owner, spec: { ...owner.spec, replicas: options.replicas ?? 1 } };
    const claims = new Map([['data-db-0', claim('data-db-0', { ownerReferences: options.references })]]);
    const { actions } = decide({ set: scaled, controlled: [member(scaled, 0)], claims });
    const action = actions.find(({ type }) => type === 'patch') as
      { patch: { patch: { metadata: { ownerReferences: { kind: string }[] } } } } | undefined;
    return action?.patch.patch.metadata.ownerReferences.map(({ kind }) => kind);
  };
  it('stay whatever happens, unless the policy says otherwise', () => {
    expect(patched({})).toBeUndefined();
    expect(patched({}, { references: [{ kind: 'StatefulSet', name: 'db', uid: 'set-1' }] })).toEqual([]);
  });
  it('go with the set, or with the pod that is scaled away', () => {
    expect(patched({ whenDeleted: 'Delete' })).toEqual(['StatefulSet']);
    expect(patched({ whenScaled: 'Delete' })).toBeUndefined();
    expect(patched({ whenScaled: 'Delete' }, { replicas: 0 })).toEqual(['Pod']);
    expect(patched({ whenDeleted: 'Delete', whenScaled: 'Delete' }, { replicas: 0 })).toEqual(['Pod']);
  });
  it('that are going are not given to a new pod', () => {
    const claims = new Map([['data-db-0', claim('data-db-0', { deletionTimestamp: at(-1) })]]);
    const { actions, because } = decide({ set: withClaims(), claims });
    expect(actions.some((action) => action.type === 'create' && action.kind.kind === 'Pod')).toBe(false);
    expect(because).toContain('data-db-0');
  });
});

describe('adoption', () => {
  it('takes pods that nobody manages back, by name and labels', () => {
    const owner = set({ replicas: 1 });
    const { actions } = decide({ set: owner, orphans: [pod('db-0', { labels: { app: 'db' } })] });
    const adopted = actions.filter(({ type }) => type === 'patch');
    expect(adopted).toMatchObject([
      { name: { name: 'db-0' }, patch: { patch: { metadata: { ownerReferences: [ownedBy(owner)] } } } },
    ]);
  });
});
