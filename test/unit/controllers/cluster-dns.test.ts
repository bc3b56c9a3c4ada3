import { describe, expect, it } from 'vitest';
import { clusterDnsController } from '../../../src/controllers/cluster-dns.js';
import type { EndpointSlice, Node, Service } from '../../../src/resources/generated/types.js';
import type { Draft } from '../../../src/resources/resource.js';
import { node } from '../network/fixtures.js';
import { at, now } from './objects.js';

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'kube-dns',
    namespace: 'kube-system',
    uid: 'dns',
    resourceVersion: '1',
    creationTimestamp: at(-100),
  },
  spec: { clusterIP: '10.96.0.10', ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] },
};

const decide = (nodes: readonly Node[], slices: readonly EndpointSlice[] = []) =>
  clusterDnsController.reconcile({ service, nodes, slices }, now);

describe('the endpoints of the cluster DNS', () => {
  it('are the first address of each node that has a subnet, as its own', () => {
    const { actions, because } = decide([
      node('n1', { podCIDR: '10.244.1.0/24' }),
      node('n2', { podCIDR: '10.244.2.0/24' }),
      node('n3'),
    ]);
    expect(actions).toHaveLength(1);
    const [action] = actions;
    const slice = (action as { readonly object: Draft<EndpointSlice> }).object;
    expect(slice.endpoints!.map(({ addresses, nodeName }) => [nodeName, ...addresses])).toEqual([
      ['n1', '10.244.1.1'],
      ['n2', '10.244.2.1'],
    ]);
    expect(slice.ports).toEqual([{ name: 'dns', port: 53, protocol: 'UDP' }]);
    expect(because).toContain('2 nodes');
  });

  it('are looked at when a subnet comes or goes, not with each heartbeat', () => {
    const nodeTrigger = clusterDnsController.watches[1]!;
    const change = (type: 'added' | 'modified' | 'deleted', object: Node, previous?: Node) =>
      nodeTrigger.keys({ type, object, previous, kind: nodeTrigger.kind }, undefined as never);
    const with1 = node('n1', { podCIDR: '10.244.1.0/24' });
    expect(change('modified', with1, { ...with1, status: {} })).toEqual([]);
    expect(change('modified', with1, node('n1'))).toHaveLength(1);
    expect(change('deleted', with1)).toHaveLength(1);
  });
});
