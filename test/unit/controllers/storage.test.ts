import { describe, expect, it } from 'vitest';
import { claimController, type ClaimObserved } from '../../../src/controllers/storage/claims.js';
import { volumeController } from '../../../src/controllers/storage/volumes.js';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../../src/resources/generated/types.js';
import { persistentvolumeclaims } from '../../../src/resources/kinds/persistentvolumeclaims.js';
import { persistentvolumes } from '../../../src/resources/kinds/persistentvolumes.js';
import { at, now, pod } from './objects.js';

const meta = (name: string, extra: object = {}) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: at(-60),
  ...extra,
});

const claim = (spec: object = {}, metadata: object = {}, status?: object): PersistentVolumeClaim =>
  persistentvolumeclaims.defaulted({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: meta('data', { namespace: 'shop', finalizers: ['kubernetes.io/pvc-protection'], ...metadata }),
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'local',
      resources: { requests: { storage: '1Gi' } },
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  });

const volume = (
  name: string,
  spec: object = {},
  phase = 'Available',
  metadata: object = {},
): PersistentVolume =>
  persistentvolumes.defaulted({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: meta(name, { finalizers: ['kubernetes.io/pv-protection'], ...metadata }),
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'local',
      hostPath: { path: '/data' },
      ...spec,
    },
    status: { phase },
  });

const local = (more: object = {}): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: meta('local'),
  provisioner: 'capstan.dev/local',
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowVolumeExpansion: true,
  ...more,
});

const node = (name: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: meta(name, {
    annotations: { 'capstan.dev/volume-root': `/var/${name}` },
    labels: { 'kubernetes.io/hostname': name },
  }),
  spec: {},
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
});

const selected = { annotations: { 'volume.kubernetes.io/selected-node': 'n1' } };

const decide = (more: Partial<ClaimObserved>) => {
  const { actions, because } = claimController.reconcile(
    {
      claim: claim(),
      volume: undefined,
      volumes: [],
      storageClass: local(),
      node: undefined,
      nodes: [],
      usedBy: [],
      ...more,
    },
    now,
  );
  return { actions, because, does: actions.map(({ type }) => type) };
};

const claimRef = { kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'data', uid: 'uid-data' };

