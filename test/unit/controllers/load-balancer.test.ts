import { describe, expect, it } from 'vitest';
import { parseSpans } from '../../../src/base/ipv4.js';
import { decideLoadBalancers } from '../../../src/controllers/load-balancer.js';
import type { Service } from '../../../src/resources/generated/types.js';
import { at } from './objects.js';

const pool = parseSpans('10.0.0.200-10.0.0.201') ?? [];
const service = (
  name: string,
  { ip, node, spec = {} }: { ip?: string; node?: string; spec?: object } = {},
): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name,
    namespace: 'shop',
    uid: name,
    resourceVersion: '1',
    creationTimestamp: at(0),
    ...(node === undefined ? {} : { annotations: { 'capstan.dev/announced-by': node } }),
  },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...spec },
  status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } },
});
const decide = (all: readonly Service[], nodes: readonly string[], hosts: readonly string[] = nodes) =>
  decideLoadBalancers({ balanced: all.map((one) => ({ service: one, hosts: new Set(hosts) })), nodes }, pool);
/** `name=address@node` of what is written. */
const written = (decision: ReturnType<typeof decide>): readonly string[] =>
  decision.actions.flatMap((action) => {
    if (action.type === 'updateStatus')
      return [
        `${action.object.metadata.name}=${(action.object as Service).status?.loadBalancer?.ingress?.[0]?.ip}`,
      ];
    if (action.type !== 'patch') return [];
    const { patch } = action.patch as { patch: { metadata: { annotations: Record<string, string> } } };
    return [`${action.name.name}@${patch.metadata.annotations['capstan.dev/announced-by']}`];
  });

describe('load balancers', () => {
  it('get an address of the pool each, and a node that answers for it', () => {
    expect(written(decide([service('a'), service('b')], ['n1']))).toEqual([
      'a=10.0.0.200',
      'a@n1',
      'b=10.0.0.201',
      'b@n1',
    ]);
  });

  it('stay where they are while that node is ready, and move when it is not', () => {
    const settled = service('a', { ip: '10.0.0.201', node: 'n2' });
    expect(written(decide([settled], ['n1', 'n2', 'n3']))).toEqual([]);
    expect(written(decide([settled], ['n1']))).toEqual(['a@n1']);
    expect(written(decide([settled], []))).toEqual([]);
  });

  it('never take an address from a service that has it, nor give one outside of the pool', () => {
    const first = service('z', { ip: '10.0.0.200', node: 'n1' });
    const greedy = service('a', { spec: { loadBalancerIP: '10.0.0.200' } });
    const decision = decide([greedy, first], ['n1']);
    expect(written(decision)).toEqual([]);
    expect(decision.because).toBe('shop/a: 10.0.0.200 belongs to another service');
    const outside = decide([service('a', { spec: { loadBalancerIP: '10.9.9.9' } })], ['n1']);
    expect(outside.because).toMatch(/10\.9\.9\.9 is not in the pool/);
  });

  it('say so when the pool is used up', () => {
    const decision = decide([service('a'), service('b'), service('c')], ['n1']);
    expect(decision.because).toBe('shop/c: the pool of load balancer addresses is used up');
  });

  it('with local traffic only are announced where an endpoint is', () => {
    const local = service('a', { ip: '10.0.0.200', spec: { externalTrafficPolicy: 'Local' } });
    expect(written(decide([local], ['n1', 'n2', 'n3'], ['n3']))).toEqual(['a@n3']);
  });
});
