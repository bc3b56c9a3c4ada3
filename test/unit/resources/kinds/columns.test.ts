import { describe, expect, it } from 'vitest';
import { humanDuration } from '../../../../src/resources/duration.js';
import type { Kind } from '../../../../src/resources/kind.js';
import { configmaps } from '../../../../src/resources/kinds/configmaps.js';
import { deployments } from '../../../../src/resources/kinds/deployments.js';
import { endpoints } from '../../../../src/resources/kinds/endpoints.js';
import { endpointslices } from '../../../../src/resources/kinds/endpointslices.js';
import { events } from '../../../../src/resources/kinds/events.js';
import { leases } from '../../../../src/resources/kinds/leases.js';
import { namespaces } from '../../../../src/resources/kinds/namespaces.js';
import { nodes } from '../../../../src/resources/kinds/nodes.js';
import { replicasets } from '../../../../src/resources/kinds/replicasets.js';
import { secrets } from '../../../../src/resources/kinds/secrets.js';
import { serviceaccounts } from '../../../../src/resources/kinds/serviceaccounts.js';
import { services } from '../../../../src/resources/kinds/services.js';
import { tableRow } from '../sentences.js';

const now = Date.parse('2025-01-01T01:00:00Z');

const template = {
  metadata: { labels: { app: 'a' } },
  spec: {
    containers: [
      { name: 'web', image: 'web:1' },
      { name: 'log', image: 'log:2' },
    ],
  },
};
const selector = { matchLabels: { app: 'a' } };
const webPort = { name: 'web', port: 80 };

