import { describe, expect, it } from 'vitest';
import { endpointWeights } from '../../../src/controllers/endpoints/endpoint-weights.js';
import { endpointsController } from '../../../src/controllers/endpoints/endpoints.js';
import type { Endpoint, EndpointSlice, Pod, Service } from '../../../src/resources/generated/types.js';
import { services } from '../../../src/resources/kinds/services.js';
import { at, now, pod } from './objects.js';

const service = (weights: unknown): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'svc',
    resourceVersion: '1',
    creationTimestamp: at(-100),
    annotations: { 'capstan.dev/weights': typeof weights === 'string' ? weights : JSON.stringify(weights) },
  },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }] },
});

/** `stable: 9` makes nine pods with the label `track: stable`. */
const podsOf = (tracks: Readonly<Record<string, number>>): readonly Pod[] =>
  Object.entries(tracks).flatMap(([track, count], group) =>
    Array.from({ length: count }, (_, index) => {
      const one = pod(`${track}-${index}`, { ip: `10.0.${group}.${index + 1}` });
      return { ...one, metadata: { ...one.metadata, labels: { app: 'web', track } } };
    }),
  );
const endpointsOf = (pods: readonly Pod[], ready = true): readonly Endpoint[] =>
  pods.map(({ metadata, status }) => ({
    addresses: [status?.podIP ?? ''],
    conditions: { ready },
    targetRef: { kind: 'Pod', uid: metadata.uid },
  }));
const shareOf = (weights: ReadonlyMap<string, number> | undefined, prefix: string): number => {
  const all = [...(weights ?? [])];
  const sum = (some: typeof all): number => some.reduce((total, [, weight]) => total + weight, 0);
  return sum(all.filter(([address]) => address.startsWith(prefix))) / sum(all);
};

describe('weights of a service', () => {
  it('give each group exactly its share, however many pods it has', () => {
    const pods = podsOf({ stable: 9, canary: 2 });
    const weights = endpointWeights(
      service({ 'track=stable': 90, 'track=canary': 10 }),
      pods,
      endpointsOf(pods),
    );
    expect(shareOf(weights, '10.0.0.')).toBeCloseTo(0.9, 12);
    expect(shareOf(weights, '10.0.1.')).toBeCloseTo(0.1, 12);
    expect(new Set(weights?.values())).toEqual(new Set([2, 1]));
  });

  it('leave out whom no group selects, and a group of weight 0', () => {
    const pods = podsOf({ stable: 1, canary: 1, other: 1 });
    const weights = endpointWeights(
      service({ 'track=stable': 7, 'track=canary': 0 }),
      pods,
      endpointsOf(pods),
    );
    expect(Object.fromEntries(weights ?? [])).toEqual({ '10.0.0.1': 1, '10.0.1.1': 0 });
  });

  it('pass the share of a group without a ready pod to the others', () => {
    const pods = podsOf({ stable: 2, canary: 1 });
    const [stable, canary] = [pods.slice(0, 2), pods.slice(2)];
    const endpoints = [...endpointsOf(stable), ...endpointsOf(canary, false)];
    const weights = endpointWeights(service({ 'track=stable': 50, 'track=canary': 50 }), pods, endpoints);
    expect(Object.fromEntries(weights ?? [])).toEqual({ '10.0.0.1': 1, '10.0.0.2': 1 });
  });

  it('stay within what a weight can hold', () => {
    const pods = podsOf({ a: 97, b: 89 });
    const weights = endpointWeights(
      service({ 'track=a': 999_983, 'track=b': 999_979 }),
      pods,
      endpointsOf(pods),
    );
    expect(Math.max(...(weights?.values() ?? []))).toBeLessThanOrEqual(1_000_000);
    expect(shareOf(weights, '10.0.0.')).toBeCloseTo(0.500001, 4);
  });

  it('stand on the slices by address, and go with the annotation', () => {
    const pods = podsOf({ stable: 1, canary: 1 });
    const decide = (subject: Service, slices: readonly EndpointSlice[]) =>
      endpointsController.reconcile({ service: subject, pods, slices, endpoints: undefined }, now).actions;
    const [created] = decide(service({ 'track=stable': 3, 'track=canary': 1 }), []);
    if (created?.type !== 'create') throw new Error('no slice was made');
    const slice = created.object as EndpointSlice;
    expect(slice.metadata.annotations).toEqual({ 'capstan.dev/weights': '{"10.0.0.1":3,"10.0.1.1":1}' });
    const plain = service({});
    const [updated] = decide({ ...plain, metadata: { ...plain.metadata, annotations: {} } }, [slice]);
    if (updated?.type !== 'update') throw new Error('the slice stayed');
    expect(updated.object.metadata.annotations).toBeUndefined();
  });

  it.each([
    ['not JSON', /must be a JSON object/],
    ['[]', /must be a JSON object/],
    [{ 'track=a': 1.5 }, /track=a: must be a whole number/],
    [{ 'track=a': -1 }, /whole number/],
    [{ '': 1 }, /must not be empty/],
    [{ 'track in (': 1 }, /./],
  ])('are refused when they cannot be read: %j', (weights, message) => {
    const [error] = services.validate(service(weights), service({}));
    expect(error?.field).toBe('metadata.annotations[capstan.dev/weights]');
    expect(error?.message).toMatch(message);
  });
});
