import { describe, expect, it } from 'vitest';
import type { Kind } from '../../../../src/resources/kind.js';
import { csidrivers } from '../../../../src/resources/kinds/csidrivers.js';
import { csinodes } from '../../../../src/resources/kinds/csinodes.js';
import { csistoragecapacities } from '../../../../src/resources/kinds/csistoragecapacities.js';
import { podtemplates } from '../../../../src/resources/kinds/podtemplates.js';
import { replicationcontrollers } from '../../../../src/resources/kinds/replicationcontrollers.js';
import { runtimeclasses } from '../../../../src/resources/kinds/runtimeclasses.js';
import { volumeattachments } from '../../../../src/resources/kinds/volumeattachments.js';
import { accepted, problems, tableRow } from '../sentences.js';

const now = Date.parse('2025-01-01T01:00:00Z');
const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
const driver = { metadata: { name: 'disk.example.com' } };
const attachment = (spec: object = {}): object => ({
  spec: { attacher: 'disk.example.com', nodeName: 'n1', source: { persistentVolumeName: 'v' }, ...spec },
});
const onNode = (...drivers: readonly object[]): object => ({ spec: { drivers } });

describe('rows of', () => {
  it.each<[Kind, object, string]>([
    [
      replicationcontrollers,
      { spec: { template, replicas: 2 }, status: { replicas: 2, readyReplicas: 1 } },
      'Name=a Desired=2 Current=2 Ready=1 Age=60m | Containers=c Images=x Selector=app=a',
    ],
    [podtemplates, { template }, 'Name=a Containers=c Images=x Pod Labels=app=a'],
    [
      csidrivers,
      { ...driver, spec: { attachRequired: false, tokenRequests: [{ audience: 'x' }, { audience: 'y' }] } },
      'Name=disk.example.com AttachRequired=false PodInfoOnMount=false StorageCapacity=false TokenRequests=x,y RequiresRepublish=false Modes=Persistent Age=60m',
    ],
    [csinodes, onNode({ name: 'disk.example.com', nodeID: 'n' }), 'Name=a Drivers=1 Age=60m'],
    [csistoragecapacities, { storageClassName: 'fast' }, 'Name=a StorageClassName=fast Capacity=<unset>'],
    [
      volumeattachments,
      { ...attachment(), status: { attached: true } },
      'Name=a Attacher=disk.example.com PV=v Node=n1 Attached=true Age=60m',
    ],
    [runtimeclasses, { handler: 'runsc' }, 'Name=a Handler=runsc Age=60m'],
  ])('%# %o', (kind, parts, expected) => {
    expect(tableRow(kind, parts, now)).toBe(expected);
  });
});

describe('a replication controller', () => {
  it('takes selector and labels from its template', () => {
    const { metadata, spec } = replicationcontrollers.defaulted(
      accepted(replicationcontrollers, { spec: { template } }),
    );
    expect([metadata.labels, spec.selector, spec.replicas]).toEqual([{ app: 'a' }, { app: 'a' }, 1]);
  });
});

describe('refused are', () => {
  it.each<[string, Kind, object, readonly string[]]>([
    [
      'a controller that selects nothing',
      replicationcontrollers,
      { spec: { template: { spec: template.spec }, replicas: -1 } },
      [
        'spec.selector: Required value',
        'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
    [
      'a controller that does not select its own pods',
      replicationcontrollers,
      { spec: { template, selector: { app: 'b' } } },
      [
        'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
      ],
    ],
    ['an empty template', podtemplates, {}, ['template.spec.containers: Required value']],
    [
      'a driver with a long name and odd wishes',
      csidrivers,
      {
        metadata: { name: 'x'.repeat(64) },
        spec: {
          fsGroupPolicy: 'Always',
          volumeLifecycleModes: ['Sometimes'],
          tokenRequests: [{ audience: 'a', expirationSeconds: 1 }, { audience: 'a' }],
        },
      },
      [
        `metadata.name: Invalid value: "${'x'.repeat(64)}": must be no more than 63 bytes`,
        'spec.fsGroupPolicy: Unsupported value: "Always": supported values: "File", "None", "ReadWriteOnceWithFSType"',
        'spec.volumeLifecycleModes[0]: Unsupported value: "Sometimes": supported values: "Ephemeral", "Persistent"',
        'spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes',
        'spec.tokenRequests[1].audience: Duplicate value: "a"',
      ],
    ],
    [
      'a driver twice on a node',
      csinodes,
      onNode(
        { name: 'd', nodeID: '', topologyKeys: ['a', 'a'] },
        { name: 'd', nodeID: 'x', allocatable: { count: -1 } },
      ),
      [
        'spec.drivers[0].nodeID: Required value',
        'spec.drivers[0].topologyKeys[1]: Duplicate value: "a"',
        'spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
        'spec.drivers[1].name: Duplicate value: "d"',
      ],
    ],
    [
      'room below nothing',
      csistoragecapacities,
      { storageClassName: 'fast', capacity: '-1' },
      ['capacity: Invalid value: "-1": must be greater than or equal to 0'],
    ],
    [
      'an attachment of nothing',
      volumeattachments,
      attachment({ source: {} }),
      ['spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
    ],
    [
      'a runtime class with a path for a handler',
      runtimeclasses,
      { handler: 'a/b', overhead: { podFixed: { cpu: '-1' } } },
      [
        `handler: Invalid value: "a/b": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
        'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
      ],
    ],
  ])('%s', (_, kind, parts, expected) => {
    expect(problems(kind, parts)).toEqual(expected);
  });

  it.each<[string, Kind, object, object, readonly string[]]>([
    [
      'another way to attach',
      csidrivers,
      { ...driver, spec: {} },
      { ...driver, spec: { attachRequired: false, podInfoOnMount: true } },
      ['spec.attachRequired: Invalid value: false: field is immutable'],
    ],
    [
      'another identity of a driver on a node',
      csinodes,
      onNode({ name: 'd', nodeID: 'x', allocatable: { count: 1 } }),
      onNode({ name: 'd', nodeID: 'y', allocatable: { count: 2 } }),
      [
        'spec.drivers[0]: Invalid value: {"name":"d","nodeID":"y","allocatable":{"count":2}}: field is immutable',
      ],
    ],
    [
      'room of another class',
      csistoragecapacities,
      { storageClassName: 'a' },
      { storageClassName: 'b' },
      ['storageClassName: Invalid value: "b": field is immutable'],
    ],
    [
      'another handler',
      runtimeclasses,
      { handler: 'a' },
      { handler: 'b' },
      ['handler: Invalid value: "b": field is immutable'],
    ],
  ])('%s, once it is there', (_, kind, before, after, expected) => {
    expect(problems(kind, after, before)).toEqual(expected);
  });
});
