// A view with Services and EndpointSlices, and questions as packets.
import { decode, encode } from 'dns-packet';
import type { DecodedPacket, Packet } from 'dns-packet';
import { LiveView } from '../../../../src/client/live-view.js';
import type { EndpointSlice, Service } from '../../../../src/resources/generated/types.js';
import { configmaps } from '../../../../src/resources/kinds/configmaps.js';
import { endpointslices } from '../../../../src/resources/kinds/endpointslices.js';
import { nodes } from '../../../../src/resources/kinds/nodes.js';
import { services } from '../../../../src/resources/kinds/services.js';
import { ClusterZone } from '../../../../src/network/dns/cluster-zone.js';
import { meta } from '../fixtures.js';

export const zoneOptions = {
  domain: 'cluster.local',
  address: '10.96.0.10',
  podCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/16',
};

export const service = (name: string, spec: Service['spec'], namespace = 'shop'): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta(name, { namespace }),
  spec,
});

export interface End {
  readonly address: string;
  readonly hostname?: string;
  readonly ready?: boolean;
}

export const slice = (
  of: string,
  ends: readonly End[],
  { ports = [{ name: 'http', port: 8080, protocol: 'TCP' }], name = `${of}-1`, namespace = 'shop' } = {},
): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: meta(name, { namespace, labels: { 'kubernetes.io/service-name': of } }),
  addressType: ends[0]?.address.includes(':') === true ? 'IPv6' : 'IPv4',
  ports,
  endpoints: ends.map(({ address, hostname, ready = true }) => ({
    addresses: [address],
    conditions: { ready },
    ...(hostname === undefined ? {} : { hostname }),
  })),
});

export const viewOf = (...objects: readonly (Service | EndpointSlice)[]): LiveView => {
  const view = new LiveView([services, endpointslices, nodes, configmaps]);
  for (const object of objects) view.table(object.kind === 'Service' ? services : endpointslices).put(object);
  return view;
};

export const zoneOf = (...objects: readonly (Service | EndpointSlice)[]): ClusterZone =>
  new ClusterZone(viewOf(...objects), zoneOptions);

export const ask = (name: string, type: string, more: Partial<Packet> = {}): Buffer =>
  encode({
    type: 'query',
    id: 4711,
    flags: 0x0100,
    questions: [{ name, type: type as 'A' }],
    ...more,
  });

export const read = (packet: Buffer | undefined): DecodedPacket & { readonly rcode: string } =>
  decode(packet!) as DecodedPacket & { readonly rcode: string };
