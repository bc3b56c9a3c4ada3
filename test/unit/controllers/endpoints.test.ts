import { describe, expect, it } from 'vitest';
import { endpointsController } from '../../../src/controllers/endpoints/endpoints.js';
import type { EndpointsObserved } from '../../../src/controllers/endpoints/endpoints.js';
import type { ClusterAction } from '../../../src/reconcile/cluster-action.js';
import type { Endpoints, EndpointSlice, Pod, Service } from '../../../src/resources/generated/types.js';
import { endpointslices } from '../../../src/resources/kinds/endpointslices.js';
import type { Draft } from '../../../src/resources/resource.js';
import { createRandom, seeds } from '../../contract/random.js';
import { at, now, pod } from './objects.js';

const service = (spec: object = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', uid: 'svc', resourceVersion: '1', creationTimestamp: at(-100) },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }], ...spec },
});

const observed = (
  subject: Service,
  pods: readonly Pod[],
  slices: readonly EndpointSlice[] = [],
  endpoints?: Endpoints,
): EndpointsObserved => ({
  service: subject,
  pods,
  slices,
  endpoints,
});

const decide = (input: EndpointsObserved) => endpointsController.reconcile(input, now);

/** Carries the writes to slices out on a list. */
const apply = (
  slices: readonly EndpointSlice[],
  actions: readonly ClusterAction[],
): readonly EndpointSlice[] => {
  const next = new Map(slices.map((slice) => [slice.metadata.name, slice]));
  for (const action of actions) {
    if (!('kind' in action) || action.kind !== endpointslices) continue;
    if (action.type === 'create') {
      const { metadata, ...rest } = action.object as Draft<EndpointSlice>;
      const name = metadata.name ?? '';
      expect(next.has(name)).toBe(false);
      next.set(name, {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        ...rest,
        metadata: { ...metadata, name, uid: name, resourceVersion: '1', creationTimestamp: at(0) },
      } as EndpointSlice);
    } else if (action.type === 'update')
      next.set(action.object.metadata.name, action.object as EndpointSlice);
    else if (action.type === 'delete') next.delete(action.name.name);
  }
  return [...next.values()];
};

const addresses = (slices: readonly EndpointSlice[]): readonly string[] =>
  slices.flatMap(({ endpoints }) => endpoints.flatMap((endpoint) => endpoint.addresses)).sort();

