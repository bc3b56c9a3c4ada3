import { describe, expect, it } from 'vitest';
import type { Kind } from '../../../../src/resources/kind.js';
import { ingressclasses } from '../../../../src/resources/kinds/ingressclasses.js';
import { ingresses } from '../../../../src/resources/kinds/ingresses.js';
import { networkpolicies } from '../../../../src/resources/kinds/networkpolicies.js';
import { isStrictlyWithin, parseIpRange } from '../../../../src/resources/validation/ip-range.js';
import { accepted, problems, tableRow } from '../sentences.js';

const now = Date.parse('2025-01-01T01:00:00Z');
const backend = { service: { name: 'web', port: { number: 80 } } };
const rule = (host: string, path: object = {}): object => ({
  host,
  http: { paths: [{ path: '/', pathType: 'Prefix', backend, ...path }] },
});
const ingress = (...rules: readonly object[]): object => ({ spec: { rules } });
const peer = (part: object): object => ({ spec: { ingress: [{ from: [part] }] } });
const port = (part: object): object => ({ spec: { ingress: [{ ports: [part] }] } });

describe('rows of networking', () => {
  it.each<[Kind, object, string]>([
    [ingresses, ingress(rule('a.example')), 'Name=a Class=<none> Hosts=a.example Address= Ports=80 Age=60m'],
    [
      ingresses,
      {
        spec: {
          ingressClassName: 'nginx',
          tls: [{ hosts: ['a.example'], secretName: 's' }],
          rules: ['a', 'b', '', 'c', 'd'].map((host) => rule(host)),
        },
        status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }, { hostname: 'lb.example' }] } },
      },
      'Name=a Class=nginx Hosts=a,b,c + 2 more... Address=10.0.0.1,lb.example Ports=80, 443 Age=60m',
    ],
    [
      ingresses,
      {
        metadata: { annotations: { 'kubernetes.io/ingress.class': 'old' } },
        spec: { defaultBackend: backend },
      },
      'Name=a Class=old Hosts=* Address= Ports=80 Age=60m',
    ],
    [
      ingressclasses,
      {
        spec: {
          controller: 'example.com/ingress',
          parameters: { apiGroup: 'x.example', kind: 'K', name: 'n' },
        },
      },
      'Name=a Controller=example.com/ingress Parameters=K.x.example/n Age=60m',
    ],
    [networkpolicies, {}, 'Name=a Pod-Selector=<none> Age=60m'],
    [
      networkpolicies,
      { spec: { podSelector: { matchLabels: { app: 'web' } } } },
      'Name=a Pod-Selector=app=web Age=60m',
    ],
  ])('%# %o', (kind, parts, expected) => {
    expect(tableRow(kind, parts, now)).toBe(expected);
  });
});

describe('the directions of a network policy', () => {
  it.each<[object, readonly string[]]>([
    [{}, ['Ingress']],
    [{ egress: [] }, ['Ingress', 'Egress']],
    [{ egress: [], policyTypes: ['Egress'] }, ['Egress']],
  ])('of %o are %o', (spec, expected) => {
    const { policyTypes, podSelector } = networkpolicies.defaulted(accepted(networkpolicies, { spec })).spec;
    expect(policyTypes).toEqual(expected);
    expect(podSelector).toEqual({});
  });

  it('ports are of TCP unless they say otherwise', () => {
    const { spec } = networkpolicies.defaulted(accepted(networkpolicies, port({ port: 80 })));
    expect(spec.ingress).toEqual([{ ports: [{ port: 80, protocol: 'TCP' }] }]);
  });
});

