import { describe, expect, it } from 'vitest';
import type { Kind } from '../../../../src/resources/kind.js';
import { configmaps } from '../../../../src/resources/kinds/configmaps.js';
import { endpoints } from '../../../../src/resources/kinds/endpoints.js';
import { endpointslices } from '../../../../src/resources/kinds/endpointslices.js';
import { events } from '../../../../src/resources/kinds/events.js';
import { leases } from '../../../../src/resources/kinds/leases.js';
import { namespaces } from '../../../../src/resources/kinds/namespaces.js';
import { nodes } from '../../../../src/resources/kinds/nodes.js';
import { secrets } from '../../../../src/resources/kinds/secrets.js';
import { problems } from '../sentences.js';

const base64 = (value: string): string => Buffer.from(value).toString('base64');
const immutable = 'field is immutable when `immutable` is set';

describe('config maps and secrets are refused for', () => {
  const big = 'x'.repeat(1024 * 1024 + 1);
  it.each<[string, Kind, object, readonly string[]]>([
    [
      'a key twice',
      configmaps,
      { data: { a: '' }, binaryData: { a: '' } },
      ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
    ],
    [
      'keys that climb',
      configmaps,
      { data: { '..': '', '..a': '' } },
      [
        `data[..]: Invalid value: "..": must not be '..'`,
        `data[..a]: Invalid value: "..a": must not start with '..'`,
      ],
    ],
    [
      'too much text',
      configmaps,
      { data: { a: big } },
      ['data: Too long: may not be more than 1048576 bytes'],
    ],
    [
      'too much binary',
      secrets,
      { data: { a: base64(big) } },
      ['data: Too long: may not be more than 1048576 bytes'],
    ],
    [
      'half a TLS pair',
      secrets,
      { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } },
      ['data[tls.key]: Required value'],
    ],
    ['no key', secrets, { type: 'kubernetes.io/ssh-auth' }, ['data[ssh-privatekey]: Required value']],
    [
      'no credentials',
      secrets,
      { type: 'kubernetes.io/basic-auth' },
      ['data[username]: Required value', 'data[password]: Required value'],
    ],
    [
      'no docker configuration',
      secrets,
      { type: 'kubernetes.io/dockerconfigjson' },
      ['data[.dockerconfigjson]: Required value'],
    ],
    [
      'a broken docker configuration',
      secrets,
      { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': base64('{') } },
      ['data[.dockercfg]: Invalid value: "<secret contents redacted>": must be valid JSON'],
    ],
    [
      'a token of nobody',
      secrets,
      { type: 'kubernetes.io/service-account-token' },
      ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
    ],
  ])('%s', (_, kind, parts, expected) => {
    expect(problems(kind, parts)).toEqual(expected);
  });

  it('keys with blanks or of more than 253 characters', () => {
    const [blank = '', ...more] = problems(secrets, { data: { 'a b': '' } });
    expect(blank).toContain('data[a b]: Invalid value: "a b": a valid config key must consist of');
    expect(more).toEqual([]);
    expect(problems(configmaps, { data: { ['k'.repeat(254)]: '' } })[0]).toContain(
      'must be no more than 253 bytes',
    );
  });

  it('changes once they are immutable', () => {
    const frozen = { immutable: true, data: { a: 'YQ==' } };
    expect(problems(configmaps, frozen, frozen)).toEqual([]);
    expect(problems(configmaps, { data: { a: 'b' }, binaryData: { b: '' } }, frozen)).toEqual([
      `immutable: Forbidden: ${immutable}`,
      `data: Forbidden: ${immutable}`,
      `binaryData: Forbidden: ${immutable}`,
    ]);
    expect(problems(secrets, { ...frozen, stringData: { a: 'b' } }, frozen)).toEqual([
      `data: Forbidden: ${immutable}`,
    ]);
  });

  it('another type than before', () => {
    expect(problems(secrets, { type: 'example.com/x' }, {})).toEqual([
      'type: Invalid value: "example.com/x": field is immutable',
    ]);
  });
});

describe('other kinds are refused for', () => {
  const range = 'must be between 1 and 65535, inclusive';
  const ip = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
  const protocol = 'Unsupported value: "x": supported values: "SCTP", "TCP", "UDP"';
  const slice = (parts: object): object => ({ addressType: 'IPv4', endpoints: [], ...parts });
  it.each<[string, Kind, object, readonly string[]]>([
    [
      'an event of another namespace',
      events,
      { involvedObject: { namespace: 'other' } },
      ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
    ],
    [
      'an event about the cluster in any namespace',
      events,
      { involvedObject: { kind: 'Node' } },
      ['involvedObject.namespace: Invalid value: "": does not match event.namespace'],
    ],
    [
      'a lease without a duration',
      leases,
      { spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } },
      [
        'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
        'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
    [
      'taints',
      nodes,
      {
        spec: {
          taints: [
            { key: 'a', effect: '' },
            { key: 'a', effect: 'x' },
            { key: 'b', effect: 'NoSchedule' },
            { key: 'b', effect: 'NoSchedule', value: '1' },
          ],
        },
      },
      [
        'spec.taints[0].effect: Required value',
        'spec.taints[1].effect: Unsupported value: "x": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        'spec.taints[3]: Duplicate value: {"key":"b","effect":"NoSchedule","value":"1"}',
      ],
    ],
    [
      'a subnet',
      nodes,
      { spec: { podCIDRs: ['10.0.0.0/33', 'fd00::/64'] } },
      [
        'spec.podCIDRs[0]: Invalid value: "10.0.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    ],
    [
      'empty subsets',
      endpoints,
      { subsets: [{}] },
      ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
    ],
    [
      'addresses and ports',
      endpoints,
      {
        subsets: [
          {
            addresses: [{ ip: 'x' }],
            ports: [
              { port: 0, protocol: 'x' },
              { name: 'a', port: 1 },
            ],
          },
        ],
      },
      [
        `subsets[0].addresses[0].ip: Invalid value: "x": ${ip}`,
        'subsets[0].ports[0].name: Required value',
        `subsets[0].ports[0].port: Invalid value: 0: ${range}`,
        `subsets[0].ports[0].protocol: ${protocol}`,
      ],
    ],
    ['no address type', endpointslices, slice({ addressType: '' }), ['addressType: Required value']],
    [
      'an address type',
      endpointslices,
      slice({ addressType: 'IP' }),
      ['addressType: Unsupported value: "IP": supported values: "FQDN", "IPv4", "IPv6"'],
    ],
    [
      'addresses of a slice',
      endpointslices,
      slice({
        endpoints: [
          { addresses: [] },
          { addresses: ['x', 'fd00::1'] },
          { addresses: Array.from({ length: 101 }, () => '10.0.0.1') },
        ],
      }),
      [
        'endpoints[0].addresses: Required value: must contain at least 1 address',
        `endpoints[1].addresses[0]: Invalid value: "x": ${ip}`,
        'endpoints[1].addresses[1]: Invalid value: "fd00::1": must be an IPv4 address',
        'endpoints[2].addresses: Invalid value: 101: must have at most 100 items',
      ],
    ],
    [
      'ports of a slice',
      endpointslices,
      slice({ ports: [{ port: 0, protocol: 'x' }, { name: 'a' }, { name: 'a' }] }),
      [
        `ports[0].port: Invalid value: 0: ${range}`,
        `ports[0].protocol: ${protocol}`,
        'ports[2].name: Duplicate value: "a"',
      ],
    ],
    [
      'too much in a slice',
      endpointslices,
      slice({
        endpoints: Array.from({ length: 1001 }, () => ({ addresses: ['10.0.0.1'] })),
        ports: Array.from({ length: 101 }, () => ({})),
      }),
      [
        'endpoints: Invalid value: 1001: must have at most 1000 items',
        'ports: Invalid value: 101: must have at most 100 items',
      ],
    ],
  ])('%s', (_, kind, parts, expected) => {
    expect(problems(kind, parts)).toEqual(expected);
  });

  it('names that are no labels', () => {
    expect(problems(namespaces, { metadata: { name: 'a.b' } })[0]).toContain(
      'metadata.name: Invalid value: "a.b": a lowercase RFC 1123 label must consist of',
    );
    expect(
      problems(endpointslices, slice({ endpoints: [{ addresses: ['10.0.0.1'], hostname: 'A' }] }))[0],
    ).toContain('endpoints[0].hostname: Invalid value: "A": a lowercase RFC 1123 label');
  });

  it('changes of what a node or a slice is', () => {
    const before = { spec: { podCIDRs: ['10.0.0.0/24'], providerID: 'x' } };
    expect(problems(nodes, { spec: {} }, before)).toEqual([
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ]);
    expect(problems(nodes, before, { spec: {} })).toEqual([]);
    expect(problems(endpointslices, slice({ addressType: 'IPv6' }), slice({}))).toEqual([
      'addressType: Invalid value: "IPv6": field is immutable',
    ]);
  });
});
