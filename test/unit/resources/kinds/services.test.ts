import { describe, expect, it } from 'vitest';
import { services } from '../../../../src/resources/kinds/services.js';
import { problems } from '../sentences.js';

const service = (spec: object = {}): object => ({ spec: { ports: [{ port: 80 }], ...spec } });
const range = 'must be between 1 and 65535, inclusive';

describe('a service is refused for', () => {
  it.each<[string, object, readonly string[]]>([
    ['no ports', service({ ports: [] }), ['spec.ports: Required value']],
    [
      'nameless ports',
      service({ ports: [{ port: 80 }, { port: 81 }] }),
      ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
    ],
    [
      'a name twice',
      service({
        ports: [
          { name: 'a', port: 80 },
          { name: 'a', port: 81 },
        ],
      }),
      ['spec.ports[1].name: Duplicate value: "a"'],
    ],
    [
      'a port twice',
      service({
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 80 },
        ],
      }),
      ['spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}'],
    ],
    [
      'ports out of range',
      service({ ports: [{ port: 0, targetPort: 70000 }] }),
      [
        `spec.ports[0].port: Invalid value: 0: ${range}`,
        `spec.ports[0].targetPort: Invalid value: 70000: ${range}`,
      ],
    ],
    [
      'a protocol',
      service({ ports: [{ port: 1, protocol: 'x' }] }),
      ['spec.ports[0].protocol: Unsupported value: "x": supported values: "SCTP", "TCP", "UDP"'],
    ],
    [
      'a node port of a cluster address',
      service({ ports: [{ port: 1, nodePort: 30000 }] }),
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'a node port out of range',
      service({ type: 'NodePort', ports: [{ port: 1, nodePort: -1 }] }),
      [`spec.ports[0].nodePort: Invalid value: -1: ${range}`],
    ],
    [
      'a node port twice',
      service({
        type: 'NodePort',
        ports: [
          { name: 'a', port: 1, nodePort: 30000 },
          { name: 'b', port: 2, nodePort: 30000 },
        ],
      }),
      ['spec.ports[1].nodePort: Duplicate value: 30000'],
    ],
    [
      'a type',
      service({ type: 'Cluster' }),
      [
        'spec.type: Unsupported value: "Cluster": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      'affinity',
      service({ sessionAffinity: 'Client' }),
      ['spec.sessionAffinity: Unsupported value: "Client": supported values: "ClientIP", "None"'],
    ],
    [
      'a configuration of no affinity',
      service({ sessionAffinityConfig: {} }),
      ['spec.sessionAffinityConfig: Forbidden: must not be set when session affinity is None'],
    ],
    [
      'an affinity without end',
      service({
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 86401 } },
      }),
      [
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
      ],
    ],
    [
      'policies',
      service({ type: 'NodePort', internalTrafficPolicy: 'x', externalTrafficPolicy: 'y' }),
      [
        'spec.internalTrafficPolicy: Unsupported value: "x": supported values: "Cluster", "Local"',
        'spec.externalTrafficPolicy: Unsupported value: "y": supported values: "Cluster", "Local"',
      ],
    ],
    [
      'a policy for nobody',
      service({ externalTrafficPolicy: 'Local' }),
      [
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
      ],
    ],
    [
      'an address',
      service({ clusterIP: '10.0.0' }),
      ['spec.clusterIPs[0]: Invalid value: "10.0.0": must be empty, \'None\', or a valid IP address'],
    ],
    [
      'two first addresses',
      service({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'] }),
      ['spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`'],
    ],
    [
      'none and another',
      service({ clusterIPs: ['None', '10.0.0.1'] }),
      ['spec.clusterIPs[0]: Invalid value: "None": \'None\' must be the first and only value'],
    ],
    [
      'node ports without an address',
      service({ type: 'NodePort', clusterIP: 'None' }),
      ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
    ],
    [
      'an outside address',
      service({ externalIPs: ['x'] }),
      [
        'spec.externalIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    ['no name of elsewhere', { spec: { type: 'ExternalName' } }, ['spec.externalName: Required value']],
    [
      'an address of elsewhere',
      { spec: { type: 'ExternalName', externalName: 'x', clusterIP: '10.0.0.1' } },
      ['spec.clusterIPs: Forbidden: may not be set for ExternalName services'],
    ],
    [
      'families',
      service({ ipFamilies: ['IPv5'], ipFamilyPolicy: 'Both' }),
      [
        'spec.ipFamilyPolicy: Unsupported value: "Both": supported values: "SingleStack", "PreferDualStack", "RequireDualStack"',
        'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
      ],
    ],
  ])('%s', (_, parts, expected) => {
    expect(problems(services, parts)).toEqual(expected);
  });

  it.each<[string, object, string]>([
    [
      'a name that no DNS-1035 label is',
      { ...service(), metadata: { name: '1a' } },
      'metadata.name: Invalid value: "1a": a DNS-1035 label must consist of',
    ],
    [
      'a name of more than 63 characters',
      { ...service(), metadata: { name: 'a'.repeat(64) } },
      `metadata.name: Invalid value: "${'a'.repeat(64)}": must be no more than 63 bytes`,
    ],
    [
      'a port name',
      service({ ports: [{ name: 'A', port: 1 }] }),
      'spec.ports[0].name: Invalid value: "A": a lowercase RFC 1123 label',
    ],
    [
      'a selector',
      service({ selector: { 'a b': 'c' } }),
      'spec.selector: Invalid value: "a b": name part must consist of',
    ],
    [
      'a name of elsewhere',
      { spec: { type: 'ExternalName', externalName: 'a_b' } },
      'spec.externalName: Invalid value: "a_b": a lowercase RFC 1123 subdomain',
    ],
  ])('%s', (_, parts, expected) => {
    const [problem = '', ...others] = problems(services, parts);
    expect(problem.startsWith(expected), problem).toBe(true);
    expect(others).toEqual([]);
  });

  it('another address than before, or none', () => {
    const old = service({ clusterIP: '10.0.0.1' });
    expect(problems(services, service({ clusterIP: '10.0.0.2' }), old)).toEqual([
      'spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set',
    ]);
    expect(problems(services, service({ selector: { a: 'b' } }), old)).toEqual([
      'spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset',
    ]);
  });
});

describe('a service is taken', () => {
  it.each<[string, object, object | undefined]>([
    ['headless and without ports', { spec: { clusterIP: 'None' } }, undefined],
    [
      'with one port under two protocols',
      service({
        ports: [
          { name: 'a', port: 53 },
          { name: 'b', port: 53, protocol: 'UDP' },
        ],
      }),
      undefined,
    ],
    [
      'with a name of elsewhere that ends in a dot',
      { spec: { type: 'ExternalName', externalName: 'example.com.' } },
      undefined,
    ],
    [
      'with more ports than before',
      service({
        clusterIP: '10.0.0.1',
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 2 },
        ],
      }),
      service({ clusterIP: '10.0.0.1' }),
    ],
    [
      'when it moves elsewhere and gives its address back',
      { spec: { type: 'ExternalName', externalName: 'x' } },
      service({ clusterIP: '10.0.0.1' }),
    ],
    ['when it gets its address', service({ clusterIP: '10.0.0.1' }), service()],
  ])('%s', (_, parts, old) => {
    expect(problems(services, parts, old)).toEqual([]);
  });
});
