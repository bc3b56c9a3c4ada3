import { describe, expect, it } from 'vitest';
import type { Frontend } from '../../../src/network/datapath.js';
import { healthCheckOf, serviceFrontends, type Place } from '../../../src/network/service-rules.js';
import { endpoint, service, slice } from './fixtures.js';

const leaving = { ready: false, serving: true, terminating: true };
const unready = { ready: false, serving: false, terminating: false };

const zones: Readonly<Record<string, string>> = { n1: 'a', n2: 'a', n3: 'b', n4: 'b' };
const at = (nodeName: string): Place => ({
  nodeName,
  zoneOf: (name) => (name === undefined ? undefined : zones[name]),
});

/** `address:port*weight` of each backend, `!` in front of those on this node. */
const text = ({ target }: Frontend): readonly string[] =>
  target.backends.map(
    ({ address, port, weight, local }) => `${local ? '!' : ''}${address}:${port}*${weight}`,
  );
const only = (...args: Parameters<typeof serviceFrontends>): Frontend => {
  const [frontend, ...rest] = serviceFrontends(...args);
  expect(rest).toEqual([]);
  return frontend!;
};

describe('endpoints of a service', () => {
  it('are those that are ready, and know whether they are here', () => {
    const slices = [
      slice([endpoint('10.244.0.2'), endpoint('10.244.1.2', 'n2'), endpoint('10.244.1.3', 'n2', unready)]),
    ];
    const frontend = only(service({}), slices, at('n1'));
    expect(frontend.key).toBe('10.96.0.10/tcp/80');
    expect(text(frontend)).toEqual(['!10.244.0.2:8080*1', '10.244.1.2:8080*1']);
  });

  it('count as ready when nothing is said', () => {
    const [said] = slice([]).endpoints;
    expect(said).toBeUndefined();
    expect(text(only(service({}), [slice([{ addresses: ['10.244.0.2'] }])], at('n1')))).toEqual([
      '10.244.0.2:8080*1',
    ]);
  });

  it('that leave are used only while nothing else is there', () => {
    const last = endpoint('10.244.0.2', 'n1', leaving);
    expect(text(only(service({}), [slice([last])], at('n1')))).toEqual(['!10.244.0.2:8080*1']);
    expect(text(only(service({}), [slice([last, endpoint('10.244.0.3')])], at('n1')))).toEqual([
      '!10.244.0.3:8080*1',
    ]);
  });

  it('are refused at once when there are none', () => {
    const frontend = only(service({}), [slice([endpoint('10.244.0.2', 'n1', unready)])], at('n1'));
    expect(frontend.target).toEqual({ backends: [], empty: 'refuse' });
  });

  it('go by the name and protocol of the port, slice by slice', () => {
    const ports = [
      { name: 'dns', port: 53, targetPort: 'dns', protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, targetPort: 'dns', protocol: 'TCP' },
    ];
    const old = slice([endpoint('10.244.0.2')], {
      ports: [
        { name: 'dns', port: 5353, protocol: 'UDP' },
        { name: 'dns-tcp', port: 5354, protocol: 'TCP' },
      ],
    });
    const fresh = slice([endpoint('10.244.0.3')], {
      name: 'web-2',
      ports: [{ name: 'dns', port: 1053, protocol: 'UDP' }],
    });
    const frontends = serviceFrontends(service({ ports }), [old, fresh], at('n9'));
    expect(frontends.map(({ key }) => key)).toEqual(['10.96.0.10/udp/53', '10.96.0.10/tcp/53']);
    expect(frontends.map(text)).toEqual([['10.244.0.2:5353*1', '10.244.0.3:1053*1'], ['10.244.0.2:5354*1']]);
  });

  it('count once when two slices name them, ready if one of them says so', () => {
    const twice = [
      slice([endpoint('10.244.0.2', 'n1', unready)]),
      slice([endpoint('10.244.0.2')], { name: 'b' }),
    ];
    expect(text(only(service({}), twice, at('n1')))).toEqual(['!10.244.0.2:8080*1']);
  });
});

describe('weights', () => {
  it('are shares in the smallest numbers', () => {
    const weights = { '10.244.0.2': 90, '10.244.1.2': 10 };
    const slices = [slice([endpoint('10.244.0.2'), endpoint('10.244.1.2', 'n2')], { weights })];
    expect(text(only(service({}), slices, at('n9')))).toEqual(['10.244.0.2:8080*9', '10.244.1.2:8080*1']);
  });

  it('of zero, and endpoints that are not named, get nothing', () => {
    const weights = { '10.244.0.2': 5, '10.244.0.3': 0 };
    const slices = [
      slice([endpoint('10.244.0.2'), endpoint('10.244.0.3'), endpoint('10.244.0.4')], { weights }),
    ];
    expect(text(only(service({}), slices, at('n9')))).toEqual(['10.244.0.2:8080*1']);
  });

  it('that leave nobody are no weights: traffic is never lost for them', () => {
    const weights = { '10.244.0.9': 5 };
    const slices = [slice([endpoint('10.244.0.2'), endpoint('10.244.0.3')], { weights })];
    expect(text(only(service({}), slices, at('n9')))).toEqual(['10.244.0.2:8080*1', '10.244.0.3:8080*1']);
  });

  it.each(['{', '[1]', '{"10.244.0.2": -1}', '{"10.244.0.2": "5"}', '{"10.244.0.2": 0.5}'])(
    'that cannot be read are no weights: %s',
    (weights) => {
      const slices = [slice([endpoint('10.244.0.2'), endpoint('10.244.0.3')], { weights })];
      expect(text(only(service({}), slices, at('n9')))).toHaveLength(2);
    },
  );
});