describe('a claim', () => {
  it('waits for the first pod that uses it when its class says so', () => {
    expect(decide({})).toMatchObject({
      does: ['event'],
      because: 'waiting for first consumer to be created before binding',
    });
  });

  it('gets a folder on the node that the scheduler chose, kept for it by name and uid', () => {
    const { actions, because } = decide({ claim: claim({}, selected), node: node('n1') });
    expect(because).toBe('volume pvc-uid-data is made for it on n1');
    expect(actions[0]).toMatchObject({
      type: 'create',
      object: {
        metadata: {
          name: 'pvc-uid-data',
          finalizers: ['kubernetes.io/pv-protection', 'capstan.dev/node-data'],
        },
        spec: {
          capacity: { storage: '1Gi' },
          persistentVolumeReclaimPolicy: 'Delete',
          hostPath: { path: '/var/n1/pvc-uid-data' },
          claimRef: { uid: 'uid-data' },
        },
      },
    });
  });

  it('takes the smallest volume that fits rather than a new one', () => {
    const volumes = [
      volume('large', { capacity: { storage: '9Gi' } }),
      volume('right', { capacity: { storage: '2Gi' } }),
      volume('small', { capacity: { storage: '1Mi' } }),
      volume('other', { storageClassName: 'other' }),
    ];
    const { actions } = decide({ claim: claim({}, selected), node: node('n1'), volumes });
    expect(actions).toMatchObject([
      { type: 'update', object: { metadata: { name: 'right' }, spec: { claimRef: { uid: 'uid-data' } } } },
    ]);
  });

  it('names the volume that is claimed for it, and is bound when both name each other', () => {
    const mine = volume('mine', { claimRef });
    expect(decide({ volumes: [mine] }).actions).toMatchObject([
      { type: 'update', object: { spec: { volumeName: 'mine' } } },
    ]);
    const named = claim(
      { volumeName: 'mine' },
      { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
    );
    expect(decide({ claim: named, volume: mine }).actions).toMatchObject([
      { type: 'updateStatus', object: { status: { phase: 'Bound', capacity: { storage: '1Gi' } } } },
    ]);
  });

  it('is lost, and makes nothing new, when its volume has gone', () => {
    const bound = claim(
      { volumeName: 'gone' },
      { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
      { phase: 'Bound' },
    );
    expect(decide({ claim: bound })).toMatchObject({ does: ['updateStatus', 'event'] });
    expect(decide({ claim: bound }).actions[0]).toMatchObject({ object: { status: { phase: 'Lost' } } });
  });

  it('does not take a volume that belongs to another claim of the same name', () => {
    const other = volume('mine', { claimRef: { ...claimRef, uid: 'older' } });
    expect(decide({ claim: claim({ volumeName: 'mine' }), volume: other })).toMatchObject({
      does: ['event'],
      because: 'volume "mine" already bound to a different claim.',
    });
  });

  it('grows when its class lets it', () => {
    const big = claim({ volumeName: 'mine', resources: { requests: { storage: '5Gi' } } });
    const mine = volume('mine', { claimRef });
    expect(decide({ claim: big, volume: mine }).actions).toMatchObject([
      { type: 'update', object: { spec: { capacity: { storage: '5Gi' } } } },
    ]);
    const fixed = local({ allowVolumeExpansion: false });
    expect(decide({ claim: big, volume: mine, storageClass: fixed }).does).not.toContain('create');
  });

  it('is told why it gets nothing', () => {
    const asked = claim({ accessModes: ['ReadWriteMany'] }, selected);
    expect(decide({ claim: asked, node: node('n1') })).toMatchObject({
      does: ['event'],
      because: 'a volume of class local is on one node: it cannot be ReadWriteMany',
    });
    expect(decide({ storageClass: undefined }).because).toBe('storageclass.storage.k8s.io "local" not found');
  });

  it('leaves volumes of others to others', () => {
    const storageClass = local({ provisioner: 'ebs.csi.aws.com', volumeBindingMode: 'Immediate' });
    expect(decide({ storageClass }).actions).toMatchObject([
      {
        type: 'update',
        object: {
          metadata: { annotations: { 'volume.kubernetes.io/storage-provisioner': 'ebs.csi.aws.com' } },
        },
      },
      { type: 'event' },
    ]);
  });

  it('stays while a pod uses it, and goes when none does', () => {
    const going = claim({}, { deletionTimestamp: at(0) });
    expect(decide({ claim: going, usedBy: [pod('a')] })).toMatchObject({
      does: [],
      because: 'it is being deleted, and pod a still uses it',
    });
    expect(decide({ claim: going }).actions).toMatchObject([
      { type: 'update', object: { metadata: { finalizers: [] } } },
    ]);
  });
});

describe('a volume', () => {
  const look = (of: PersistentVolume, by?: PersistentVolumeClaim) =>
    volumeController.reconcile({ volume: of, claim: by }, now);

  const made = { annotations: { 'pv.kubernetes.io/provisioned-by': 'capstan.dev/local' } };
  const released = (policy: string, metadata: object = made) =>
    volume('v', { claimRef, persistentVolumeReclaimPolicy: policy }, 'Released', metadata);

  it('is released when its claim is gone, and when another claim has its name', () => {
    const bound = volume('v', { claimRef }, 'Bound');
    expect(look(bound).actions).toMatchObject([{ object: { status: { phase: 'Released' } } }]);
    expect(look(bound, claim({}, { uid: 'newer' })).actions).toMatchObject([
      { object: { status: { phase: 'Released' } } },
    ]);
  });

  it('goes with its claim only if that was its policy, and asks once more whether the claim is gone', () => {
    expect(look(released('Retain')).actions).toEqual([]);
    expect(look(released('Delete')).actions).toMatchObject([
      { type: 'deleteOrphan', absent: [{ name: { name: 'data', namespace: 'shop' }, uid: 'uid-data' }] },
    ]);
  });

  it('of someone else is left to them', () => {
    expect(look(released('Delete', {}))).toMatchObject({ actions: [] });
  });

  it('stays while its claim names it, also when it is being deleted', () => {
    const going = volume('v', { claimRef }, 'Bound', { deletionTimestamp: at(0) });
    expect(look(going, claim({ volumeName: 'v' })).actions).toEqual([]);
    expect(look(going).actions).toMatchObject([{ object: { metadata: { finalizers: [] } } }]);
  });

  it('is free again when its claim took another', () => {
    const second = volume('v', { claimRef }, 'Available', {
      annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' },
    });
    const [action] = look(second, claim({ volumeName: 'first' })).actions;
    expect(action).toMatchObject({ type: 'update' });
    expect(action).not.toHaveProperty('object.spec.claimRef');
  });
});
