import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../src/cli/why/evidence.js';
import { explainService } from '../../../src/cli/why/service.js';
import type { Endpoint, EndpointSlice, Pod, Service } from '../../../src/resources/generated/types.js';

const meta = (name: string, more: object = {}) => ({
  name,
  namespace: 'shop',
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...more,
});
const service = (spec: object = {}, annotations: Record<string, string> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta('web', { annotations }),
  spec: {
    type: 'ClusterIP',
    clusterIP: '10.96.1.1',
    selector: { app: 'web' },
    ports: [{ port: 80 }],
    ...spec,
  },
});
const pod = (name: string, more: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta(name, more),
  spec: { nodeName: 'h1', containers: [{ name: 'web' }] },
  status: {
    phase: 'Running',
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        reason: 'ContainersNotReady',
        message: 'containers with unready status: [web]',
      },
    ],
  },
});
const endpoint = (name: string, index: number, conditions: object = {}): Endpoint => ({
  addresses: [`10.244.0.${index}`],
  nodeName: 'h1',
  conditions: { ready: true, serving: true, terminating: false, ...conditions },
  targetRef: { kind: 'Pod', name, uid: `uid-${name}` },
});
const slice = (endpoints: readonly Endpoint[], weights?: object): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: meta(
    'web-1',
    weights === undefined ? {} : { annotations: { 'capstan.dev/weights': JSON.stringify(weights) } },
  ),
  addressType: 'IPv4',
  endpoints,
});
const ask = (object: Service, pods: readonly Pod[], slices: readonly EndpointSlice[]) =>
  explainService({ object, pods, slices, owners: [], events: [], decisions: [] } satisfies Evidence);

describe('why a service', () => {
  it('says which pods get what share, which are out, and why', () => {
    const leaving = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 };
    const { state, because } = ask(
      service(),
      [pod('a'), pod('b'), pod('c'), pod('d', leaving), pod('e')],
      [
        slice(
          [
            endpoint('a', 1),
            endpoint('b', 2),
            endpoint('c', 3, { ready: false, serving: false }),
            endpoint('d', 4, { ready: false, terminating: true }),
          ],
          { '10.244.0.1': 9, '10.244.0.2': 1 },
        ),
      ],
    );
    expect(state).toBe('answers at 10.96.1.1 on 80/TCP and sends to 2 of 5 endpoints');
    expect(because).toEqual([
      'a at 10.244.0.1 on node h1 gets 90 %',
      'b at 10.244.0.2 on node h1 gets 10 %',
      'c at 10.244.0.3 on node h1 gets nothing: Ready is false: containers with unready status: [web] (ContainersNotReady)',
      'd at 10.244.0.4 on node h1 gets nothing: it is being deleted, and proxies have still to confirm that they send it nothing',
      'e gets nothing: it runs on node h1 and is not ready',
    ]);
  });

  it('says that a weight of nothing keeps a pod out', () => {
    const { because } = ask(
      service(),
      [pod('a'), pod('b')],
      [slice([endpoint('a', 1), endpoint('b', 2)], { '10.244.0.1': 1 })],
    );
    expect(because).toContain('b at 10.244.0.2 on node h1 gets nothing: its weight is 0');
  });

  it('sends to pods that leave when nobody else is there, as the proxies do', () => {
    const { state } = ask(service(), [], [slice([endpoint('a', 1, { ready: false, terminating: true })])]);
    expect(state).toContain('sends to 1 of 1 endpoints');
  });

  it('says why it refuses everything', () => {
    expect(ask(service(), [], []).state).toBe(
      'answers at 10.96.1.1 on 80/TCP and refuses everything: no pod has its labels',
    );
  });

  it('names what a load balancer lacks', () => {
    expect(ask(service({ type: 'LoadBalancer' }), [], []).because.join()).toContain('--load-balancer-pool');
    const announced = service({ type: 'LoadBalancer' }, { 'capstan.dev/announced-by': 'h2' });
    expect(ask(announced, [], []).because).toContain('node h2 answers for its load balancer address');
  });
});