describe('networking is refused for', () => {
  it.each<[string, Kind, object, readonly string[]]>([
    [
      'an ingress to nowhere',
      ingresses,
      { spec: {} },
      ['spec: Invalid value: []: either `defaultBackend` or `rules` must be specified'],
    ],
    [
      'an address as a host',
      ingresses,
      ingress(rule('10.0.0.1')),
      ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
    ],
    [
      'a wildcard in the middle',
      ingresses,
      ingress(rule('a.*.example')),
      [
        `spec.rules[0].host: Invalid value: "a.*.example": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
      ],
    ],
    [
      'paths that climb',
      ingresses,
      ingress(rule('a', { path: '/x//y/..' }), rule('b', { path: 'y', pathType: 'Exact' })),
      [
        `spec.rules[0].http.paths[0].path: Invalid value: "/x//y/..": must not contain '//'`,
        `spec.rules[0].http.paths[0].path: Invalid value: "/x//y/..": cannot end with '/..'`,
        'spec.rules[1].http.paths[0].path: Invalid value: "y": must be an absolute path',
      ],
    ],
    [
      'a type of path that there is not',
      ingresses,
      ingress(rule('a', { pathType: 'Regex' })),
      [
        'spec.rules[0].http.paths[0].pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"',
      ],
    ],
    [
      'two backends, and half ones',
      ingresses,
      ingress(
        rule('a', { backend: { ...backend, resource: { kind: 'K', name: 'n' } } }),
        rule('b', { backend: { service: { name: 'web', port: { number: 80, name: 'http' } } } }),
        rule('c', { backend: { service: { name: 'web' } } }),
        rule('d', { backend: {} }),
      ),
      [
        'spec.rules[0].http.paths[0].backend: Invalid value: "": cannot set both resource and service backends',
        'spec.rules[1].http.paths[0].backend: Invalid value: "": cannot set both port name & port number',
        'spec.rules[2].http.paths[0].backend: Required value: port name or number is required',
        'spec.rules[3].http.paths[0].backend: Required value: resource or service backend is required',
      ],
    ],
    ['no paths', ingresses, ingress({ http: { paths: [] } }), ['spec.rules[0].http.paths: Required value']],
    [
      'a class whose controller has no domain',
      ingressclasses,
      { spec: { controller: 'nginx', parameters: { kind: 'K', name: 'a/b', scope: 'Namespace' } } },
      [
        'spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")',
        `spec.parameters.name: Invalid value: "a/b": may not contain '/'`,
        "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
      ],
    ],
    [
      'nobody as a peer',
      networkpolicies,
      peer({}),
      ['spec.ingress[0].from[0]: Required value: must specify a peer'],
    ],
    [
      'a peer of two natures, with a hole beside its range',
      networkpolicies,
      peer({
        ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8', '11.0.0.0/16', '10.1.0.0/16'] },
        podSelector: {},
      }),
      [
        'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
        'spec.ingress[0].from[0].ipBlock.except[1]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
        'spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer',
      ],
    ],
    [
      'a range of ports that runs backwards',
      networkpolicies,
      port({ port: 90, endPort: 80 }),
      ['spec.ingress[0].ports[0].endPort: Invalid value: 90: must be greater than or equal to `port`'],
    ],
    [
      'a range that begins at a name, and one that begins nowhere',
      networkpolicies,
      { spec: { egress: [{ ports: [{ port: 'web', endPort: 80 }, { endPort: 80 }] }] } },
      [
        'spec.egress[0].ports[0].endPort: Invalid value: 80: may not be specified when `port` is non-numeric',
        'spec.egress[0].ports[1].endPort: Invalid value: 80: may not be specified when `port` is not specified',
      ],
    ],
    [
      'directions and protocols that there are not',
      networkpolicies,
      { spec: { policyTypes: ['Sideways'], ingress: [{ ports: [{ protocol: 'ICMP' }] }] } },
      [
        'spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
        'spec.policyTypes[0]: Unsupported value: "Sideways": supported values: "Egress", "Ingress"',
      ],
    ],
  ])('%s', (_, kind, parts, expected) => {
    expect(problems(kind, parts)).toEqual(expected);
  });

  it('a class that changes its controller', () => {
    const of = (controller: string): object => ({ spec: { controller } });
    expect(problems(ingressclasses, of('a.example/b'), of('a.example/a'))).toEqual([
      'spec.controller: Invalid value: "a.example/b": field is immutable',
    ]);
  });
});

describe('a network lies within another', () => {
  it.each<[string, string, boolean]>([
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/8', '10.0.0.0/8', false],
    ['10.0.0.0/8', '10.1.0.0/16', false],
    ['0.0.0.0/1', '0.0.0.0/0', true],
    ['255.255.255.255/32', '0.0.0.0/0', true],
    ['2001:db8:1::/48', '2001:db8::/32', true],
    ['2001:db9::/48', '2001:db8::/32', false],
    ['::ffff:10.0.0.1/128', '::ffff:a00:0/112', true],
    ['10.0.0.0/16', '::/0', false],
  ])('%s in %s: %s', (inner, outer, expected) => {
    const [a, b] = [parseIpRange(inner), parseIpRange(outer)];
    expect(a !== undefined && b !== undefined && isStrictlyWithin(a, b)).toBe(expected);
  });
});