describe('the endpoints of a service', () => {
  it('are its pods with an address, each with what may be sent to it', () => {
    const pods = [
      pod('ready', { ip: '10.0.0.1' }),
      pod('starting', { ip: '10.0.0.2', ready: false }),
      pod('ending', { ip: '10.0.0.3', deleting: true }),
      pod('nowhere', {}),
      pod('over', { ip: '10.0.0.4', phase: 'Succeeded' }),
    ];
    const [slice] = apply([], decide(observed(service(), pods)).actions);
    expect(slice?.endpoints.map(({ addresses: [address], conditions }) => [address, conditions])).toEqual([
      ['10.0.0.1', { ready: true, serving: true, terminating: false }],
      ['10.0.0.2', { ready: false, serving: false, terminating: false }],
      ['10.0.0.3', { ready: false, serving: true, terminating: true }],
    ]);
    expect(slice?.metadata.labels).toMatchObject({ 'kubernetes.io/service-name': 'web' });
    expect(slice?.endpoints[0]).toMatchObject({ nodeName: 'n1', targetRef: { kind: 'Pod', name: 'ready' } });
  });

  it('count as ready before they are when the service says so', () => {
    const subject = service({ publishNotReadyAddresses: true });
    const pods = [pod('starting', { ip: '10.0.0.2', ready: false })];
    const [slice] = apply([], decide(observed(subject, pods)).actions);
    expect(slice?.endpoints[0]?.conditions?.ready).toBe(true);
  });

  it('have named ports resolved pod by pod', () => {
    const subject = service({ ports: [{ name: 'http', port: 80, targetPort: 'web' }] });
    const named = (name: string, ip: string, containerPort: number) =>
      pod(name, {
        ip,
        spec: { containers: [{ name: 'c', image: 'i', ports: [{ name: 'web', containerPort }] }] },
      });
    const slices = apply(
      [],
      decide(observed(subject, [named('a', '10.0.0.1', 8080), named('b', '10.0.0.2', 9090)])).actions,
    );
    expect(slices.map(({ ports, endpoints }) => [ports?.[0]?.port, endpoints[0]?.addresses[0]])).toEqual([
      [8080, '10.0.0.1'],
      [9090, '10.0.0.2'],
    ]);
  });

  it('are mirrored in the older object, without those that end', () => {
    const pods = [
      pod('ready', { ip: '10.0.0.1' }),
      pod('starting', { ip: '10.0.0.2', ready: false }),
      pod('ending', { ip: '10.0.0.3', deleting: true }),
    ];
    const created = decide(observed(service(), pods)).actions.find(
      (action) => action.type === 'create' && action.kind.kind === 'Endpoints',
    );
    expect(created).toMatchObject({
      object: {
        subsets: [
          {
            addresses: [{ ip: '10.0.0.1' }],
            notReadyAddresses: [{ ip: '10.0.0.2' }],
            ports: [{ port: 8080 }],
          },
        ],
      },
    });
  });

  it('leave slices alone that someone else made', () => {
    const foreign: EndpointSlice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'web-mine',
        namespace: 'shop',
        uid: 'x',
        resourceVersion: '1',
        creationTimestamp: at(0),
        labels: { 'kubernetes.io/service-name': 'web' },
      },
      addressType: 'IPv4',
      endpoints: [],
    };
    const { actions } = decide(observed(service(), [], [foreign]));
    expect(actions.filter((action) => 'kind' in action && action.kind === endpointslices)).toEqual([]);
  });

  it.each(seeds([1, 2, 3]))(
    'are complete after each change, in slices of a hundred, at the price of what changed (seed %i)',
    (seed) => {
      const random = createRandom(seed);
      const subject = service();
      let pods = new Map<string, Pod>();
      let slices: readonly EndpointSlice[] = [];
      let next = 1;
      for (let round = 0; round < 30; round += 1) {
        const changes = 1 + random.integer(5);
        const grow = round === 0 ? 250 : changes;
        const before = pods;
        pods = new Map(pods);
        for (let index = 0; index < grow; index += 1) {
          const dice = random.integer(3);
          const known = [...pods.keys()];
          if (round > 0 && dice === 0) pods.delete(random.pick(known));
          else if (round > 0 && dice === 1) {
            const name = random.pick(known);
            const current = pods.get(name)!;
            const fresh = pod(name, { ip: current.status!.podIP!, ready: random.chance(0.5) });
            pods.set(name, { ...fresh, metadata: current.metadata });
          } else {
            next += 1;
            pods.set(
              `p${String(next)}`,
              pod(`p${String(next)}`, { ip: `10.0.${String(next >> 8)}.${String(next & 255)}` }),
            );
          }
        }
        const { actions } = decide(observed(subject, [...pods.values()], slices));
        slices = apply(slices, actions);
        expect(addresses(slices)).toEqual([...pods.values()].map(({ status }) => status!.podIP!).sort());
        for (const { endpoints } of slices) expect(endpoints.length).toBeLessThanOrEqual(100);
        if (before.size > 0) {
          const touched = actions.filter((action) => 'kind' in action && action.kind === endpointslices);
          expect(touched.length).toBeLessThanOrEqual(changes + 1);
        }
        expect(
          decide(observed(subject, [...pods.values()], slices)).actions.filter(
            (action) => 'kind' in action && action.kind === endpointslices,
          ),
        ).toEqual([]);
      }
    },
  );
});