describe('addresses of a service', () => {
  const slices = [slice([endpoint('10.244.0.2'), endpoint('10.244.1.2', 'n2')])];

  it('are the cluster address, external addresses and the node port', () => {
    const spec = {
      type: 'LoadBalancer',
      externalIPs: ['192.0.2.7', 'fe80::1'],
      ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }],
    };
    const balanced = {
      ...service(spec),
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.8' }, { hostname: 'lb' }] } },
    };
    expect(serviceFrontends(balanced, slices, at('n1')).map(({ key }) => key)).toEqual([
      '10.96.0.10/tcp/80',
      '192.0.2.7/tcp/80',
      '192.0.2.8/tcp/80',
      'node/tcp/30080',
    ]);
  });

  it('are none for headless services, external names and SCTP', () => {
    expect(serviceFrontends(service({ clusterIP: 'None' }), slices, at('n1'))).toEqual([]);
    expect(
      serviceFrontends(service({ type: 'ExternalName', externalName: 'x.org' }), slices, at('n1')),
    ).toEqual([]);
    expect(serviceFrontends(service({ ports: [{ port: 9, protocol: 'SCTP' }] }), slices, at('n1'))).toEqual(
      [],
    );
  });

  it('remember clients for three hours unless told', () => {
    expect(only(service({ sessionAffinity: 'ClientIP' }), slices, at('n1')).affinitySeconds).toBe(10_800);
    const spec = { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } };
    expect(only(service(spec), slices, at('n1')).affinitySeconds).toBe(5);
  });
});

describe('traffic policies', () => {
  const nodePort = { type: 'NodePort', ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }] };
  const far = [slice([endpoint('10.244.1.2', 'n2')])];
  const near = [slice([endpoint('10.244.0.2'), endpoint('10.244.1.2', 'n2')])];

  it('internal Local keeps to this node, and is silent when nobody is here', () => {
    const local = service({ internalTrafficPolicy: 'Local' });
    expect(text(only(local, near, at('n1')))).toEqual(['!10.244.0.2:8080*1']);
    expect(only(local, far, at('n1')).target).toEqual({ backends: [], empty: 'drop' });
    expect(only(local, [], at('n1')).target.empty).toBe('refuse');
  });

  it('external Local holds for the world, not for pods and nodes, and not for the cluster address', () => {
    const [cluster, port] = serviceFrontends(
      service({ ...nodePort, externalTrafficPolicy: 'Local' }),
      near,
      at('n1'),
    );
    expect(cluster!.outside).toBeUndefined();
    expect(text(port!)).toHaveLength(2);
    expect(port!.outside).toEqual({
      backends: [{ address: '10.244.0.2', port: 8080, weight: 1, local: true }],
      empty: 'drop',
    });
  });

  it('external Local prefers a local pod that leaves to silence', () => {
    const slices = [slice([endpoint('10.244.0.2', 'n1', leaving), endpoint('10.244.1.2', 'n2')])];
    const [, port] = serviceFrontends(
      service({ ...nodePort, externalTrafficPolicy: 'Local' }),
      slices,
      at('n1'),
    );
    expect(port!.outside!.backends.map(({ address }) => address)).toEqual(['10.244.0.2']);
  });

  it('PreferSameNode prefers this node and falls back to all', () => {
    const prefers = service({ trafficDistribution: 'PreferSameNode' });
    expect(text(only(prefers, near, at('n1')))).toEqual(['!10.244.0.2:8080*1']);
    expect(text(only(prefers, far, at('n1')))).toEqual(['10.244.1.2:8080*1']);
  });
});

describe('nearness', () => {
  const [here, sameZone, otherZone] = [
    endpoint('10.244.0.2', 'n1'),
    endpoint('10.244.1.2', 'n2'),
    endpoint('10.244.2.2', 'n3'),
  ];
  const addressesFor = (trafficDistribution: string, behind: readonly (typeof here)[], from = 'n1') =>
    only(service({ trafficDistribution }), [slice(behind)], at(from)).target.backends.map(
      ({ address }) => address,
    );

  it.each(['PreferClose', 'PreferSameZone'])(
    '%s stays in the zone while it has endpoints',
    (distribution) => {
      expect(addressesFor(distribution, [here, sameZone, otherZone])).toEqual(['10.244.0.2', '10.244.1.2']);
      expect(addressesFor(distribution, [otherZone])).toEqual(['10.244.2.2']);
      expect(addressesFor(distribution, [here, otherZone], 'n4')).toEqual(['10.244.2.2']);
      expect(addressesFor(distribution, [here, otherZone], 'without-a-zone')).toHaveLength(2);
    },
  );

  it('PreferSameNode takes its own node, then its zone, then everyone', () => {
    expect(addressesFor('PreferSameNode', [here, sameZone, otherZone])).toEqual(['10.244.0.2']);
    expect(addressesFor('PreferSameNode', [sameZone, otherZone])).toEqual(['10.244.1.2']);
    expect(addressesFor('PreferSameNode', [otherZone])).toEqual(['10.244.2.2']);
  });
});

describe('the health-check node port', () => {
  const local = service({
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: 30_555,
  });
  it('tells how many ready endpoints the node has', () => {
    const slices = [
      slice([endpoint('10.244.0.2'), endpoint('10.244.0.3', 'n1', unready), endpoint('10.244.1.2', 'n2')]),
    ];
    expect(healthCheckOf(local, slices, 'n1')).toEqual({
      port: 30_555,
      namespace: 'shop',
      name: 'web',
      localEndpoints: 1,
    });
    expect(healthCheckOf(local, slices, 'n3')?.localEndpoints).toBe(0);
  });
  it('is none of other services', () => {
    expect(healthCheckOf(service({ type: 'LoadBalancer' }), [], 'n1')).toBeUndefined();
  });
});
