import { describe, expect, it } from 'vitest';
import type { Gateway, HTTPRoute } from '../../../../src/resources/generated/types.js';
import { gateways } from '../../../../src/resources/kinds/gateways.js';
import { httproutes } from '../../../../src/resources/kinds/httproutes.js';
import { meta } from '../../network/fixtures.js';

const route = (spec: object): HTTPRoute =>
  httproutes.defaulted({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: meta('web', { namespace: 'shop' }),
    spec,
  });
const gateway = (listeners: readonly object[]): Gateway =>
  gateways.defaulted({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: meta('edge', { namespace: 'shop' }),
    spec: { gatewayClassName: 'capstan', listeners: listeners as Gateway['spec']['listeners'] },
  });
const fields = (errors: readonly { readonly field: string }[]): readonly string[] =>
  errors.map(({ field }) => field);

describe('an HTTPRoute', () => {
  it('that says little matches everything', () => {
    expect(route({}).spec.rules).toEqual([{ matches: [{ path: { type: 'PathPrefix', value: '/' } }] }]);
  });

  it.each([
    [{ rules: [{ matches: [{ path: { value: 'no' } }] }] }, 'spec.rules[0].matches[0].path.value'],
    [
      { rules: [{ matches: [{ path: { type: 'RegularExpression', value: '(' } }] }] },
      'spec.rules[0].matches[0].path.value',
    ],
    [{ rules: [{ matches: [{ method: 'FETCH' }] }] }, 'spec.rules[0].matches[0].method'],
    [
      { rules: [{ matches: [{ headers: [{ name: 'a b', value: '1' }] }] }] },
      'spec.rules[0].matches[0].headers[0].name',
    ],
    [{ rules: [{ filters: [{ type: 'URLRewrite' }] }] }, 'spec.rules[0].filters[0].urlRewrite'],
    [{ rules: [{ filters: [{ type: 'Dance' }] }] }, 'spec.rules[0].filters[0].type'],
    [{ rules: [{ backendRefs: [{ name: 'web' }] }] }, 'spec.rules[0].backendRefs[0].port'],
    [{ rules: [{ timeouts: { request: 'soon' } }] }, 'spec.rules[0].timeouts.request'],
    [{ hostnames: ['a.*.b'] }, 'spec.hostnames[0]'],
  ])('is refused with the field that is wrong: %j', (spec, field) => {
    expect(fields(httproutes.validate(route(spec), undefined))).toContain(field);
  });
});

describe('a Gateway', () => {
  it.each([
    [
      [
        { name: 'a', port: 80, protocol: 'HTTP' },
        { name: 'a', port: 81, protocol: 'HTTP' },
      ],
      'spec.listeners[1].name',
    ],
    [
      [
        { name: 'a', port: 80, protocol: 'HTTP' },
        { name: 'b', port: 80, protocol: 'HTTP' },
      ],
      'spec.listeners[1]',
    ],
    [[{ name: 'a', port: 443, protocol: 'HTTPS' }], 'spec.listeners[0].tls.certificateRefs'],
    [[{ name: 'a', port: 80, protocol: 'HTTP', tls: {} }], 'spec.listeners[0].tls'],
    [[{ name: 'a', port: 0, protocol: 'HTTP' }], 'spec.listeners[0].port'],
    [[], 'spec.listeners'],
  ])('is refused with the field that is wrong: %j', (listeners, field) => {
    expect(fields(gateways.validate(gateway(listeners), undefined))).toContain(field);
  });
});