describe('rows of a table', () => {
  it.each<[Kind, object, string]>([
    [
      deployments,
      {
        spec: { selector, template, replicas: 3 },
        status: { readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 },
      },
      'Name=a Ready=2/3 Up-to-date=1 Available=2 Age=60m | Containers=web,log Images=web:1,log:2 Selector=app=a',
    ],
    [
      deployments,
      { spec: { selector, template } },
      'Name=a Ready=0/1 Up-to-date=0 Available=0 Age=60m | Containers=web,log Images=web:1,log:2 Selector=app=a',
    ],
    [
      replicasets,
      { spec: { selector, template, replicas: 2 }, status: { replicas: 2, readyReplicas: 1 } },
      'Name=a Desired=2 Current=2 Ready=1 Age=60m | Containers=web,log Images=web:1,log:2 Selector=app=a',
    ],
    [
      services,
      {
        spec: {
          clusterIP: '10.96.0.1',
          ports: [webPort, { name: 'dns', port: 53, protocol: 'UDP' }],
          selector: { b: 'c', a: 'b' },
        },
      },
      'Name=a Type=ClusterIP Cluster-IP=10.96.0.1 External-IP=<none> Port(s)=80/TCP,53/UDP Age=60m | Selector=a=b,b=c',
    ],
    [
      services,
      {
        spec: {
          type: 'NodePort',
          clusterIP: '10.96.0.1',
          ports: [{ port: 80, nodePort: 30080 }],
          externalIPs: ['1.2.3.4'],
        },
      },
      'Name=a Type=NodePort Cluster-IP=10.96.0.1 External-IP=1.2.3.4 Port(s)=80:30080/TCP Age=60m | Selector=<none>',
    ],
    [
      services,
      { spec: { type: 'LoadBalancer', clusterIP: '10.96.0.1', ports: [webPort] } },
      'Name=a Type=LoadBalancer Cluster-IP=10.96.0.1 External-IP=<pending> Port(s)=80/TCP Age=60m | Selector=<none>',
    ],
    [
      services,
      {
        spec: { type: 'LoadBalancer', ports: [webPort] },
        status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'x.example' }] } },
      },
      'Name=a Type=LoadBalancer Cluster-IP=<none> External-IP=1.2.3.4,x.example Port(s)=80/TCP Age=60m | Selector=<none>',
    ],
    [
      services,
      { spec: { type: 'ExternalName', externalName: 'x.example' } },
      'Name=a Type=ExternalName Cluster-IP=<none> External-IP=x.example Port(s)=<none> Age=60m | Selector=<none>',
    ],
    [
      services,
      { spec: { clusterIP: 'None' } },
      'Name=a Type=ClusterIP Cluster-IP=None External-IP=<none> Port(s)=<none> Age=60m | Selector=<none>',
    ],
    [
      nodes,
      {
        metadata: {
          labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' },
        },
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
          nodeInfo: {
            kubeletVersion: 'v1.33.0',
            osImage: 'Debian GNU/Linux 12',
            kernelVersion: '6.1',
            containerRuntimeVersion: 'docker://27',
          },
        },
      },
      'Name=a Status=Ready,SchedulingDisabled Roles=control-plane,worker Age=60m Version=v1.33.0 | Internal-IP=10.0.0.1 External-IP=<none> OS-Image=Debian GNU/Linux 12 Kernel-Version=6.1 Container-Runtime=docker://27',
    ],
    [
      nodes,
      { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
      'Name=a Status=NotReady Roles=<none> Age=60m Version= | Internal-IP=<none> External-IP=<none> OS-Image=<unknown> Kernel-Version=<unknown> Container-Runtime=<unknown>',
    ],
    [
      nodes,
      { metadata: { labels: { 'kubernetes.io/role': 'edge' } } },
      'Name=a Status=Unknown Roles=edge Age=60m Version= | Internal-IP=<none> External-IP=<none> OS-Image=<unknown> Kernel-Version=<unknown> Container-Runtime=<unknown>',
    ],
    [
      events,
      {
        involvedObject: { namespace: 'n', kind: 'Pod', name: 'web', fieldPath: 'spec.containers{c}' },
        type: 'Warning',
        reason: 'BackOff',
        message: ' back-off \n',
        count: 3,
        firstTimestamp: '2025-01-01T00:50:00Z',
        lastTimestamp: '2025-01-01T00:59:30Z',
        source: { component: 'kubelet', host: 'n1' },
      },
      'Last Seen=30s Type=Warning Reason=BackOff Object=pod/web Message=back-off | Subobject=spec.containers{c} Source=kubelet, n1 First Seen=10m Count=3 Name=a',
    ],
    [
      events,
      {
        involvedObject: { namespace: 'n', kind: 'Pod' },
        eventTime: '2025-01-01T00:58:00.000000Z',
        reportingComponent: 'scheduler',
        series: { count: 7, lastObservedTime: '2025-01-01T00:59:59.000000Z' },
      },
      'Last Seen=1s Type= Reason= Object=pod Message= | Subobject= Source=scheduler First Seen=2m Count=7 Name=a',
    ],
    [
      events,
      { involvedObject: { namespace: 'n' } },
      'Last Seen=<unknown> Type= Reason= Object= Message= | Subobject= Source= First Seen=<unknown> Count=1 Name=a',
    ],
    [configmaps, { data: { a: '', b: '' }, binaryData: { c: '' } }, 'Name=a Data=3 Age=60m'],
    [secrets, { data: { a: '' } }, 'Name=a Type=Opaque Data=1 Age=60m'],
    [namespaces, {}, 'Name=a Status=Active Age=60m'],
    [serviceaccounts, { secrets: [{ name: 's' }] }, 'Name=a Secrets=1 Age=60m'],
    [leases, { spec: { holderIdentity: 'n1' } }, 'Name=a Holder=n1 Age=60m'],
    [
      endpoints,
      {
        subsets: [
          {
            addresses: ['10.0.0.1', '10.0.0.2'].map((ip) => ({ ip })),
            ports: [webPort, { name: 'b', port: 81 }],
          },
        ],
      },
      'Name=a Endpoints=10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more... Age=60m',
    ],
    [
      endpoints,
      { subsets: [{ addresses: [{ ip: 'fd00::1' }], ports: [{ port: 80 }] }] },
      'Name=a Endpoints=[fd00::1]:80 Age=60m',
    ],
    [endpoints, { subsets: [{ addresses: [{ ip: '10.0.0.1' }] }] }, 'Name=a Endpoints=10.0.0.1 Age=60m'],
    [endpoints, {}, 'Name=a Endpoints=<none> Age=60m'],
    [
      endpointslices,
      {
        addressType: 'IPv4',
        endpoints: [1, 2, 3, 4].map((last) => ({ addresses: [`10.0.0.${String(last)}`] })),
        ports: [webPort, { name: 'any' }, {}],
      },
      'Name=a AddressType=IPv4 Ports=80,any,* Endpoints=10.0.0.1,10.0.0.2,10.0.0.3 + 1 more... Age=60m',
    ],
    [
      endpointslices,
      { addressType: 'IPv4', endpoints: [] },
      'Name=a AddressType=IPv4 Ports=<unset> Endpoints=<unset> Age=60m',
    ],
  ])('%# %o', (kind, parts, expected) => {
    expect(tableRow(kind, parts, now)).toBe(expected);
  });
});

describe('durations', () => {
  const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];
  it.each([
    [-2 * second, '<invalid>'],
    [-second, '0s'],
    [500, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [2 * minute + 5 * second, '2m5s'],
    [10 * minute + 5 * second, '10m'],
    [179 * minute, '179m'],
    [3 * hour, '3h'],
    [3 * hour + minute, '3h1m'],
    [47 * hour, '47h'],
    [2 * day, '2d'],
    [2 * day + hour, '2d1h'],
    [8 * day + hour, '8d'],
    [729 * day, '729d'],
    [730 * day, '2y'],
    [731 * day, '2y1d'],
    [9 * 365 * day + day, '9y'],
  ])('%d ms is %s', (ms, expected) => {
    expect(humanDuration(ms)).toBe(expected);
  });
});
