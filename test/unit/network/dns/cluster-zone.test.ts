import { describe, expect, it } from 'vitest';
import { services } from '../../../../src/resources/kinds/services.js';
import { ClusterZone } from '../../../../src/network/dns/cluster-zone.js';
import { service, slice, viewOf, zoneOf, zoneOptions } from './zone-fixtures.js';

const http = { name: 'http', port: 80, protocol: 'TCP' };
const zone = zoneOf(
  service('web', { clusterIP: '10.96.0.20', ports: [http, { name: 'dns', port: 53, protocol: 'UDP' }] }),
  service('dual', { clusterIP: '10.96.0.21', clusterIPs: ['10.96.0.21', 'fd00::21'], ports: [http] }),
  service('db', { clusterIP: 'None', ports: [http] }),
  slice('db', [
    { address: '10.244.1.5', hostname: 'db-0' },
    { address: '10.244.2.6', hostname: 'db-1' },
    { address: '10.244.2.7' },
    { address: '10.244.2.8', ready: false },
  ]),
  service('empty', { clusterIP: 'None', ports: [http] }),
  service('out', { type: 'ExternalName', externalName: 'www.example.com' }),
  service('fixed', { type: 'ExternalName', externalName: '192.0.2.7' }),
);

/** `TYPE data`, sorted; or what is not there. */
const answer = (name: string, type: string): readonly string[] | string | undefined => {
  const found = zone.answer({ name, type });
  if (found === undefined) return undefined;
  if (found.answers.length === 0) return found.rcode === 'NOERROR' ? 'NODATA' : found.rcode;
  return found.answers
    .map(({ type: got, data }) =>
      typeof data === 'string'
        ? `${got} ${data}`
        : `${got} ${'target' in data ? `${data.weight} ${data.port} ${data.target}` : data.mname}`,
    )
    .sort();
};

describe('the names of the cluster', () => {
  it.each([
    ['web.shop.svc.cluster.local', 'A', ['A 10.96.0.20']],
    ['web.shop.svc.cluster.local', 'AAAA', 'NODATA'],
    ['web.shop.svc.cluster.local', 'HTTPS', 'NODATA'],
    ['dual.shop.svc.cluster.local', 'AAAA', ['AAAA fd00::21']],
    ['db.shop.svc.cluster.local', 'A', ['A 10.244.1.5', 'A 10.244.2.6', 'A 10.244.2.7']],
    ['db-0.db.shop.svc.cluster.local', 'A', ['A 10.244.1.5']],
    ['10-244-2-7.db.shop.svc.cluster.local', 'A', ['A 10.244.2.7']],
    ['10-244-2-8.db.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['db-9.db.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['empty.shop.svc.cluster.local', 'A', 'NODATA'],
    ['out.shop.svc.cluster.local', 'A', ['CNAME www.example.com']],
    ['out.shop.svc.cluster.local', 'AAAA', ['CNAME www.example.com']],
    ['below.out.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['fixed.shop.svc.cluster.local', 'A', ['A 192.0.2.7']],
    ['_http._tcp.web.shop.svc.cluster.local', 'SRV', ['SRV 100 80 web.shop.svc.cluster.local']],
    ['_dns._udp.web.shop.svc.cluster.local', 'SRV', ['SRV 100 53 web.shop.svc.cluster.local']],
    ['_dns._tcp.web.shop.svc.cluster.local', 'SRV', 'NXDOMAIN'],
    ['_tcp.web.shop.svc.cluster.local', 'SRV', 'NODATA'],
    [
      '_http._tcp.db.shop.svc.cluster.local',
      'SRV',
      [
        'SRV 33 8080 10-244-2-7.db.shop.svc.cluster.local',
        'SRV 33 8080 db-0.db.shop.svc.cluster.local',
        'SRV 33 8080 db-1.db.shop.svc.cluster.local',
      ],
    ],
    ['nobody.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['web.nowhere.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['shop.svc.cluster.local', 'A', 'NODATA'],
    ['nowhere.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['svc.cluster.local', 'A', 'NODATA'],
    ['else.cluster.local', 'A', 'NXDOMAIN'],
    ['10-244-3-4.shop.pod.cluster.local', 'A', ['A 10.244.3.4']],
    ['192-0-2-1.shop.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['dns-version.cluster.local', 'TXT', ['TXT 1.1.0']],
    ['cluster.local', 'NS', ['NS ns.dns.cluster.local']],
    ['cluster.local', 'SOA', ['SOA ns.dns.cluster.local']],
    ['ns.dns.cluster.local', 'A', ['A 10.96.0.10']],
    ['20.0.96.10.in-addr.arpa', 'PTR', ['PTR web.shop.svc.cluster.local']],
    ['5.1.244.10.in-addr.arpa', 'PTR', ['PTR db-0.db.shop.svc.cluster.local']],
    ['7.2.244.10.in-addr.arpa', 'PTR', ['PTR 10-244-2-7.db.shop.svc.cluster.local']],
    ['20.0.96.10.in-addr.arpa', 'A', 'NODATA'],
    ['99.0.96.10.in-addr.arpa', 'PTR', 'NXDOMAIN'],
    ['1.2.0.192.in-addr.arpa', 'PTR', undefined],
    [
      `${Array.from('fd000000000000000000000000000021').reverse().join('.')}.ip6.arpa`,
      'PTR',
      ['PTR dual.shop.svc.cluster.local'],
    ],
    ['www.example.com', 'A', undefined],
    ['notcluster.local', 'A', undefined],
  ])('%s %s -> %j', (name, type, wanted) => {
    expect(answer(name, type)).toEqual(wanted);
  });

  it('say with the zone how long an absence may be remembered', () => {
    const { authority } = zone.answer({ name: 'nobody.shop.svc.cluster.local', type: 'A' })!;
    expect(authority).toMatchObject([{ type: 'SOA', name: 'cluster.local', data: { minimum: 5 } }]);
  });

  it('give the addresses of SRV targets along', () => {
    const { additional } = zone.answer({ name: '_http._tcp.db.shop.svc.cluster.local', type: 'SRV' })!;
    expect(additional).toContainEqual({
      name: 'db-0.db.shop.svc.cluster.local',
      type: 'A',
      ttl: 5,
      data: '10.244.1.5',
    });
  });

  it('change in the moment in which the view does', () => {
    const view = viewOf(service('web', { clusterIP: '10.96.0.20', ports: [http] }));
    const live = new ClusterZone(view, zoneOptions);
    const question = { name: 'web.shop.svc.cluster.local', type: 'A' };
    expect(live.answer(question)?.answers[0]?.data).toBe('10.96.0.20');
    const moved = service('web', { clusterIP: '10.96.0.99', ports: [http] });
    view.table(services).put({ ...moved, metadata: { ...moved.metadata, resourceVersion: '2' } });
    expect(live.answer(question)?.answers[0]?.data).toBe('10.96.0.99');
    expect(live.answer({ name: '20.0.96.10.in-addr.arpa', type: 'PTR' })?.rcode).toBe('NXDOMAIN');
  });
});
