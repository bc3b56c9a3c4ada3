// Nodes, Services and EndpointSlices as the API server stores them, with only what the network looks at.
import type { Endpoint, EndpointSlice, Node, Service } from '../../../src/resources/generated/types.js';

export const meta = (name: string, more: object = {}) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...more,
});

export const node = (
  name: string,
  { podCIDR, address, created }: { podCIDR?: string; address?: string; created?: string } = {},
): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: meta(name, created === undefined ? {} : { creationTimestamp: created }),
  spec: podCIDR === undefined ? {} : { podCIDR },
  status: address === undefined ? {} : { addresses: [{ type: 'InternalIP', address }] },
});

export const service = (spec: Service['spec'], name = 'web'): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta(name, { namespace: 'shop' }),
  spec: { type: 'ClusterIP', clusterIP: '10.96.0.10', ports: [{ port: 80, targetPort: 8080 }], ...spec },
});

export const endpoint = (
  address: string,
  nodeName = 'n1',
  conditions: Endpoint['conditions'] = { ready: true, serving: true, terminating: false },
): Endpoint => ({ addresses: [address], nodeName, conditions });

export const slice = (
  endpoints: readonly Endpoint[],
  {
    weights,
    ports,
    name = 'web-1',
  }: { weights?: unknown; ports?: EndpointSlice['ports']; name?: string } = {},
): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: meta(name, {
    namespace: 'shop',
    labels: { 'kubernetes.io/service-name': 'web' },
    ...(weights === undefined
      ? {}
      : {
          annotations: {
            'capstan.dev/weights': typeof weights === 'string' ? weights : JSON.stringify(weights),
          },
        }),
  }),
  addressType: 'IPv4',
  ports: ports ?? [{ name: '', port: 8080, protocol: 'TCP' }],
  endpoints,
});
