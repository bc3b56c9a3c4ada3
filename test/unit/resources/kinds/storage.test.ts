import { describe, expect, it } from 'vitest';
import type { Kind } from '../../../../src/resources/kind.js';
import { persistentvolumeclaims } from '../../../../src/resources/kinds/persistentvolumeclaims.js';
import { persistentvolumes } from '../../../../src/resources/kinds/persistentvolumes.js';
import { storageclasses } from '../../../../src/resources/kinds/storageclasses.js';
import { accepted, problems, tableRow } from '../sentences.js';

const now = Date.parse('2025-01-01T01:00:00Z');
const requests = (storage: string): object => ({ resources: { requests: { storage } } });
const claim = (spec: object = {}, status?: object): object => ({
  spec: { accessModes: ['ReadWriteOnce'], ...requests('1Gi'), ...spec },
  ...(status === undefined ? {} : { status }),
});
const volume = (spec: object = {}): object => ({
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    hostPath: { path: '/data' },
    ...spec,
  },
});
const onNode = {
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] },
};

describe('rows of storage', () => {
  it.each<[Kind, object, string]>([
    [
      persistentvolumeclaims,
      claim({ storageClassName: 'fast' }),
      'Name=a Status=Pending Volume= Capacity= Access Modes= StorageClass=fast VolumeAttributesClass=<unset> Age=60m | VolumeMode=Filesystem',
    ],
    [
      persistentvolumeclaims,
      claim(
        { volumeName: 'v' },
        { phase: 'Bound', capacity: { storage: '2Gi' }, accessModes: ['ReadWriteMany', 'ReadWriteOnce'] },
      ),
      'Name=a Status=Bound Volume=v Capacity=2Gi Access Modes=RWO,RWX StorageClass= VolumeAttributesClass=<unset> Age=60m | VolumeMode=Filesystem',
    ],
    [
      persistentvolumes,
      {
        ...volume({ claimRef: { namespace: 'n', name: 'c' }, storageClassName: 'fast' }),
        status: { phase: 'Bound' },
      },
      'Name=a Capacity=1Gi Access Modes=RWO Reclaim Policy=Retain Status=Bound Claim=n/c StorageClass=fast VolumeAttributesClass=<unset> Reason= Age=60m | VolumeMode=Filesystem',
    ],
    [
      persistentvolumes,
      { metadata: { deletionTimestamp: '2025-01-01T00:30:00Z' }, ...volume() },
      'Name=a Capacity=1Gi Access Modes=RWO Reclaim Policy=Retain Status=Terminating Claim= StorageClass= VolumeAttributesClass=<unset> Reason= Age=60m | VolumeMode=Filesystem',
    ],
    [
      storageclasses,
      {
        metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
        provisioner: 'example.com/disk',
        allowVolumeExpansion: true,
      },
      'Name=a (default) Provisioner=example.com/disk ReclaimPolicy=Delete VolumeBindingMode=Immediate AllowVolumeExpansion=true Age=60m',
    ],
  ])('%# %o', (kind, parts, expected) => {
    expect(tableRow(kind, parts, now)).toBe(expected);
  });
});

describe('defaults of storage', () => {
  it('a claim says its data source under both names', () => {
    const source = { kind: 'PersistentVolumeClaim', name: 'b' };
    const { spec } = persistentvolumeclaims.defaulted(
      accepted(persistentvolumeclaims, claim({ dataSource: source })),
    );
    expect(spec.dataSourceRef).toEqual(source);
    const other = persistentvolumeclaims.defaulted(
      accepted(persistentvolumeclaims, claim({ dataSourceRef: source })),
    );
    expect(other.spec.dataSource).toEqual(source);
  });

  it('a source in another namespace has the new name only', () => {
    const source = { kind: 'PersistentVolumeClaim', name: 'b', namespace: 'c' };
    const { spec } = persistentvolumeclaims.defaulted(
      accepted(persistentvolumeclaims, claim({ dataSourceRef: source })),
    );
    expect(spec.dataSource).toBeUndefined();
  });
});

