import { describe, expect, it } from 'vitest';
import { statefulsets } from '../../../../src/resources/kinds/statefulsets.js';
import { accepted, problems, tableRow } from '../sentences.js';

const now = Date.parse('2025-01-01T01:00:00Z');
const selector = { matchLabels: { app: 'a' } };
const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
const claim = {
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};
const stateful = (spec: object = {}): object => ({
  spec: { selector, template, serviceName: 'a', volumeClaimTemplates: [claim], ...spec },
});
const fixedFields =
  "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

describe('a stateful set', () => {
  it('gets the defaults of Kubernetes', () => {
    const { spec } = statefulsets.defaulted(accepted(statefulsets, stateful()));
    expect(spec).toMatchObject({
      podManagementPolicy: 'OrderedReady',
      replicas: 1,
      revisionHistoryLimit: 10,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'data' },
          spec: { volumeMode: 'Filesystem' },
          status: { phase: 'Pending' },
        },
      ],
    });
  });

  it('shows how many of its pods are ready', () => {
    const parts = {
      ...(stateful({ replicas: 3 }) as { spec: object }),
      status: { replicas: 3, readyReplicas: 2 },
    };
    expect(tableRow(statefulsets, parts, now)).toBe('Name=a Ready=2/3 Age=60m | Containers=c Images=x');
  });

  it('lets containers mount what the claim templates will be', () => {
    const mounting = (name: string): object =>
      stateful({
        template: {
          ...template,
          spec: { containers: [{ name: 'c', image: 'x', volumeMounts: [{ name, mountPath: '/data' }] }] },
        },
      });
    expect(problems(statefulsets, mounting('data'))).toEqual([]);
    expect(problems(statefulsets, mounting('other'))).toEqual([
      'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "other"',
    ]);
  });

  it.each<[string, object, readonly string[]]>([
    [
      'an order of pods that there is not',
      { podManagementPolicy: 'Random' },
      [`spec.podManagementPolicy: Invalid value: "Random": must be 'OrderedReady' or 'Parallel'`],
    ],
    [
      'a strategy that there is not',
      { updateStrategy: { type: 'Recreate' } },
      [`spec.updateStrategy: Invalid value: {"type":"Recreate"}: must be 'RollingUpdate' or 'OnDelete'`],
    ],
    [
      'a partition of pods that are updated by hand',
      { updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } } },
      [
        `spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy 'RollingUpdate'`,
      ],
    ],
    [
      'counts below zero',
      {
        replicas: -1,
        updateStrategy: { rollingUpdate: { partition: -1, maxUnavailable: 0 } },
        ordinals: { start: -1 },
      },
      [
        'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
        'spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0',
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0',
        'spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
    [
      'an empty selector',
      { selector: {} },
      ['spec.selector: Invalid value: {}: empty selector is invalid for statefulset'],
    ],
    [
      'a policy for claims that there is not',
      { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Keep' } },
      [
        'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": supported values: "Retain", "Delete"',
      ],
    ],
  ])('is refused for %s', (_, spec, expected) => {
    expect(problems(statefulsets, stateful(spec))).toEqual(expected);
  });

  it.each<[string, object]>([
    ['its service', { serviceName: 'b' }],
    ['its order', { podManagementPolicy: 'Parallel' }],
    ['its claims', { volumeClaimTemplates: [] }],
    [
      'its selector',
      {
        selector: { matchLabels: { app: 'a', tier: 'b' } },
        template: { ...template, metadata: { labels: { app: 'a', tier: 'b' } } },
      },
    ],
  ])('keeps %s for good', (_, spec) => {
    expect(problems(statefulsets, stateful(spec), stateful())).toEqual([fixedFields]);
  });

  it('may change in what Kubernetes lets change', () => {
    const next = stateful({
      replicas: 5,
      template: { ...template, spec: { containers: [{ name: 'c', image: 'y' }] } },
      minReadySeconds: 3,
      ordinals: { start: 2 },
      updateStrategy: { type: 'OnDelete' },
      revisionHistoryLimit: 2,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' },
    });
    expect(problems(statefulsets, next, stateful())).toEqual([]);
  });
});
