import { describe, expect, it } from 'vitest';
import { createLeavingController, decideLeaving } from '../../../src/controllers/leaving/leaving.js';
import { ProxyLog, type Proxy } from '../../../src/controllers/leaving/proxy-log.js';
import { toMicroTimestamp } from '../../../src/base/clock.js';
import { ManualClock } from '../../../src/base/manual-clock.js';
import { LiveView } from '../../../src/client/live-view.js';
import type { Endpoint, EndpointSlice, Lease, Pod, Service } from '../../../src/resources/generated/types.js';
import { endpointslices } from '../../../src/resources/kinds/endpointslices.js';
import { leases } from '../../../src/resources/kinds/leases.js';
import { pods } from '../../../src/resources/kinds/pods.js';
import { services } from '../../../src/resources/kinds/services.js';
import { at, now, pod } from './objects.js';

const leavingPod = (): Pod => {
  const one = pod('web-1', { ip: '10.0.0.1', deleting: true });
  return {
    ...one,
    metadata: { ...one.metadata, labels: { app: 'web' }, deletionGracePeriodSeconds: 30 },
  };
};
const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', uid: 's', resourceVersion: '1', creationTimestamp: at(0) },
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
};
const slice = (revision: number, endpoints: readonly Endpoint[]): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: 'web-1',
    namespace: 'shop',
    uid: 'slice',
    resourceVersion: String(revision),
    creationTimestamp: at(0),
    labels: { 'kubernetes.io/service-name': 'web' },
  },
  addressType: 'IPv4',
  endpoints,
  ports: [],
});
const endpoint = (uid: string, terminating: boolean): Endpoint => ({
  addresses: ['10.0.0.1'],
  conditions: { ready: !terminating, serving: true, terminating },
  targetRef: { kind: 'Pod', uid, name: 'web-1', namespace: 'shop' },
});
const lease = (name: string, revision: string | undefined, renewTime: string): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: {
    name,
    namespace: 'kube-node-lease',
    uid: name,
    resourceVersion: '1',
    creationTimestamp: at(0),
    ...(revision === undefined ? {} : { annotations: { 'capstan.dev/proxy-revision': revision } }),
  },
  spec: { leaseDurationSeconds: 8, renewTime },
});

const setUp = () => {
  const clock = new ManualClock(now);
  const log = new ProxyLog(clock);
  const view = new LiveView([pods, services, endpointslices, leases]);
  const subject = leavingPod();
  const show = (shown: EndpointSlice): void => {
    const change = view.table(endpointslices).put(shown);
    if (change !== undefined) log.noteSlice(change as Parameters<typeof log.noteSlice>[0]);
  };
  const renew = (next: Lease, previous?: Lease): void =>
    log.noteLease({ kind: leases, type: 'modified', object: next, previous });
  view.table(pods).put(subject);
  view.table(services).put(service);
  const controller = createLeavingController(log);
  const decide = () => {
    const observed = controller.observe(view, { name: 'web-1', namespace: subject.metadata.namespace ?? '' });
    if (observed === undefined) throw new Error('the pod does not wait');
    return controller.reconcile(observed, clock.now());
  };
  return { clock, show, renew, decide, uid: subject.metadata.uid };
};

describe('a pod that is being deleted', () => {
  it('is confirmed when every proxy follows the revision from which on it leaves, and not before', () => {
    const { show, renew, decide, uid } = setUp();
    renew(lease('h1', '90', 'a'));
    renew(lease('h2', '100', 'a'));
    show(slice(90, [endpoint(uid, false)]));
    expect(decide()).toMatchObject({
      actions: [],
      because: 'service shop/web does not show yet that the pod leaves',
    });
    show(slice(100, [endpoint(uid, true)]));
    // Later changes of the slice move nothing: it left at 100.
    show(slice(140, [endpoint(uid, true), endpoint('another', false)]));
    expect(decide().actions).toEqual([]);
    expect(decide().because).toMatch(/^the proxies of h1 have not confirmed revision 100/);
    renew(lease('h1', '100', 'b'));
    const [action] = decide().actions;
    expect(action).toMatchObject({
      type: 'patch',
      patch: {
        patch: { metadata: { uid, annotations: { 'capstan.dev/proxies-confirmed': toMicroTimestamp(now) } } },
      },
    });
  });

  it('waits for the endpoints controller while no slice has it', () => {
    const { renew, decide } = setUp();
    renew(lease('h1', '500', 'a'));
    expect(decide().actions).toEqual([]);
  });

  it('is not held up by a node whose lease has run out, and is told when that will be', async () => {
    const { clock, show, renew, decide, uid } = setUp();
    renew(lease('h1', '100', 'a'));
    renew(lease('dead', '50', 'a'));
    show(slice(100, [endpoint(uid, true)]));
    expect(decide()).toMatchObject({ actions: [], wakeAt: now + 8_000 });
    // The same lease, written for something else, is no sign of life.
    renew(lease('dead', '50', 'a'), lease('dead', '50', 'a'));
    await clock.advance(8_000);
    expect(decide().actions).toHaveLength(1);
  });
});

describe('the decision', () => {
  const proxies: readonly Proxy[] = [{ name: 'h1', revision: 5, until: now + 1 }];
  it('lets a pod go at once that no service has', () => {
    const decision = decideLeaving({ pod: leavingPod(), proxies, shownBy: undefined, revision: 0 }, now);
    expect(decision.actions).toHaveLength(1);
  });
  it('writes nothing where nobody confirms', () => {
    const decision = decideLeaving({ pod: leavingPod(), proxies: [], shownBy: undefined, revision: 9 }, now);
    expect(decision.actions).toEqual([]);
  });
});