describe('storage is refused for', () => {
  it.each<[string, Kind, object, readonly string[]]>([
    [
      'a claim without modes and size',
      persistentvolumeclaims,
      { spec: {} },
      [
        'spec.accessModes: Required value: at least 1 access mode is required',
        'spec.resources[storage]: Required value',
      ],
    ],
    [
      'a claim to nothing, in modes that do not go together',
      persistentvolumeclaims,
      claim({ accessModes: ['ReadWriteOncePod', 'Often'], ...requests('0'), volumeMode: 'Raw' }),
      [
        'spec.accessModes: Unsupported value: "Often": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
        'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
        'spec.resources[storage]: Invalid value: "0": must be greater than zero',
        'spec.volumeMode: Unsupported value: "Raw": supported values: "Block", "Filesystem"',
      ],
    ],
    [
      'a claim from a source of the core group that is no claim',
      persistentvolumeclaims,
      claim({ dataSource: { kind: 'Pod', name: 'p' } }),
      [
        `spec.dataSource: Invalid value: "Pod": must be 'PersistentVolumeClaim' when referencing the default apiGroup`,
        `spec.dataSourceRef: Invalid value: "Pod": must be 'PersistentVolumeClaim' when referencing the default apiGroup`,
      ],
    ],
    [
      'a volume that is nowhere',
      persistentvolumes,
      { spec: {} },
      [
        'spec.accessModes: Required value',
        'spec.capacity: Required value',
        'spec: Required value: must specify a volume type',
      ],
    ],
    [
      'a volume in two places',
      persistentvolumes,
      volume({ nfs: { server: '', path: 'x' } }),
      [
        'spec.nfs: Forbidden: may not specify more than 1 volume type',
        'spec.nfs.server: Required value',
        'spec.nfs.path: Invalid value: "x": must be an absolute path',
      ],
    ],
    [
      'a disk of no node',
      persistentvolumes,
      volume({ hostPath: undefined, local: { path: '/disk/../x' } }),
      [
        `spec.local.path: Invalid value: "/disk/../x": must not contain '..'`,
        'metadata.annotations: Required value: Local volume requires node affinity',
      ],
    ],
    [
      'a root that would be wiped',
      persistentvolumes,
      volume({ hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' }),
      [`spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'`],
    ],
    [
      'a class without a provisioner',
      storageclasses,
      { provisioner: '', reclaimPolicy: 'Recycle', volumeBindingMode: 'Later' },
      [
        'provisioner: Required value',
        'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
        'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
      ],
    ],
  ])('%s', (_, kind, parts, expected) => {
    expect(problems(kind, parts)).toEqual(expected);
  });
});

const fixedClaim =
  'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';

describe('changes of storage', () => {
  const bound = { phase: 'Bound', capacity: { storage: '1Gi' } };
  it.each<[string, Kind, object, object, readonly string[]]>([
    ['a claim gets its volume', persistentvolumeclaims, claim(), claim({ volumeName: 'v' }), []],
    ['a claim gets the default class', persistentvolumeclaims, claim(), claim({ storageClassName: 's' }), []],
    ['a bound claim grows', persistentvolumeclaims, claim({}, bound), claim(requests('2Gi'), bound), []],
    ['a waiting claim does not grow', persistentvolumeclaims, claim(), claim(requests('2Gi')), [fixedClaim]],
    [
      'a bound claim does not shrink below its volume',
      persistentvolumeclaims,
      claim({}, bound),
      claim(requests('1Mi'), bound),
      ['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'],
    ],
    [
      'a claim gives up an expansion that failed',
      persistentvolumeclaims,
      claim(requests('9Gi'), bound),
      claim(requests('2Gi'), bound),
      [],
    ],
    [
      'a claim keeps its modes',
      persistentvolumeclaims,
      claim(),
      claim({ accessModes: ['ReadWriteMany'] }),
      [fixedClaim],
    ],
    [
      'a volume stays where it is',
      persistentvolumes,
      volume(),
      volume({ hostPath: { path: '/other' } }),
      ['spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation'],
    ],
    ['a volume is bound', persistentvolumes, volume(), volume({ claimRef: { name: 'c' } }), []],
    [
      'a volume keeps its node',
      persistentvolumes,
      volume({ nodeAffinity: onNode }),
      volume(),
      ['spec.nodeAffinity: Invalid value: null: field is immutable'],
    ],
    [
      'a class stays what it was',
      storageclasses,
      { provisioner: 'a/b' },
      {
        provisioner: 'a/c',
        parameters: { x: 'y' },
        reclaimPolicy: 'Retain',
        volumeBindingMode: 'WaitForFirstConsumer',
      },
      [
        'parameters: Forbidden: updates to parameters are forbidden.',
        'provisioner: Forbidden: updates to provisioner are forbidden.',
        'reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.',
        'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
      ],
    ],
    [
      'a class lets its volumes grow',
      storageclasses,
      { provisioner: 'a/b' },
      { provisioner: 'a/b', allowVolumeExpansion: true },
      [],
    ],
  ])('%s', (_, kind, before, after, expected) => {
    expect(problems(kind, after, before)).toEqual(expected);
  });
});
